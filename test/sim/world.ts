// A world: two to four nodes on one segment, their clock, and what is seen of them. Everything in
// it follows from its seed and from what a scene does to it.
import { fromSeconds, micros, plus, toMillis, type Micros } from '../../src/base/time.ts';
import { Bus } from './bus.ts';
import type { CarpdNode } from './carpd-node.ts';
import { createCast, type CastOptions } from './cast.ts';
import { chatterElsewhere, type Client } from './client.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { promisesRunAlone } from '../fakes/time.ts';
import type { Stage } from './faults.ts';
import { settledFaults, settleTime, type Unrest } from './invariants.ts';
import type { SimNode, Surroundings, Transition } from './node.ts';
import { Prng } from './prng.ts';
import { judgeNodes, promotionFaults, type Scenery } from './truth.ts';
import type { UcarpNode } from './ucarp-node.ts';

/** Nodes start within this time. */
const START_MAX = fromSeconds(3);
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

export class World implements Stage, Scenery {
  readonly clock = new VirtualClock();
  readonly prng: Prng;
  readonly bus: Bus;
  readonly nodes: readonly SimNode[];
  readonly carpdNodes: readonly CarpdNode[];
  readonly ucarpNodes: readonly UcarpNode[];
  readonly client: Client | undefined;
  readonly #transitions: Transition[] = [];
  readonly #violations: string[] = [];
  readonly #log: string[] = [];
  #events = 0;
  #hasRun = false;

  constructor(seed: number, options: CastOptions = {}) {
    this.prng = new Prng(seed);
    this.bus = new Bus(this.clock, this.prng);
    const cast = createCast(this.#surroundings(), this.bus, options);
    this.carpdNodes = cast.carpdNodes;
    this.ucarpNodes = cast.ucarpNodes;
    this.client = cast.client;
    this.nodes = [...cast.carpdNodes, ...cast.ucarpNodes];
    const hasTrunk = this.carpdNodes.some(({ station }) => station.uplink.tags.length > 0);
    if (hasTrunk) chatterElsewhere(this.clock, this.prng, this.bus);
  }

  get transitions(): readonly Transition[] {
    return this.#transitions;
  }

  /** Something is not as it must be. */
  violated(text: string): void {
    this.#violations.push(text);
  }

  /** All but those boot, within a few seconds; returns after how long they have. */
  startAll(except: readonly SimNode[] = []): Micros {
    for (const node of this.nodes) {
      if (except.includes(node)) continue;
      this.clock.after(micros(this.prng.between(0, START_MAX)), () => node.start());
    }
    return START_MAX;
  }

  /** Lets the world settle after its last fault, and looks at what has become of it. */
  async watch(peaceAt: Micros): Promise<Report> {
    const bound = this.settleTime();
    const settledAt = plus(peaceAt, bound);
    await this.runUntil(settledAt);
    this.#violations.push(...this.#settledFaults());
    await this.runUntil(plus(settledAt, PEACE));
    this.#violations.push(...this.#settledFaults());
    for (const { at, node } of this.#transitions.filter(
      (transition) => transition.at > settledAt,
    )) {
      this.#violations.push(`${node} changes at ${String(toMillis(at))} ms, past the bound`);
    }
    return this.report(peaceAt, bound);
  }

  /** What has become of it since there is peace. */
  report(peaceAt: Micros, bound: Micros): Report {
    const late = this.#transitions.filter(({ at }) => at > peaceAt);
    return {
      violations: [...new Set(this.#violations)],
      transitions: this.#transitions,
      settledAfter: micros((late.at(-1)?.at ?? peaceAt) - peaceAt),
      bound,
      latePromotions: late.filter(({ to }) => to === 'MASTER').length,
      log: this.#log,
    };
  }

  /** How long it takes to settle from here, if nothing more goes wrong. */
  settleTime(): Micros {
    return settleTime(this.nodes, this.#unrest());
  }

  #settledFaults(): string[] {
    const componentOf = ({ name }: { readonly name: string }): number => {
      const station = this.bus.stations.find((candidate) => candidate.name === name);
      return station === undefined ? -1 : this.bus.componentOf(station);
    };
    return settledFaults(judgeNodes(this), componentOf);
  }

  #unrest(): Unrest {
    const snapshots = this.carpdNodes.flatMap((node) => node.snapshot() ?? []);
    return {
      vipRetry: snapshots.some(({ holdReasons }) => holdReasons.includes('vip-failed')),
      demoted: snapshots.some(({ demoted }) => demoted),
      leaving: snapshots.some(({ leaving }) => leaving !== undefined),
      impatient: this.carpdNodes.some(({ options }) => {
        return options.readiness.gate.policy === 'promote-after';
      }),
    };
  }

  /** Lets everything happen that happens until then. */
  async runUntil(end: Micros): Promise<void> {
    await this.#promisesRun();
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
      if (this.#hasRun) await this.#promisesRun();
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

  async #promisesRun(): Promise<void> {
    this.#hasRun = false;
    await promisesRunAlone();
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
      violated: (text) => this.violated(text),
      ran: () => (this.#hasRun = true),
      changed: (transition) => {
        this.#transitions.push(transition);
        const { node, from, to, cause } = transition;
        this.note(`${node}: ${from} -> ${to} ${cause ?? ''}`);
        const carpd = this.carpdNodes.find(({ name }) => name === node);
        if (carpd === undefined || to !== 'MASTER') return;
        for (const fault of promotionFaults(carpd, transition)) {
          this.violated(`${fault}, at ${String(toMillis(transition.at))} ms`);
        }
      },
    };
  }

  /** Writes into the log of the world. */
  note(text: string): void {
    this.#log.push(`${toMillis(this.clock.now).toFixed(3).padStart(11)} ${text}`);
  }
}
