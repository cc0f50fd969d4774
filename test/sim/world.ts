// A world: two to four nodes on one segment, trouble for a minute, and then peace. Everything in it
// follows from its seed.
import { fromSeconds, micros, plus, toMillis, type Micros } from '../../src/base/time.ts';
import { ipv4, type Ipv4 } from '../../src/carp/addresses.ts';
import type { ElectionSettings } from '../../src/election/machine.ts';
import { Bus } from './bus.ts';
import { CarpdNode, type ThawOrder } from './carpd-node.ts';
import { VirtualClock } from './clock.ts';
import { beginFault, FAULT_MAX, heal, split, type Stage } from './faults.ts';
import { settledFaults, settleTime, type Unrest } from './invariants.ts';
import type { SimNode, Surroundings, Transition } from './node.ts';
import { Prng } from './prng.ts';
import { UcarpNode } from './ucarp-node.ts';

const NETWORK = 0x0a4d0000;
const VHID_NODES_MAX = 4;
const FAULTS_MAX = 16;
const TROUBLE = fromSeconds(60);
/** Nodes start within this time. */
const START_MAX = fromSeconds(3);
const FREEZES = 3;
const STALL_MAX = fromSeconds(9);
const NO_UNREST: Unrest = { vipRetry: false, demoted: false, leaving: false };
/** Watched after everything has settled. */
const PEACE = fromSeconds(20);
/** Far more than any world needs: a node that asks to be woken again and again at one instant. */
const EVENTS_MAX = 200_000;

/** What became of a world. */
export interface Report {
  readonly violations: readonly string[];
  readonly transitions: readonly Transition[];
  /** From the last fault to the last transition after it, beside the computed bound. */
  readonly settledAfter: Micros;
  readonly bound: Micros;
  /** Promotions after the last fault. */
  readonly latePromotions: number;
  readonly log: readonly string[];
}

export class World implements Stage {
  readonly clock = new VirtualClock();
  readonly prng: Prng;
  readonly bus: Bus;
  readonly nodes: readonly SimNode[];
  readonly carpdNodes: readonly CarpdNode[];
  readonly #transitions: Transition[] = [];
  readonly #violations: string[] = [];
  readonly #log: string[] = [];
  readonly #thawOrder: ThawOrder;
  #events = 0;

