// A swarm: some hosts with real daemons, from their sockets to `ip`, that share some instances on
// some segments, perhaps with a stock ucarp, and the trouble that its seed draws for it.
import { toMillis } from '../../../src/base/time.ts';
import type { Mac } from '../../../src/base/addresses.ts';
import type { EventOf } from '../../../src/events/events.ts';
import { VirtualClock } from '../../fakes/clock.ts';
import { station } from '../../fakes/host.ts';
import { promisesRunAlone, VirtualTime } from '../../fakes/time.ts';
import { Prng } from '../prng.ts';
import { healingTime } from './bounds.ts';
import { Client } from './client.ts';
import { leftAtEnd } from './ending.ts';
import { FAULTS, type Stage } from './faults.ts';
import { SwarmNode } from './node.ts';
import { Peace } from './peace.ts';
import { describePlan, drawPlan, gatewayOf, interfaceOf, START_MS_MAX } from './plan.ts';
import { TROUBLE_END_MS, type Plan, type Trouble } from './plan.ts';
import { Rules } from './rules.ts';
import { StockHost } from './stock-host.ts';
import { Storm } from './storm.ts';

const PEACE_MS = 15_000;
const LOOK_MS = 50;
const ORDER_MS_MAX = 60_000;
const STAYS_DEAD = 0.15;

/** Beside the seed: what of its world is played. */
export interface SwarmOptions {
  /** The numbers of the faults that strike; undefined: all. */
  readonly kept?: ReadonlySet<number> | undefined;
}

export class Swarm {
  readonly plan: Plan;
  readonly nodes: readonly SwarmNode[];
  readonly log: string[] = [];
  readonly #clock = new VirtualClock();
  readonly #time = new VirtualTime(this.#clock, promisesRunAlone);
  readonly #storms: readonly Storm[];
  readonly #stock: StockHost | undefined;
  readonly #prng: Prng;
  readonly #troubles: readonly Trouble[];
  readonly #clients: readonly Client[];
  readonly #rules: Rules;
  readonly #peace: Peace;
  readonly #ends = new Set<() => void>();
  #isOver = false;

