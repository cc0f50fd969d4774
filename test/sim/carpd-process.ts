// One run of the daemon: the segment that the daemon runs, with sockets that keep what comes in
// while the process stands still.
import { unreachable } from '../../src/base/assert.ts';
import { micros, plus, since, type Micros } from '../../src/base/time.ts';
import { formatIpv4, parseIpv4, type Ipv4 } from '../../src/carp/addresses.ts';
import type { Effect } from '../../src/election/effects.ts';
import type { InterfaceFault } from '../../src/election/inputs.ts';
import { Election, type ElectionSettings } from '../../src/election/machine.ts';
import type { ElectionSnapshot } from '../../src/election/snapshot.ts';
import type { ReadinessEffect } from '../../src/readiness/effects.ts';
import type { InstanceSettings, ReadinessInput } from '../../src/readiness/inputs.ts';
import { LinkReadiness } from '../../src/readiness/link.ts';
import type { ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import type { SegmentEffect } from '../../src/segment/effects.ts';
import type { FactsRead, InstanceInput, SegmentInput } from '../../src/segment/inputs.ts';
import { isLateWake } from '../../src/segment/late-wake.ts';
import { Segment, type SegmentMachines } from '../../src/segment/segment.ts';
import type { WitnessWish } from '../../src/segment/witness-wish.ts';
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
  | 'legs-unseen'
  /** Frames of every VLAN that come in by the uplink are proof. */
  | 'tags-unseen'
  /** A master trusts its path, though nobody is heard by it any more. */
  | 'sure-of-path';

export interface ProcessOptions {
  readonly world: Surroundings;
  readonly station: Station;
  readonly election: ElectionSettings;
  readonly readiness: InstanceSettings;
  readonly executor: (report: (input: InstanceInput) => void) => Executor;
  /** A firewall drops IP protocol 112, so that only the frame witness sees adverts. */
  readonly firewalled: boolean;
  /** Every wake-up comes so late. */
  readonly lag: Micros;
  readonly flaw: Flaw | undefined;
}

/** Reading out a socket takes so long at most, in microseconds. */
const DRAIN_MAX_US = 1_000;

/** The link of a master that never doubts its path. */
class Doubtless extends CheckedLink {
  override step(input: ReadinessInput, now: Micros): readonly ReadinessEffect[] {
    return super.step(input, now).filter(({ kind }) => kind !== 'doubt-changed');
  }
}

/** The link of a master that trusts its path whatever comes of it. */
class Sure extends CheckedLink {
  override step(input: ReadinessInput, now: Micros): readonly ReadinessEffect[] {
    return super.step(input, now).filter(({ kind }) => kind !== 'path-changed');
  }
}

/** Both machines, each of their steps checked. */
function machines(flaw: Flaw | undefined): SegmentMachines {
  const Link = flaw === 'no-doubt' ? Doubtless : flaw === 'sure-of-path' ? Sure : CheckedLink;
  return {
    link: (now) => new Link(new LinkReadiness(now)),
    election: (settings) => new CheckedElection(new Election(settings), settings),
  };
}

export class CarpdProcess {
  readonly #options: ProcessOptions;
  readonly #segment: Segment;
  readonly #executor: Executor;
  readonly #loop = new Loop();
  readonly #tap = new Tap();
  sendFails = false;
  #read: FactsRead;
  #fault: InterfaceFault | undefined;
  /** Who sent the frame that was read last. */
  #lastFrom: string | undefined;
  /** What the election was told of the interface. */
  #told = '';

  constructor(options: ProcessOptions, fault: InterfaceFault | undefined) {
    const { world, station, election, flaw } = options;
    this.#options = options;
    this.#read = station.uplink.look();
    this.#fault = fault;
    this.#executor = options.executor((input) => this.order(input));
    this.#segment = new Segment(world.clock.now, machines(flaw));
    this.#give({ kind: 'instance-added', name: this.#name, settings: election });
  }

  get frozen(): boolean {
    return this.#loop.frozen;
  }

  get executor(): Executor {
    return this.#executor;
  }

  snapshot(): ElectionSnapshot | undefined {
    return this.#segment.election(this.#name);
  }

  readinessSnapshot(): ReadinessSnapshot {
    return this.#segment.link.snapshot();
  }

  start(maintenance: boolean): void {
    this.#tell({ kind: 'started' });
    this.#tell({ kind: 'maintenance-changed', on: maintenance });
    this.#give({ kind: 'facts-read', ...this.#read });
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
    const deadline = this.#segment.deadline();
    return this.frozen || deadline === undefined ? undefined : plus(deadline, this.#options.lag);
  }

  /** Nothing waits in a socket here unless the process stands still. */
  wake(): void {
    const { now } = this.#options.world.clock;
    if (this.#segment.awaitsSilence(now)) this.#give({ kind: 'sockets-read' });
    while ((this.#segment.deadline() ?? Infinity) <= now) this.#give({ kind: 'woken' });
  }

  order(input: InstanceInput): void {
    this.#loop.post(() => this.#tell(input));
  }

  /** The kernel tells that something about the interface has changed. */
  factsChanged(): void {
    const read = this.#options.station.uplink.look();
    this.#loop.post(() => {
      this.#read = read;
      this.#give({ kind: 'facts-read', ...read });
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
    return this.#hearsFrames && (!this.#options.firewalled || this.#tap.hearsAdverts);
  }

  frameCame(frame: Frame, tags: readonly number[]): void {
    if (this.#hearsFrames) this.#loop.post(() => this.#take(frame, tags), true);
  }

  freeze(): void {
    this.#loop.freeze();
  }

  /** Runs again: after a long while what waits in the sockets goes before every deadline. */
  thaw(): void {
    if (!this.frozen) return;
    const { world, flaw } = this.#options;
    const { now } = world.clock;
    const backlog = this.#loop.thaw();
    const lateBy = since(now, this.#segment.deadline() ?? now);
    if (!isLateWake(lateBy)) return this.#loop.play(backlog);
    if (flaw === 'wake-first') {
      this.#caughtUp(lateBy);
      this.wake();
    }
    this.#give({ kind: 'stood-still', lateBy });
    this.#loop.play(backlog.filter(({ isFrame }) => isFrame));
    // Nothing says whether the rest is found before or after the timers.
    const others = backlog.filter(({ isFrame }) => !isFrame);
    const othersFirst = world.prng.chance(0.5);
    if (othersFirst) this.#loop.play(others);
    this.#give({ kind: 'sockets-read' });
    this.#caughtUp(lateBy);
    this.wake();
    if (!othersFirst) this.#loop.play(others);
  }

  #caughtUp(lateBy: Micros): void {
    this.#give({ kind: 'caught-up', lateBy, ...this.#read });
  }

  get #name(): string {
    return this.#options.readiness.name;
  }

  // ---- the interface ----

  get #hearsFrames(): boolean {
    return this.#fault !== 'no-socket' && this.#fault !== 'not-ethernet';
  }

  #tellElection(): void {
    const up = this.#read.facts?.carrier === true;
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
    this.#give({ kind: 'instances-changed', instances: [{ ...readiness, source }] });
  }

  get #vip(): string {
    return this.#options.readiness.vip;
  }

  // ---- what comes in ----

  #take(frame: Frame, tags: readonly number[]): void {
    const { epoch } = this.#tap;
    const { uplinks = [] } = this.#read.facts ?? {};
    const isOwn = this.#isAnyTag || uplinks.some(({ vlans }) => vlans.join() === tags.join());
    const seen = isOwn && this.#tap.sees(frame.kind);
    const { mac } = frame;
    const { portInUse: port } = this.#options.station.uplink;
    this.#lastFrom = mac;
    // The watch for claims of others sees this whether or not the witness is open.
    const claims = frame.kind === 'arp-reply' && formatIpv4(frame.address) === this.#vip;
    if (claims && this.snapshot()?.state === 'MASTER') this.#tell({ kind: 'vip-contested' });
    if (frame.kind === 'advert') this.#hear(frame);
    if (!seen) return;
    const came = { epoch, port };
    if (frame.kind !== 'arp-reply') return this.#give({ kind: 'frame-heard', from: mac, ...came });
    this.#give({ kind: 'probe-answered', address: formatIpv4(frame.address), mac, ...came });
  }

  #hear({ from, advert }: AdvertFrame): void {
    const { epoch, hearsAdverts } = this.#tap;
    const copy = { name: this.#name, from, advert };
    if (hearsAdverts) this.#give({ kind: 'witness-copy', epoch, ...copy });
    if (this.#options.firewalled) return;
    this.#give({ kind: 'socket-copy', witnessRead: true, ...copy });
  }

  get #isAnyTag(): boolean {
    return this.#options.flaw === 'tags-unseen';
  }

  #later(delay: Micros, run: () => void): void {
    this.#options.world.clock.after(delay, () => this.#loop.post(run));
  }

  // ---- the segment ----

  #tell(input: InstanceInput): void {
    this.#give({ kind: 'instance-told', name: this.#name, input });
  }

  #give(input: SegmentInput): void {
    this.#loop.enqueue(() => {
      const effects = this.#segment.step(input, this.#options.world.clock.now);
      for (const effect of effects) this.#carryOut(effect);
    });
  }

  #carryOut(effect: SegmentEffect): void {
    switch (effect.kind) {
      case 'elected':
        return this.#perform(effect.effect);
      case 'epoch-began':
        return this.#epochBegan(effect.epoch.number);
      case 'watch-frames':
        return this.#watch(effect.wish);
      case 'look-again': {
        // What LACP says comes without events, so it is asked for.
        const read = this.#options.station.uplink.look();
        if (read !== this.#read) this.factsChanged();
        return;
      }
      case 'probe':
        return this.#probe(effect.addresses, effect.vips);
      case 'find-neighbours': {
        const addresses = this.#options.station.neighbours.map(formatIpv4);
        return this.#give({ kind: 'neighbours-found', addresses });
      }
      case 'gate-changed':
      case 'doubt-changed':
      case 'verdict-changed':
      case 'evidence-changed':
      case 'link-warnings-changed':
      case 'advert-heard':
      case 'packet-refused':
      case 'rejoin-multicast':
        return;
      default:
        return unreachable(effect);
    }
  }

  #epochBegan(epoch: number): void {
    const { world, flaw } = this.#options;
    this.#later(micros(world.prng.between(0, DRAIN_MAX_US)), () => {
      this.#give({ kind: 'socket-emptied', epoch });
    });
    const from = this.#lastFrom;
    if (flaw !== 'old-evidence' || from === undefined) return;
    this.#give({ kind: 'frame-heard', from, epoch });
  }

  #watch(wish: WitnessWish | undefined): void {
    const before = this.#tap.hearsAdverts;
    this.#tap.want(wish);
    const covers = this.#tap.hearsAdverts;
    if (covers !== before) this.#give({ kind: 'witness-covers', covers });
  }

  #probe(addresses: readonly string[], vips: readonly string[]): void {
    if (!this.#hearsFrames) return;
    // A request bears our address, so that there has to be one; a probe for a VIP bears none.
    const asked = this.#fault === undefined ? [...vips, ...addresses] : vips;
    for (const target of asked.flatMap(toIpv4)) this.#options.station.ask(target);
  }

  #perform(effect: Effect): void {
    const { world, station, readiness } = this.#options;
    switch (effect.kind) {
      case 'send-advert':
        return this.#send(effect);
      case 'state-changed': {
        const { from, to, cause } = effect;
        return world.changed({ at: world.clock.now, node: station.name, from, to, cause });
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
    const ok = !this.sendFails && this.#hearsFrames && station.uplink.look().facts !== undefined;
    const { address: from, mac } = station;
    if (ok) station.send({ kind: 'advert', mac, from, advert });
    if (effect.advert !== 'regular') return;
    this.#later(micros(world.prng.between(0, 1_000)), () => {
      this.#tell({ kind: 'advert-sent', ok });
    });
  }
}

function toIpv4(address: string): Ipv4[] {
  const parsed = parseIpv4(address);
  return parsed === undefined ? [] : [parsed];
}
