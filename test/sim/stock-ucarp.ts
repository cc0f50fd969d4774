// The stock ucarp 1.5.2, as it was measured: it hears adverts in batches up to a second late,
// notices its master-down timer only when its poll times out, says farewell on ties, never bows
// out, and stands still while a script runs.
import { fromMillis, micros, plus, type Micros } from '../../src/base/time.ts';
import { advertInterval, masterDownInterval, type Cadence } from '../../src/election/cadence.ts';
import { winsTie } from '../../src/election/preference.ts';
import type { AdvertFrame } from './frame.ts';
import type { Surroundings } from './node.ts';
import type { Station } from './station.ts';

const BATCH_US = 1_000_000;
const SCRIPT_MAX_US = 200_000;
const COUNTER_BITS = 64;

type UcarpState = 'BACKUP' | 'MASTER';

/** The host that it runs on. */
export type UcarpStation = Pick<
  Station,
  'name' | 'address' | 'mac' | 'up' | 'holdsVip' | 'onFrame' | 'send' | 'announce' | 'boot'
>;

/** One process. */
export class StockUcarp {
  readonly #station: UcarpStation;
  readonly #world: Pick<Surroundings, 'clock' | 'prng' | 'changed'>;
  readonly #cadence: Cadence;
  readonly #preempt: boolean;
  /** When its capture buffer is handed over, within each second. */
  readonly #phase: number;
  #alive = false;
  #state: UcarpState = 'BACKUP';
  #counter = 0n;
  #inbox: AdvertFrame[] = [];
  #batchAt: Micros | undefined;
  #masterDownAt = micros(0);
  #pollAt = micros(0);
  #advertAt = micros(0);
  /** A script runs until then. */
  #busyUntil = micros(0);

  constructor(
    world: Pick<Surroundings, 'clock' | 'prng' | 'changed'>,
    station: UcarpStation,
    cadence: Cadence & { readonly preempt: boolean },
  ) {
    this.#world = world;
    this.#station = station;
    this.#cadence = cadence;
    this.#preempt = cadence.preempt;
    this.#phase = world.prng.between(0, BATCH_US - 1);
    station.onFrame = (frame) => {
      if (frame.kind === 'advert') this.#receive(frame);
    };
  }

  get name(): string {
    return this.#station.name;
  }

  get alive(): boolean {
    return this.#alive;
  }

  get isMaster(): boolean {
    return this.#alive && this.#state === 'MASTER';
  }

  get mayServe(): boolean {
    return this.#alive;
  }

  get patience(): Micros {
    return plus(masterDownInterval(this.#cadence), this.slowestInterval);
  }

  get slowestInterval(): Micros {
    return plus(advertInterval(this.#cadence), micros(2 * SCRIPT_MAX_US));
  }

  get latency(): Micros {
    return plus(fromMillis(25), micros(BATCH_US + 2 * SCRIPT_MAX_US));
  }

  get preempts(): boolean {
    return this.#preempt;
  }

  deadline(): Micros | undefined {
    if (!this.#alive) return undefined;
    const timer = this.#state === 'MASTER' ? this.#advertAt : this.#pollAt;
    const first = Math.min(timer, this.#batchAt ?? Infinity);
    return micros(Math.max(first, this.#busyUntil));
  }

  wake(): void {
    const { now } = this.#world.clock;
    if (this.#batchAt !== undefined && this.#batchAt <= now) {
      const batch = this.#inbox;
      this.#inbox = [];
      this.#batchAt = undefined;
      for (const packet of batch) this.#hear(packet);
    }
    if (this.#state === 'BACKUP' && now >= this.#masterDownAt) this.#promote();
    if (this.#state === 'MASTER' && now >= this.#advertAt) this.#advertise();
    this.#pollAt = plus(now, advertInterval(this.#cadence));
  }

  #receive(packet: AdvertFrame): void {
    if (!this.#alive) return;
    this.#inbox.push(packet);
    const { now } = this.#world.clock;
    const sincePhase = (now - this.#phase + BATCH_US) % BATCH_US;
    this.#batchAt ??= plus(now, micros(BATCH_US - sincePhase));
  }

  crash(what: 'host' | 'process'): void {
    this.#alive = false;
    this.#inbox = [];
    this.#batchAt = undefined;
    if (what === 'process') return;
    this.#station.up = false;
    this.#station.holdsVip = false;
  }

  start(): void {
    if (this.#alive) return;
    if (!this.#station.up) this.#station.boot();
    this.#station.up = true;
    this.#alive = true;
    this.#state = 'BACKUP';
    this.#counter = BigInt(this.#world.prng.between(0, 0xffffffff));
    this.#runScript('down');
    this.#waitForMaster();
  }

  #hear({ from, advert }: AdvertFrame): void {
    this.#counter = advert.counter;
    const own = advertInterval(this.#cadence);
    const remote = advertInterval(advert);
    if (this.#state === 'MASTER') {
      if (remote < own || (remote === own && winsTie(from, this.#station.address))) this.#yield();
      return;
    }
    const tooSlow = remote > masterDownInterval(this.#cadence);
    if ((this.#preempt && remote > own) || tooSlow) return this.#promote();
    this.#waitForMaster();
  }

  #promote(): void {
    this.#change('MASTER');
    this.#runScript('up');
    this.#advertAt = this.#busyUntil;
    this.#station.announce();
  }

  #yield(): void {
    this.#sendAdvert();
    this.#change('BACKUP');
    this.#runScript('down');
    this.#waitForMaster();
  }

  #waitForMaster(): void {
    const from = micros(Math.max(this.#world.clock.now, this.#busyUntil));
    this.#masterDownAt = plus(from, masterDownInterval(this.#cadence));
    this.#pollAt = plus(from, advertInterval(this.#cadence));
  }

  #advertise(): void {
    this.#sendAdvert();
    this.#advertAt = plus(this.#world.clock.now, advertInterval(this.#cadence));
  }

  #sendAdvert(): void {
    this.#counter = BigInt.asUintN(COUNTER_BITS, this.#counter + 1n);
    const { advbase, advskew } = this.#cadence;
    const advert = { advbase, advskew, demote: 0, counter: this.#counter };
    const { mac, address: from } = this.#station;
    this.#station.send({ kind: 'advert', mac, from, advert });
  }

  #change(to: UcarpState): void {
    const from = this.#state;
    this.#state = to;
    const at = this.#world.clock.now;
    this.#world.changed({ at, node: this.name, from, to, cause: undefined });
  }

  #runScript(script: 'up' | 'down'): void {
    const start = Math.max(this.#world.clock.now, this.#busyUntil);
    this.#busyUntil = plus(micros(start), micros(this.#world.prng.between(1, SCRIPT_MAX_US)));
    this.#station.holdsVip = script === 'up';
  }
}
