// What must hold of every host of a swarm at every moment, however bad it is.
import { fromMillis, fromSeconds, micros, toMillis, type Micros } from '../../../src/base/time.ts';
import { isBowOut, type Advert } from '../../../src/carp/advert.ts';
import type { Mac } from '../../../src/base/addresses.ts';
import type { Cause } from '../../../src/election/effects.ts';
import type { EventOf } from '../../../src/events/events.ts';
import { RECOVERY } from './bounds.ts';
import type { SwarmNode } from './node.ts';
import { interfaceOf, type Plan, type PlannedInstance } from './plan.ts';

/** An advert that was on its way when the state changed leaves within this time. */
const ON_ITS_WAY = fromMillis(10);
/** An address is on or off, and an advert out, within this time where nothing is in the way. */
const BOUND = fromSeconds(3);

/** Nobody leaves for these while the address is still on. */
const VOLUNTARY: ReadonlySet<Cause> = new Set(['handover', 'maintenance']);

interface Watched {
  /** Since when its address has been where it should not be, or not where it should. */
  wrongSince: Micros | undefined;
  masterAt: Micros | undefined;
  /** When it was sure to have sent last. */
  sentAt: Micros;
  /** An advert that left before its sender told that it is master: it tells so at once. */
  early: { readonly at: Micros; readonly advert: Advert } | undefined;
}

/** Looks on, and complains. */
export class Rules {
  readonly violations = new Set<string>();
  readonly #plan: Plan;
  readonly #nodes: readonly SwarmNode[];
  readonly #now: () => Micros;
  readonly #watched = new Map<string, Watched>();
  readonly #bareSince = new Map<string, Micros>();

  constructor(plan: Plan, nodes: readonly SwarmNode[], now: () => Micros) {
    this.#plan = plan;
    this.#nodes = nodes;
    this.#now = now;
  }

  /** A change of state, before anything comes of it. */
  changed(node: SwarmNode, { name, to, from, cause }: EventOf<'transition'>): void {
    const instance = this.#plan.instances.find((one) => one.name === name);
    if (instance === undefined) return;
    const watched = this.#of(node, instance);
    const now = this.#now();
    if (from === 'MASTER') watched.masterAt = now;
    if (to === 'MASTER' && now - (watched.early?.at ?? 0) <= ON_ITS_WAY) watched.early = undefined;
    watched.wrongSince = undefined;
    watched.sentAt = now;
    if (from === 'MASTER' && VOLUNTARY.has(cause) && node.holds(instance) && !node.isBlind) {
      this.complain(node, `${name} has handed over (${cause}) and keeps its address`);
    }
    if (to === 'MASTER' && node.frames[instance.segment] === 0 && !node.isBlind) {
      this.complain(node, `${name} is MASTER over a path by which nothing has come in`);
    }
  }

  /** Only a master sends adverts, and one that leaves says so once. */
  sent(segment: number, from: Mac, advert: Advert): void {
    const node = this.#nodes.find((one) => one.macOf(segment) === from);
    const instance = this.#plan.instances.find(({ vhid }) => vhid === advert.vhid);
    if (node === undefined || instance === undefined) return;
    const watched = this.#of(node, instance);
    watched.sentAt = this.#now();
    if (isBowOut(advert) && node.holds(instance) && node.isCalm(micros(0)) && !node.isBlind) {
      this.complain(node, `${instance.name} bows out with its address on`);
    }
    if (node.state(instance.name) === 'MASTER') return;
    const since = this.#now() - (watched.masterAt ?? -Infinity);
    if (since > ON_ITS_WAY) watched.early ??= { at: this.#now(), advert };
  }

  /** A daemon begins to run `ip`: only a master has its address put on. */
  began(node: SwarmNode, lines: readonly string[]): void {
    for (const instance of this.#plan.instances) {
      const { name, cidr, segment } = instance;
      const line = `addr add ${cidr} dev ${interfaceOf(segment)}`;
      if (node.state(name) === 'MASTER' || !lines.includes(line)) continue;
      this.complain(node, `${name} has its address put on and is ${node.state(name)}`);
    }
  }

  /** Looks at everything. */
  look(): void {
    for (const node of this.#nodes) {
      for (const instance of this.#plan.instances) {
        this.#lookAtAdverts(node, instance);
        this.#lookAt(node, instance);
      }
      for (const segment of node.frames.keys()) this.#lookAtOwn(node, segment);
    }
  }

  complain(node: SwarmNode, text: string): void {
    this.violations.add(`${toMillis(this.#now()).toFixed(0)} ms: ${node.name}: ${text}`);
  }

  #lookAtAdverts(node: SwarmNode, instance: PlannedInstance): void {
    const watched = this.#of(node, instance);
    if (watched.early === undefined || this.#now() - watched.early.at <= ON_ITS_WAY) return;
    const what = isBowOut(watched.early.advert) ? 'a bow-out' : 'an advert';
    watched.early = undefined;
    this.complain(node, `${instance.name} sends ${what} and is ${node.state(instance.name)}`);
  }

  #lookAt(node: SwarmNode, instance: PlannedInstance): void {
    const watched = this.#of(node, instance);
    const now = this.#now();
    if (!node.isCalm(RECOVERY)) {
      watched.wrongSince = undefined;
      watched.sentAt = now;
      return;
    }
    const isMaster = node.state(instance.name) === 'MASTER';
    if (node.holds(instance) === isMaster) watched.wrongSince = undefined;
    else watched.wrongSince ??= now;
    if (now - (watched.wrongSince ?? now) > BOUND) {
      const how = isMaster ? 'lacks its address and is' : 'has its address and is';
      this.complain(node, `${instance.name} ${how} ${node.state(instance.name)}`);
      watched.wrongSince = undefined;
    }
    if (!node.isPlugged(instance.segment)) watched.sentAt = now;
    if (isMaster && now - watched.sentAt > BOUND) {
      this.complain(node, `${instance.name} is MASTER and sends nothing`);
      watched.sentAt = now;
    }
  }

  /** The host's own address stays, whatever comes and goes beside it. */
  #lookAtOwn(node: SwarmNode, segment: number): void {
    const key = `${node.index} ${segment}`;
    const isMissing = !node.hasOwn(segment) && !node.bare.has(segment);
    if (!isMissing || !node.isCalm(RECOVERY)) return void this.#bareSince.delete(key);
    const since = this.#bareSince.get(key) ?? this.#now();
    this.#bareSince.set(key, since);
    if (this.#now() - since > BOUND) this.complain(node, `its own address ${segment} is gone`);
  }

  #of(node: SwarmNode, { name }: PlannedInstance): Watched {
    const key = `${node.index} ${name}`;
    const known = this.#watched.get(key);
    if (known !== undefined) return known;
    const none = { wrongSince: undefined, masterAt: undefined, early: undefined };
    const fresh = { ...none, sentAt: this.#now() };
    this.#watched.set(key, fresh);
    return fresh;
  }
}
