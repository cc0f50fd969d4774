// One run of the daemon: the real readiness of its link and the real election, joined as src/daemon
// joins them, with sockets that keep what comes in while the process stands still.
import { unreachable } from '../../src/base/assert.ts';
import { fromMillis, micros, plus, since, type Micros } from '../../src/base/time.ts';
import { formatIpv4, parseIpv4, type Ipv4 } from '../../src/carp/addresses.ts';
import { isBowOut } from '../../src/carp/advert.ts';
import { advertInterval } from '../../src/election/cadence.ts';
import type { Effect, State } from '../../src/election/effects.ts';
import type { Input, InterfaceFault } from '../../src/election/inputs.ts';
import { Election, type ElectionSettings } from '../../src/election/machine.ts';
import type { ElectionSnapshot } from '../../src/election/snapshot.ts';
import type { ReadinessEffect } from '../../src/readiness/effects.ts';
import type { LinkFacts } from '../../src/readiness/facts.ts';
import type { InstanceSettings, ReadinessInput, Role } from '../../src/readiness/inputs.ts';
import { LinkReadiness } from '../../src/readiness/link.ts';
import type { ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import { CheckedElection } from '../support/election-rules.ts';
import { CheckedLink } from '../support/readiness-rules.ts';
import type { Executor } from './executor.ts';
import type { AdvertFrame, Frame } from './frame.ts';
import { Loop } from './loop.ts';
import type { Surroundings } from './node.ts';
import type { Station } from './station.ts';
import { Tap } from './tap.ts';

/** What can be wrong with a daemon, to prove that the checks would find it. */
export type Flaw =
  /** Deadlines count before what waits in the sockets is read. */
  | 'wake-first'
  /** What a socket held when the epoch ended is taken for proof of the new one. */
  | 'old-evidence'
  /** A master never doubts its path. */
  | 'no-doubt'
  /** What becomes of the legs of a bond ends no epoch. */
  | 'legs-unseen';

export interface ProcessOptions {
  readonly world: Surroundings;
  readonly station: Station;
  readonly election: ElectionSettings;
  readonly readiness: InstanceSettings;
  readonly executor: (report: (input: Input) => void) => Executor;
  /** A firewall drops IP protocol 112, so that only the frame witness sees adverts. */
  readonly firewalled: boolean;
  /** Every wake-up comes so late. */
  readonly lag: Micros;
  readonly flaw: Flaw | undefined;
}

const ROLES = {
  INIT: 'inactive',
  HELD: 'waiting',
  BACKUP: 'waiting',
  MASTER: 'master',
} as const satisfies Record<State, Role>;

const TICK = fromMillis(1_000);
const BOND_TICK = fromMillis(250);
const LATE_WAKE = fromMillis(50);
/** How long an advert that the witness saw waits for its twin from the CARP socket. */
const GRACE = fromMillis(50);
/** Reading out a socket takes so long at most, in microseconds. */
const DRAIN_MAX_US = 1_000;

export class CarpdProcess {
  readonly #options: ProcessOptions;
  readonly #election: CheckedElection;
  readonly #link: LinkReadiness;
  readonly #readiness: CheckedLink;
  readonly #executor: Executor;
  readonly #loop = new Loop();
  readonly #tap = new Tap();
  sendFails = false;
  #facts: LinkFacts | undefined;
  #fault: InterfaceFault | undefined;
  #tickAt: Micros;
  /** The epoch for which the CARP socket was emptied last. */
  #socketEpoch = 1;
  readonly #witnessed: { readonly frame: AdvertFrame; readonly epoch: number }[] = [];
  /** Who sent the frame that was read last. */
  #lastFrom: string | undefined;
  /** What the election was told of the interface. */
  #told = '';

  constructor(options: ProcessOptions, fault: InterfaceFault | undefined) {
    const { world, election, station } = options;
    this.#options = options;
    this.#fault = fault;
    this.#executor = options.executor((input) => this.order(input));
    this.#election = new CheckedElection(new Election(election), election);
    this.#link = new LinkReadiness(world.clock.now);
    this.#readiness = new CheckedLink(this.#link);
    this.#tickAt = plus(world.clock.now, TICK);
    this.#facts = station.uplink.facts();
  }

  get frozen(): boolean {
    return this.#loop.frozen;
  }

  get executor(): Executor {
    return this.#executor;
  }

  snapshot(): ElectionSnapshot {
    return this.#election.snapshot();
  }

  readinessSnapshot(): ReadinessSnapshot {
    return this.#link.snapshot();
  }

  start(maintenance: boolean): void {
    this.#tell({ kind: 'started' });
    this.#tell({ kind: 'maintenance-changed', on: maintenance });
    this.#judge({ kind: 'facts-read', facts: this.#facts });
    this.#configure();
    this.#tellElection();
  }

  /** The process is gone: what was under way is of no effect. */
  close(): void {
    this.#loop.close();
    this.#executor.close();
  }

  /** The earliest deadline, and the time that a timer takes. */
  deadline(): Micros | undefined {
    return this.frozen ? undefined : plus(this.#earliest(), this.#options.lag);
  }

  wake(): void {
    this.#flush();
    const { now } = this.#options.world.clock;
    const lateBy = since(now, this.#earliest());
    if (lateBy > LATE_WAKE) {
      this.#judge({ kind: 'facts-read', facts: this.#facts });
      this.#judge({ kind: 'woken-late', lateBy });
    }
    if (this.#tickAt <= now) this.#tick(now);
    // Each is asked when its turn has come: what the link says moves the deadlines behind it.
    if ((this.#readiness.deadline() ?? Infinity) <= now) this.#judge({ kind: 'woken' });
    if ((this.#election.deadline() ?? Infinity) <= now) this.#tell({ kind: 'woken' });
  }

  order(input: Input): void {
    this.#loop.post(() => this.#elect(input));
  }

  /** The kernel tells that something about the interface has changed. */
  factsChanged(): void {
    const facts = this.#options.station.uplink.facts();
    this.#loop.post(() => {
      this.#facts = facts;
      this.#judge({ kind: 'facts-read', facts });
      this.#tellElection();
    });
  }

  setInterface(fault: InterfaceFault | undefined): void {
    this.#loop.post(() => {
      this.#fault = fault;
      this.#tellElection();
    });
  }

  /** Whether an advert that comes in now reaches the process, sooner or later. */
  get hearsAdverts(): boolean {
    const { firewalled, world } = this.#options;
    return this.#hearsFrames && (!firewalled || this.#tap.sees('advert', world.clock.now));
  }

  frameCame(frame: Frame): void {
    if (this.#hearsFrames) this.#loop.post(() => this.#read(frame), true);
  }

  freeze(): void {
    this.#loop.freeze();
  }

  /** Runs again: after a long while what waits in the sockets goes before every deadline. */
  thaw(): void {
    if (!this.frozen) return;
    const { world, flaw } = this.#options;
    const backlog = this.#loop.thaw();
    if (flaw === 'wake-first') this.wake();
    const lateBy = since(world.clock.now, this.#earliest());
    if (lateBy <= LATE_WAKE) return this.#loop.play(backlog);
    this.#tell({ kind: 'catching-up', lateBy });
    this.#loop.play(backlog.filter(({ isFrame }) => isFrame));
    // Nothing says whether the rest is found before or after the timers.
    const others = backlog.filter(({ isFrame }) => !isFrame);
    const othersFirst = world.prng.chance(0.5);
    if (othersFirst) this.#loop.play(others);
    this.#flush();
    this.#tell({ kind: 'catching-up', lateBy: undefined });
    this.wake();
    if (!othersFirst) this.#loop.play(others);
  }

  #earliest(): Micros {
    const deadlines = [this.#election.deadline(), this.#readiness.deadline(), this.#tickAt];
    return micros(Math.min(...deadlines.map((at) => at ?? Infinity)));
  }

  #tick(now: Micros): void {
    const { uplink } = this.#options.station;
    const bond = uplink.kind !== 'plain';
    this.#tickAt = plus(now, bond ? BOND_TICK : TICK);
    // What LACP says comes without events, so it is asked for.
    const isNews = JSON.stringify(uplink.facts()) !== JSON.stringify(this.#facts);
    if (bond && isNews) this.factsChanged();
  }

  // ---- the interface ----

  get #hearsFrames(): boolean {
    return this.#fault !== 'no-socket' && this.#fault !== 'not-ethernet';
  }

  #tellElection(): void {
    const up = this.#facts?.carrier === true;
    const told = JSON.stringify([this.#fault, up]);
    if (told === this.#told) return;
    this.#told = told;
    const { address: source } = this.#options.station;
    if (this.#fault === undefined) {
      this.#tell({ kind: 'carrier-changed', up });
      this.#tell({ kind: 'interface-ready', source });
    } else this.#tell({ kind: 'interface-lost', cause: this.#fault });
    this.#configure();
  }

  #configure(): void {
    const { readiness, station } = this.#options;
    const source = this.#fault === undefined ? formatIpv4(station.address) : undefined;
    this.#judge({ kind: 'instances-changed', instances: [{ ...readiness, source }] });
  }

  get #vip(): string {
    return this.#options.readiness.vip;
  }

  // ---- what comes in ----

  #read(frame: Frame): void {
    const { epoch } = this.#tap;
    const seen = this.#tap.sees(frame.kind, this.#options.world.clock.now);
    const { mac } = frame;
    const { portInUse: port } = this.#options.station.uplink;
    this.#lastFrom = mac;
    // The watch for claims of others sees this whether or not the witness is open.
    const claims = frame.kind === 'arp-reply' && formatIpv4(frame.address) === this.#vip;
    if (claims && this.snapshot().state === 'MASTER') this.#tell({ kind: 'vip-contested' });
    if (frame.kind === 'advert') {
      if (seen) this.#judge({ kind: 'frame-heard', from: mac, epoch, port });
      if (!this.#options.firewalled) return this.#hear(frame, this.#socketEpoch, 'socket');
      if (!seen) return;
      this.#witnessed.push({ frame, epoch });
      return this.#later(GRACE, () => this.#flush());
    }
    if (!seen) return;
    const came = { epoch, port };
    if (frame.kind !== 'arp-reply') return this.#judge({ kind: 'frame-heard', from: mac, ...came });
    this.#judge({ kind: 'probe-answered', address: formatIpv4(frame.address), mac, ...came });
  }

  /** What only the witness has seen by now, the CARP socket will not hear. */
  #flush(): void {
    for (const { frame, epoch } of this.#witnessed.splice(0)) this.#hear(frame, epoch, 'witness');
  }

  /** First the gate, which an advert may open: then it is heard like every other. */
  #hear(frame: AdvertFrame, epoch: number, heardBy: 'socket' | 'witness'): void {
    const { from, advert } = frame;
    const { name } = this.#options.readiness;
    const paced = { interval: advertInterval(advert), leaving: isBowOut(advert) };
    const sender = formatIpv4(from);
    const heard = { kind: 'advert-heard', name, from: sender, ...paced, epoch, heardBy } as const;
    this.#judge({ ...heard, throughUplink: true });
    this.#loop.enqueue(() => {
      const proved = this.#link.mayPreempt(name, sender, this.#options.world.clock.now);
      this.#elect({ kind: 'advert-heard', from, advert, proved });
    });
  }

  #later(delay: Micros, run: () => void): void {
    this.#options.world.clock.after(delay, () => this.#loop.post(run));
  }

  // ---- the link ----

  #judge(input: ReadinessInput): void {
    this.#loop.enqueue(() => {
      const effects = this.#readiness.step(input, this.#options.world.clock.now);
      for (const effect of effects) this.#carryOut(effect);
    });
  }

  #carryOut(effect: ReadinessEffect): void {
    const { world, station, flaw } = this.#options;
    switch (effect.kind) {
      case 'epoch-began': {
        const epoch = effect.epoch.number;
        this.#later(micros(world.prng.between(0, DRAIN_MAX_US)), () => (this.#socketEpoch = epoch));
        const from = this.#lastFrom;
        if (flaw !== 'old-evidence' || from === undefined) return;
        return this.#judge({ kind: 'frame-heard', from, epoch });
      }
      case 'gate-changed':
        return this.#tell({ kind: 'gate-changed', open: effect.gate.open });
      case 'master-moved':
        return this.#tell({ kind: 'mac-changed' });
      case 'doubt-changed':
        if (flaw === 'no-doubt') return;
        return this.#tell({ kind: 'doubt-changed', inDoubt: effect.inDoubt });
      case 'path-changed':
        return this.#tell({ kind: 'path-changed', trust: effect.trust });
      case 'open-witness':
        return this.#tap.want(effect.wanted, effect.epoch);
      case 'close-witness':
        return this.#tap.want(undefined, this.#link.epoch);
      case 'probe':
        this.#tap.awaitAnswers(this.#link.epoch, world.clock.now);
        return this.#probe(effect.addresses, effect.vips);
      case 'find-neighbours': {
        const addresses = station.neighbours.map(formatIpv4);
        return this.#judge({ kind: 'neighbours-found', addresses });
      }
      case 'verdict-changed':
      case 'link-warnings-changed':
      case 'rejoin-multicast':
        return;
      default:
        return unreachable(effect);
    }
  }

  #probe(addresses: readonly string[], vips: readonly string[]): void {
    if (!this.#hearsFrames) return;
    // A request bears our address, so that there has to be one; a probe for a VIP bears none.
    const asked = this.#fault === undefined ? [...vips, ...addresses] : vips;
    for (const target of asked.flatMap(toIpv4)) this.#options.station.ask(target);
  }

  // ---- the election ----

  #tell(input: Input): void {
    this.#loop.enqueue(() => this.#elect(input));
  }

  #elect(input: Input): void {
    const effects = this.#election.step(input, this.#options.world.clock.now);
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    const { world, station, readiness } = this.#options;
    switch (effect.kind) {
      case 'send-advert':
        return this.#send(effect);
      case 'state-changed': {
        const { from, to, cause } = effect;
        world.changed({ at: world.clock.now, node: station.name, from, to, cause });
        return this.#judge({ kind: 'role-changed', name: readiness.name, role: ROLES[to] });
      }
      case 'claim-vip':
        return this.#executor.want({ term: effect.term, present: true });
      case 'release-vip':
        return this.#executor.want({ term: effect.term, present: false });
      case 'run-hook':
        return this.#executor.run({ hook: effect.hook, term: effect.term });
      case 'announce':
        return station.announce();
      case 'ask-for-vip':
        return this.#probe([readiness.vip], []);
      default:
        // The rest only tells what happens.
        return;
    }
  }

  #send(effect: Extract<Effect, { kind: 'send-advert' }>): void {
    const { world, station } = this.#options;
    const { advbase, advskew, counter } = effect;
    const advert = { advbase, advskew, demote: 0, counter };
    const ok = !this.sendFails && this.#hearsFrames && station.uplink.facts() !== undefined;
    const { address: from, mac } = station;
    if (ok) station.send({ kind: 'advert', mac, from, advert });
    if (effect.advert !== 'regular') return;
    this.#later(micros(world.prng.between(0, 1_000)), () => {
      this.#elect({ kind: 'advert-sent', ok });
    });
  }
}

function toIpv4(address: string): Ipv4[] {
  const parsed = parseIpv4(address);
  return parsed === undefined ? [] : [parsed];
}
