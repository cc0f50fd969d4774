// A host of a swarm and the runs of the daemon on it, one after the other; and what is true of it,
// for the rules to judge.
import { address } from '../../support/packets.ts';
import { invariant } from '../../../src/base/assert.ts';
import type { Micros } from '../../../src/base/time.ts';
import type { Mac } from '../../../src/base/addresses.ts';
import type { State } from '../../../src/election/effects.ts';
import type { EventOf } from '../../../src/events/events.ts';
import { FakeHost } from '../../fakes/host.ts';
import type { VirtualClock } from '../../fakes/clock.ts';
import type { VirtualTime } from '../../fakes/time.ts';
import { configOf, RunningDaemon } from '../../support/daemon-scene.ts';
import { gatewayOf, interfaceOf, ownAddress, type Plan, type PlannedInstance } from './plan.ts';
import { PacedTime } from './paced-time.ts';
import { reachedBy } from './reached.ts';
import type { Storm } from './storm.ts';

/** One host. */
export class SwarmNode {
  readonly host: FakeHost;
  readonly index: number;
  running: RunningDaemon | undefined;
  /** Orders of an operator that are under way. */
  orders = 0;
  /** Faults that keep it from what it has to do in time, and when the last one was over. */
  disturbances = 0;
  calmSince: Micros;
  /** Its kernel is late with what it tells, so that no daemon can know of a new path. */
  isBlind = false;
  /** Interfaces whose own address somebody has taken away for now. */
  readonly bare = new Set<number>();
  /** Frames that came in by each interface since its path, or the process, was new. */
  readonly frames: number[];
  /** What its daemons have come by: see reached.ts. */
  readonly reached = new Set<string>();
  readonly #storms: readonly Storm[];
  readonly #plan: Plan;
  readonly #time: VirtualTime;
  readonly #onTransition: (node: SwarmNode, event: EventOf<'transition'>) => void;
  readonly #states = new Map<string, State>();

  constructor(
    { clock, time }: { readonly clock: VirtualClock; readonly time: VirtualTime },
    { plan, index, storms }: { plan: Plan; index: number; storms: readonly Storm[] },
    onTransition: (node: SwarmNode, event: EventOf<'transition'>) => void,
    onCommand: (node: SwarmNode, lines: readonly string[]) => void,
  ) {
    this.#plan = plan;
    this.#time = time;
    this.#onTransition = onTransition;
    this.index = index;
    this.calmSince = time.now();
    this.host = new FakeHost(`node${index}`, new PacedTime(clock, plan.rates[index] ?? 1));
    this.host.gateways = storms.map((_, segment) => address(gatewayOf(segment)));
    this.#storms = storms;
    this.frames = storms.map(() => 0);
    for (const segment of storms.keys()) this.plug(segment);
    this.host.maySetPromotion = plan.promotion[index] !== 'fixed off';
    this.host.began = ({ lines }) => onCommand(this, lines);
  }

  get name(): string {
    return this.host.name;
  }

  get config(): ReturnType<typeof configOf> {
    return this.configWithout();
  }

  /** A new interface on a segment, with the own address; returns its index. */
  plug(segment: number): number {
    const storm = this.#storms[segment];
    invariant(storm !== undefined, 'a segment of the swarm');
    const own = this.bare.has(segment) ? [] : [ownAddress(segment, this.index)];
    const ifindex = this.host.plug(interfaceOf(segment), storm.medium, ...own);
    if (this.#plan.promotion[this.index] === 'on') this.host.setPromotes(ifindex, true);
    return ifindex;
  }

  /** The configuration without one instance, or with other settings of it. */
  configWithout(left?: PlannedInstance, changes: object = {}): ReturnType<typeof configOf> {
    const settings = this.#plan.settings[this.index] ?? [];
    const chosen = this.#plan.instances.flatMap((one, at) => {
      if (one === left && Object.keys(changes).length === 0) return [];
      const hooks = one.hooks ? { hooks: { up: ['/up'], down: ['/down'] } } : {};
      const place = { interface: interfaceOf(one.segment), vhid: one.vhid, address: one.cidr };
      return [
        [one.name, { ...place, ...hooks, ...settings[at], ...(one === left ? changes : {}) }],
      ];
    });
    return configOf(Object.fromEntries(chosen) as Readonly<Record<string, object>>);
  }

  macOf(segment: number): Mac {
    return this.host.macOf(interfaceOf(segment));
  }

  holds({ segment, cidr }: PlannedInstance): boolean {
    return this.host.addresses(interfaceOf(segment)).includes(cidr);
  }

  hasOwn(segment: number): boolean {
    const own = ownAddress(segment, this.index);
    return this.host.addresses(interfaceOf(segment)).includes(own);
  }

  /** Whether its kernel promotes secondaries as its operator has it. */
  promotesAsBefore(segment: number): boolean {
    const { ifindex } = this.host.linkOf(interfaceOf(segment));
    return this.host.promotes(ifindex) === (this.#plan.promotion[this.index] === 'on');
  }

  /** Whether frames leave by its card at all. */
  isPlugged(segment: number): boolean {
    const { administrativelyUp, lowerUp } = this.host.linkOf(interfaceOf(segment));
    return administrativelyUp && lowerUp;
  }

  /** As the daemon told of it; undefined: nothing runs. */
  state(instance: string): State | undefined {
    if (this.running === undefined) return undefined;
    return this.#states.get(instance) ?? 'INIT';
  }

  /** Whether it ought to keep its bounds now, and has had the time to get there. */
  isCalm(patience: Micros): boolean {
    if (this.running === undefined || this.disturbances > 0 || this.orders > 0) return false;
    return this.#time.now() - this.calmSince > patience;
  }

  disturbed(): () => void {
    this.disturbances += 1;
    return () => {
      this.disturbances -= 1;
      this.calmSince = this.#time.now();
    };
  }

  /** A new path: nothing that came in before says anything of it. */
  pathChanged(segment: number): void {
    this.frames[segment] = 0;
  }

  async start(): Promise<void> {
    if (this.running !== undefined) return;
    this.running = new RunningDaemon(this.host, this.config);
    this.running.onTold = (event) => {
      for (const one of reachedBy(event)) this.reached.add(one);
      if (event.event !== 'transition') return;
      this.#states.set(event.name, event.to);
      this.#onTransition(this, event);
    };
    this.#states.clear();
    this.frames.fill(0);
    this.calmSince = this.#time.now();
    await this.running.daemon.start();
  }

  kill(): void {
    this.running?.process.kill();
    this.running = undefined;
    this.calmSince = this.#time.now();
  }
}