  constructor(seed: number, { kept }: SwarmOptions = {}) {
    this.#prng = new Prng(seed);
    this.plan = drawPlan(this.#prng, Object.keys(FAULTS));
    this.#troubles = this.plan.troubles.filter(({ number }) => kept?.has(number) !== false);
    this.#storms = Array.from({ length: this.plan.segments }, (_, segment) => {
      return new Storm(this.#time, new Prng(seed + segment), {
        sent: (from, advert) => this.#rules.sent(segment, from, advert),
        came: (to, frame) => this.#came(segment, to, frame),
      });
    });
    this.#clients = this.#storms.map(({ wire }, segment) => {
      const gateway = station(`gateway${segment}`, wire, this.#time, `${gatewayOf(segment)}/24`);
      return new Client(gateway.macOf('eth0'));
    });
    const setup = { plan: this.plan, storms: this.#storms };
    const clocks = { clock: this.#clock, time: this.#time };
    this.nodes = Array.from({ length: this.plan.hosts }, (_, index) => {
      return new SwarmNode(
        clocks,
        { ...setup, index },
        (node, event) => this.#changed(node, event),
        (node, lines) => this.#rules.began(node, lines),
      );
    });
    this.#stock = this.plan.stock && this.#createStock(seed);
    const { nodes } = this;
    this.#rules = new Rules(this.plan, nodes, this.#time.now);
    this.#peace = new Peace({ ...setup, nodes, stock: this.#stock, clients: this.#clients });
  }

  /** What was not as it has to be. */
  get violations(): readonly string[] {
    return [...this.#rules.violations];
  }

  /** The numbers of the faults that struck. */
  get struck(): readonly number[] {
    return this.#troubles.map(({ number }) => number);
  }

  /** What it consists of, and what happened in it. */
  get timeline(): string {
    return [...describePlan(this.plan), ...this.log].join('\n');
  }

  /** What its daemons have come by. */
  get reached(): ReadonlySet<string> {
    return new Set(this.nodes.flatMap((node) => [...node.reached]));
  }

  /** Plays it to its end. */
  async play(): Promise<void> {
    this.#look();
    for (const node of this.nodes) {
      this.#later(this.#prng.between(0, START_MS_MAX), () => void this.#start(node));
    }
    this.#later(this.#prng.between(0, START_MS_MAX), () => this.#stock?.start());
    for (const trouble of this.#troubles) this.#later(trouble.atMs, () => this.#strike(trouble));
    await this.#time.pass(TROUBLE_END_MS);
    await this.#heal();
    await this.#time.pass(Math.ceil(toMillis(healingTime(this.plan))));
    this.#judge(this.#peace.faults());
    this.#peace.settled();
    await this.#time.pass(PEACE_MS);
    this.#judge([...this.#peace.faults(), ...this.#peace.unrest()]);
    await this.#end();
  }

  note(text: string): void {
    this.log.push(`${(toMillis(this.#time.now()) / 1_000).toFixed(3).padStart(9)} ${text}`);
  }

  #createStock(seed: number): StockHost {
    return new StockHost({
      ...{ clock: this.#clock, plan: this.plan, storms: this.#storms, prng: new Prng(~seed) },
      changed: (instance, { from, to }) => this.note(`stock ${instance.name}: ${from} -> ${to}`),
    });
  }

  #later(ms: number, run: () => void): void {
    this.#time.startTimer(ms, run);
  }

  #came(segment: number, to: Mac, frame: Uint8Array): void {
    const node = this.nodes.find((one) => one.macOf(segment) === to);
    if (node !== undefined) node.frames[segment] = (node.frames[segment] ?? 0) + 1;
    // Whoever can't hear a stranger just now does not answer it.
    const believes = this.#ends.size === 0;
    const isLossy = (this.#storms[segment]?.weather.loss ?? 0) > 0;
    this.#clients[segment]?.came(to, frame, { believes, isLossy });
  }

  #changed(node: SwarmNode, event: EventOf<'transition'>): void {
    const { name, from, to, cause } = event;
    this.note(`${node.name} ${name}: ${from} -> ${to} ${cause}`);
    this.#peace.changed(`${node.name} ${name}`, to);
    this.#rules.changed(node, event);
  }

  async #start(node: SwarmNode): Promise<void> {
    await node.start().catch((error: unknown) => this.#rules.complain(node, String(error)));
  }

  #look(): void {
    if (this.#isOver) return;
    this.#rules.look();
    this.#later(LOOK_MS, () => this.#look());
  }

  #strike({ number, kind, host, segment, instance, seed, lastsMs }: Trouble): void {
    const [node, storm] = [this.nodes[host], this.#storms[segment]];
    if (node === undefined || storm === undefined) return;
    const what = `${number}: ${kind} (${node.name}, ${interfaceOf(segment)}, ${instance.name})`;
    this.note(what);
    const stage: Stage = {
      ...{ prng: new Prng(seed), plan: this.plan, nodes: this.nodes, storms: this.#storms },
      ...{ stock: this.#stock, later: (ms, run) => this.#later(ms, run) },
    };
    const end = FAULTS[kind]?.({ node, segment, storm, instance }, stage);
    if (end === undefined) return;
    const once = (): void => {
      if (!this.#ends.delete(once)) return;
      this.note(`it is over: ${what}`);
      end();
    };
    this.#ends.add(once);
    this.#later(lastsMs, once);
  }

  /** What still lasts is over; some hosts stay dead, and the others run and have a path. */
  async #heal(): Promise<void> {
    for (const end of [...this.#ends]) end();
    for (const storm of this.#storms) storm.heal();
    const areOver = (): boolean => this.nodes.every(({ orders }) => orders === 0);
    await this.#time.until('orders end', areOver, ORDER_MS_MAX);
    for (const node of this.nodes.slice(1)) if (this.#prng.chance(STAYS_DEAD)) this.#powerOff(node);
    for (const node of this.nodes) if (!this.#peace.isDead(node)) void this.#start(node);
    this.#stock?.start();
    this.note('peace');
    this.#peace.begin();
  }

  #powerOff(node: SwarmNode): void {
    this.note(`${node.name} is dead`);
    node.kill();
    for (const segment of this.#storms.keys()) node.host.carrier(interfaceOf(segment), false);
    this.#peace.died(node);
  }

  #judge(faults: readonly string[]): void {
    this.#rules.look();
    const [node] = this.nodes;
    if (node !== undefined) for (const fault of faults) this.#rules.complain(node, fault);
  }

  /** All stop, and leave the hosts as they were. */
  async #end(): Promise<void> {
    this.#stock?.kill();
    for (const node of this.nodes) {
      const { running } = node;
      if (running === undefined) continue;
      const said = await this.#time.settled(running.daemon.stop());
      await this.#time.pass(2);
      node.running = undefined;
      const left = [...said, ...leftAtEnd(node, running, this.plan)];
      if (left.length > 0) this.#rules.complain(node, `at its end: ${left.join()}`);
    }
    this.#isOver = true;
    await this.#time.pass(LOOK_MS);
  }
}
