// A swarm: some hosts with real daemons, from their sockets to `ip`, that share some instances on
// some segments, and the trouble that its seed draws for it.
import { fromMillis, toMillis } from '../../../src/base/time.ts';
import { station } from '../../fakes/host.ts';
import { VirtualClock } from '../../fakes/clock.ts';
import { promisesRunAlone, VirtualTime } from '../../fakes/time.ts';
import type { Mac } from '../../../src/carp/addresses.ts';
import type { EventOf } from '../../../src/events/events.ts';
import { settledFaults } from '../invariants.ts';
import { Prng } from '../prng.ts';
import { Client } from './client.ts';
import { FAULTS, type Place, type Stage } from './faults.ts';
import { SwarmNode } from './node.ts';
import {
  drawPlan,
  gatewayOf,
  interfaceOf,
  ownAddress,
  type Plan,
  type PlannedInstance,
} from './plan.ts';
import { Rules } from './rules.ts';
import { Storm } from './storm.ts';

const START_MAX_MS = 3_000;
const TROUBLE_MS = 60_000;
const FAULT_MS = { min: 50, max: 9_000 };
/** The longest that anything needs to heal: an address that could not be added, and elections. */
const HEALING_MS = 45_000;
const PEACE_MS = 15_000;
const LOOK_MS = 50;
const ORDER_MS_MAX = 60_000;
/** Of each instance at each host after all is healed: by silence, by a bow-out, by preemption. */
const PROMOTIONS_MAX = 3;
const STAYS_DEAD = 0.15;