  constructor(seed: number, thawOrder: ThawOrder = 'drain-first') {
    this.prng = new Prng(seed);
    this.#thawOrder = thawOrder;
    this.bus = new Bus(this.clock, this.prng);
    const count = this.prng.between(2, VHID_NODES_MAX);
    const addresses = this.#addresses(count);
    const surroundings = this.#surroundings();
    this.carpdNodes = addresses
      .slice(0, this.prng.chance(0.4) ? -1 : undefined)
      .map((address, index) => this.#createCarpd(surroundings, index, address));
    const [stock] = addresses.slice(this.carpdNodes.length);
    const ucarp = stock === undefined ? [] : [this.#createUcarp(surroundings, stock)];
    this.nodes = [...this.carpdNodes, ...ucarp];
    for (const node of this.nodes) this.bus.attach(node);
  }

  /** Trouble, then peace. */
  run(): Report {
    this.#startAll();
    const count = this.prng.between(1, FAULTS_MAX);
    const begins = Array.from({ length: count }, () => this.prng.between(0, TROUBLE));
    for (const begin of begins) {
      this.clock.after(micros(begin), () => this.#note(beginFault(this)));
    }
    const end = plus(TROUBLE, plus(FAULT_MAX, 1 as Micros));
    this.#runUntil(end);
    this.#makePeace();
    return this.#watch(end);
  }

  /**
   * A settled world whose only trouble is that backups stand still for a while: nothing happens.
   */
  runWithFreezes(): Report {
    this.#startAll();
    this.#runUntil(plus(START_MAX, settleTime(this.nodes, NO_UNREST)));
    const calmFrom = this.clock.now;
    for (let count = 0; count < FREEZES; count += 1) {
      const backups = this.carpdNodes.filter((node) => !node.isMaster);
      for (const node of backups) node.freeze();
      this.#runUntil(plus(this.clock.now, micros(this.prng.between(500_000, STALL_MAX))));
      for (const node of backups) node.thaw();
      this.#runUntil(plus(this.clock.now, STALL_MAX));
    }
    for (const { at, node, to } of this.#transitions) {
      if (at > calmFrom) this.#violations.push(`${node} becomes ${to} because backups stood still`);
    }
    return this.#watch(this.clock.now);
  }

  #startAll(): void {
    for (const node of this.nodes) {
      this.clock.after(micros(this.prng.between(0, START_MAX)), () => node.start());
    }
  }

  /** The last fault ends here; what stays is a shape of the world that it can live with. */
  #makePeace(): void {
    heal(this);
    if (this.prng.chance(0.3)) split(this);
    for (const node of this.nodes) {
      if (this.prng.chance(0.1)) node.crash('host');
    }
    for (const node of this.carpdNodes) {
      if (this.prng.chance(0.08)) node.setLink(false);
      if (this.prng.chance(0.08)) node.setMaintenance(true);
    }
    this.#note('peace');
  }

  #watch(peaceAt: Micros): Report {
    const bound = settleTime(this.nodes, this.#unrest());
    const settledAt = plus(peaceAt, bound);
    this.#runUntil(settledAt);
    this.#violations.push(...settledFaults(this.nodes, (node) => this.bus.componentOf(node)));
    this.#runUntil(plus(settledAt, PEACE));
    this.#violations.push(...settledFaults(this.nodes, (node) => this.bus.componentOf(node)));
    const late = this.#transitions.filter(({ at }) => at > peaceAt);
    for (const { at, node } of late.filter((transition) => transition.at > settledAt)) {
      this.#violations.push(`${node} changes at ${String(toMillis(at))} ms, past the bound`);
    }
    return {
      violations: [...new Set(this.#violations)],
      transitions: this.#transitions,
      settledAfter: micros((late.at(-1)?.at ?? peaceAt) - peaceAt),
      bound,
      latePromotions: late.filter(({ to }) => to === 'MASTER').length,
      log: this.#log,
    };
  }

  #unrest(): Unrest {
    const snapshots = this.carpdNodes.flatMap((node) => node.snapshot() ?? []);
    return {
      vipRetry: snapshots.some(({ holdReasons }) => holdReasons.includes('vip-failed')),
      demoted: snapshots.some(({ demoted }) => demoted),
      leaving: snapshots.some(({ leaving }) => leaving !== undefined),
    };
  }

  #runUntil(end: Micros): void {
    for (;;) {
      const sleeper = this.#nextSleeper();
      const wakeAt = sleeper?.deadline() ?? Infinity;
      const plannedAt = this.clock.next() ?? Infinity;
      if (Math.min(wakeAt, plannedAt) > end) break;
      if ((this.#events += 1) > EVENTS_MAX) {
        this.#violations.push('the world does not come to rest');
        break;
      }
      this.#runOne(sleeper, wakeAt, plannedAt);
    }
    this.clock.moveTo(end);
  }

  /** One event; a rule that an election breaks is an exception of that event. */
  #runOne(sleeper: SimNode | undefined, wakeAt: number, plannedAt: number): void {
    this.clock.moveTo(micros(Math.min(wakeAt, plannedAt)));
    try {
      if (sleeper !== undefined && wakeAt < plannedAt) sleeper.wake();
      else this.clock.runNext();
    } catch (error) {
      this.#violations.push(String(error));
    }
  }

  #nextSleeper(): SimNode | undefined {
    let first: SimNode | undefined;
    for (const node of this.nodes) {
      if ((node.deadline() ?? Infinity) < (first?.deadline() ?? Infinity)) first = node;
    }
    return first;
  }

  #surroundings(): Surroundings {
    return {
      clock: this.clock,
      prng: this.prng,
      send: (from, packet) => this.bus.send(from, packet),
      changed: (transition) => {
        this.#transitions.push(transition);
        const { node, from, to, cause } = transition;
        this.#note(`${node}: ${from} -> ${to} ${cause ?? ''}`);
      },
    };
  }

  #note(text: string): void {
    this.#log.push(`${toMillis(this.clock.now).toFixed(3).padStart(11)} ${text}`);
  }

  #addresses(count: number): Ipv4[] {
    const hosts = new Set<number>();
    while (hosts.size < count) hosts.add(this.prng.between(1, 0x7fff));
    return [...hosts].map((host) => ipv4(NETWORK + host));
  }

  #createCarpd(surroundings: Surroundings, index: number, address: Ipv4): CarpdNode {
    const { prng } = this;
    const manageAddress = prng.chance(0.7);
    const settings: ElectionSettings = {
      advbase: prng.chance(0.1) ? 4 : 1,
      advskew: prng.pick([0, 0, 0, 1, 10, 50, 100, 240, 254]),
      deadRatio: prng.chance(0.2) ? 2 : 3,
      preempt: prng.chance(0.3),
      // Where hooks manage the address, the one at the start clears up after a crash.
      neutral: manageAddress && prng.chance(0.3),
      manageAddress,
      initialCounter: 0n,
    };
    const name = `carpd${String(index)}`;
    return new CarpdNode(surroundings, name, address, settings, this.#thawOrder);
  }

  #createUcarp(surroundings: Surroundings, address: Ipv4): UcarpNode {
    const advskew = this.prng.pick([0, 0, 10, 100]);
    const preempt = this.prng.chance(0.3);
    const cadence = { advbase: 1, advskew, deadRatio: 3, preempt };
    return new UcarpNode(surroundings, 'ucarp', address, cadence);
  }
}