export class Swarm {
  readonly plan: Plan;
  readonly time = new VirtualTime(new VirtualClock(), promisesRunAlone);
  readonly nodes: readonly SwarmNode[];
  readonly storms: readonly Storm[];
  readonly log: string[] = [];
  readonly #prng: Prng;
  readonly #clients: readonly Client[];
  readonly #rules: Rules;
  readonly #ends = new Set<() => void>();
  /** Which stay dead when all the others are healed. */
  readonly #dead = new Set<SwarmNode>();
  #changes = 0;
  #promotions = 0;
  #isOver = false;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.plan = drawPlan(this.#prng, Object.keys(FAULTS));
    this.storms = Array.from({ length: this.plan.segments }, (_, segment) => {
      return new Storm(this.time, this.#prng, {
        sent: (from, advert) => this.#rules.sent(segment, from, advert),
        came: (to, frame) => this.#came(segment, to, frame),
      });
    });
    this.#clients = this.storms.map(({ wire }, segment) => {
      const gateway = station(`gateway${segment}`, wire, this.time, `${gatewayOf(segment)}/24`);
      return new Client(gateway.macOf('eth0'));
    });
    const setup = { plan: this.plan, storms: this.storms };
    this.nodes = Array.from({ length: this.plan.hosts }, (_, index) => {
      return new SwarmNode(
        this.time,
        { ...setup, index },
        (node, event) => this.#changed(node, event),
        (node, lines) => this.#rules.began(node, lines),
      );
    });
    this.#rules = new Rules(this.plan, this.nodes, this.time.now);
  }

  /** What was not as it has to be. */
  get violations(): readonly string[] {
    return [...this.#rules.violations];
  }

  /** What it consists of, and what happened in it. */
  get timeline(): string {
    const { hosts, segments, instances, promotion, kinds } = this.plan;
    const shared = instances.map(({ name, cidr, hooks }) => {
      return `${name}: ${cidr}${hooks ? ' with hooks' : ''}`;
    });
    const head = [
      `${hosts} hosts (secondaries are promoted: ${promotion.join()}) on ${segments} segments`,
      shared.join(', '),
      `faults: ${[...new Set(kinds)].join(', ')}`,
    ];
    return [...head, ...this.log].join('\n');
  }

  /** What its daemons have come by. */
  get reached(): ReadonlySet<string> {
    return new Set(this.nodes.flatMap((node) => [...node.reached]));
  }

  /** Plays it to its end. */
  async play(): Promise<void> {
    this.#look();
    for (const node of this.nodes) {
      this.time.startTimer(this.#prng.between(0, START_MAX_MS), () => void this.#start(node));
    }
    for (let count = 0; count < this.plan.faults; count += 1) {
      const at = START_MAX_MS + this.#prng.between(0, TROUBLE_MS);
      this.time.startTimer(at, () => this.#trouble());
    }
    await this.time.pass(START_MAX_MS + TROUBLE_MS + FAULT_MS.max + 1);
    await this.#heal();
    this.#promotions = 0;
    await this.time.pass(HEALING_MS);
    this.#judge();
    const before = this.#changes;
    await this.time.pass(PEACE_MS);
    this.#judge();
    if (this.#changes !== before) this.#complain('something changes in peace');
    const most = PROMOTIONS_MAX * this.nodes.length * this.plan.instances.length;
    if (this.#promotions > most) this.#complain(`${this.#promotions} promotions after healing`);
    await this.#end();
  }

  note(text: string): void {
    this.log.push(`${(toMillis(this.time.now()) / 1_000).toFixed(3).padStart(9)} ${text}`);
  }

  #came(segment: number, to: Mac, frame: Uint8Array): void {
    const node = this.nodes.find((one) => one.macOf(segment) === to);
    if (node !== undefined) node.frames[segment] = (node.frames[segment] ?? 0) + 1;
    // Whoever can't hear a stranger just now does not answer it.
    this.#clients[segment]?.came(to, frame, this.#ends.size === 0);
  }

  #changed(node: SwarmNode, event: EventOf<'transition'>): void {
    const { name, from, to, cause } = event;
    this.note(`${node.name} ${name}: ${from} -> ${to} ${cause}`);
    this.#changes += 1;
    if (to === 'MASTER') this.#promotions += 1;
    this.#rules.changed(node, event);
  }

  async #start(node: SwarmNode): Promise<void> {
    await node.start().catch((error: unknown) => this.#rules.complain(node, String(error)));
  }

  #look(): void {
    if (this.#isOver) return;
    this.#rules.look();
    this.time.startTimer(LOOK_MS, () => this.#look());
  }

  #trouble(): void {
    const { plan, nodes, storms } = this;
    const prng = this.#prng;
    const kind = prng.pick(plan.kinds);
    const node = prng.pick(nodes);
    const instance = prng.pick(plan.instances);
    const { segment } = prng.chance(0.8) ? instance : prng.pick(plan.instances);
    const storm = storms[segment];
    if (storm === undefined) return;
    this.note(`${kind} (${node.name}, ${interfaceOf(segment)}, ${instance.name})`);
    const later = (ms: number, run: () => void): void => void this.time.startTimer(ms, run);
    const stage: Stage = { prng, plan, nodes, storms, later };
    const place: Place = { node, segment, storm, instance };
    const end = FAULTS[kind]?.(place, stage);
    if (end === undefined) return;
    const once = (): void => {
      if (!this.#ends.delete(once)) return;
      this.note(`it is over: ${kind} (${node.name})`);
      end();
    };
    this.#ends.add(once);
    later(prng.between(FAULT_MS.min, FAULT_MS.max), once);
  }

  /** What still lasts is over; some hosts stay dead, and the others run and have a path. */
  async #heal(): Promise<void> {
    for (const end of [...this.#ends]) end();
    for (const storm of this.storms) storm.heal();
    const areOver = (): boolean => this.nodes.every(({ orders }) => orders === 0);
    await this.time.until('orders end', areOver, ORDER_MS_MAX);
    for (const node of this.nodes.slice(1)) if (this.#prng.chance(STAYS_DEAD)) this.#powerOff(node);
    for (const node of this.nodes) if (!this.#dead.has(node)) void this.#start(node);
    this.note('peace');
  }

  #powerOff(node: SwarmNode): void {
    this.note(`${node.name} is dead`);
    node.kill();
    for (const segment of this.storms.keys()) node.host.carrier(interfaceOf(segment), false);
    this.#dead.add(node);
  }

  #judge(): void {
    this.#rules.look();
    for (const instance of this.plan.instances) {
      const settled = this.nodes.map((node) => ({
        name: node.name,
        alive: node.running !== undefined,
        isMaster: node.state(instance.name) === 'MASTER',
        holdsVip: node.holds(instance),
        mayServe: !this.#dead.has(node),
        eligible: !this.#dead.has(node),
      }));
      for (const fault of settledFaults(settled, ({ name }) => this.#sideOf(name))) {
        this.#complain(`${instance.name}: ${fault}`);
      }
      this.#judgeClients(instance);
    }
  }

  /** Who asks for the address ever so seldom finds it where it was announced last. */
  #judgeClients({ name, ip, segment }: PlannedInstance): void {
    const master = this.nodes.find((node) => node.state(name) === 'MASTER');
    const known = this.#clients[segment]?.macOf(ip);
    if (master === undefined || known === undefined || known === master.macOf(segment)) return;
    this.#complain(`${name}: clients look for it at ${known}, not at ${master.name}`);
  }

  #sideOf(name: string): number {
    return [...this.#dead].some((node) => node.name === name) ? 1 : 0;
  }

  #complain(text: string): void {
    const [node] = this.nodes;
    if (node !== undefined) this.#rules.complain(node, text);
  }

  /** All stop, and leave the hosts as they were. */
  async #end(): Promise<void> {
    for (const node of this.nodes) {
      const { running, host } = node;
      if (running === undefined) continue;
      const left = await running.stop();
      await this.time.pass(1);
      node.running = undefined;
      const kept = [
        ...left,
        ...this.plan.instances.filter((one) => node.holds(one)).map(({ cidr }) => cidr),
        ...[...host.names.keys()],
        ...[...host.sockets, ...host.watches].map(() => 'a socket'),
        ...(running.process.pending === 0 ? [] : [`${running.process.pending} timers`]),
        ...(running.process.children === 0 ? [] : [`${running.process.children} children`]),
        ...(running.process.control === undefined ? [] : ['its control socket']),
        ...(running.process.metrics === undefined ? [] : ['its metrics']),
      ];
      if (kept.length > 0) this.#rules.complain(node, `keeps at its end: ${kept.join()}`);
      for (const segment of this.storms.keys()) {
        const own = ownAddress(segment, node.index);
        if (!node.hasOwn(segment)) this.#rules.complain(node, `${own} is gone at its end`);
        if (!node.promotesAsBefore(segment)) {
          this.#rules.complain(node, `promote_secondaries of ${segment} is not as it was`);
        }
      }
    }
    this.#isOver = true;
    await this.time.pass(toMillis(fromMillis(LOOK_MS)));
  }
}
