// What operators order through the control socket: handover and maintenance, for one instance or
// for all, each with an answer that says what came of it.
import { formatIpv4 } from '../base/addresses.ts';
import {
  findObjection,
  handOver,
  type HandoverNode,
  type HandoverResult,
  type OrderTime,
} from './handover.ts';
import type { Publish } from '../events/bus.ts';
import type { OrderEventFields } from '../events/events.ts';
import type { Maintenance } from './maintenance.ts';
import { endOfMaintenance } from '../report/next-text.ts';
import {
  ORDER_REASONS,
  type OrderReason,
  type OrderResult,
} from '../events/catalogue/order-result.ts';

/** An instance as orders need it. */
export interface OrderedInstance extends HandoverNode {
  readonly name: string;
  /** Tells the world what became of an order. */
  readonly publish: Publish<OrderEventFields>;
  handover(): void;
  /** Takes over what the record of maintenance says of it. */
  maintenanceChanged(): void;
}

/** An order, its instances found already. */
export type Order =
  | { readonly kind: 'handover'; readonly force: boolean }
  | { readonly kind: 'maintenance'; readonly on: boolean; readonly force: boolean };

export interface OrdersOptions extends OrderTime {
  readonly maintenance: Maintenance;
  /** Resolves when the loop has done all that was asked of it so far. */
  readonly settled: () => Promise<void>;
  /** All instances that run now. */
  readonly instances: () => readonly OrderedInstance[];
}

/** What is said of an order, without what the instance says of itself. */
interface NodeAnswer {
  readonly reason: OrderReason;
  readonly message: string;
  readonly afterMs?: number | null;
}

const NOBODY = 'No master is heard: NOBODY SERVES the virtual IP as far as this node can tell';

/** Carries orders out. */
export class Orders {
  readonly #options: OrdersOptions;
  /** The last order that turned maintenance on, by the name of its instance. */
  readonly #latestOn = new Map<string, Order>();

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /** Resolves to what came of it for each of these instances, as far as they run. */
  async give(order: Order, names: readonly string[]): Promise<readonly OrderResult[]> {
    const instances = this.#options.instances().filter(({ name }) => names.includes(name));
    if (order.kind === 'maintenance' && !order.on) return this.#maintenanceOff(instances);
    return Promise.all(instances.map((instance) => this.#leave(order, instance)));
  }

  /** Handover and maintenance on: both make a master step down, by the same rule. */
  async #leave(order: Order, instance: OrderedInstance): Promise<OrderResult> {
    const { settled } = this.#options;
    const time: OrderTime = this.#options;
    const objection = order.force ? undefined : await findObjection(instance, time);
    if (objection !== undefined) {
      const message = `refused, nothing was changed: ${objection}`;
      return this.#publishEnd(order, instance, { reason: 'no-peer', message });
    }
    if (order.kind === 'handover') {
      this.#publishBegun(instance, order, 'an operator asks for a handover');
      const result = await handOver(instance, time, () => {
        instance.handover();
        return settled();
      });
      return this.#publishEnd(order, instance, result);
    }
    const { maintenance } = this.#options;
    const stored = await maintenance.set([instance.name], true, this.#names());
    if (!stored.ok) {
      return this.#publishEnd(order, instance, { reason: 'not-stored', message: stored.reason });
    }
    this.#latestOn.set(instance.name, order);
    this.#publishBegun(instance, order, `maintenance is on, ${maintenance.lifeText}`);
    const result = await handOver(instance, time, () => this.#maintenanceChanged());
    const end = `${endOfMaintenance(instance.name)} ends it`;
    const kept = `maintenance is on, ${maintenance.lifeText}; ${end}`;
    if (result.reason === 'not-master') {
      const nobody = instance.snapshot().master === undefined ? `. ${NOBODY}` : '';
      return this.#publishEnd(order, instance, {
        reason: 'maintenance-on',
        message: kept + nobody,
      });
    }
    const isLatest = this.#latestOn.get(instance.name) === order;
    if (result.reason === 'no-successor' && !order.force && isLatest) {
      return this.#publishEnd(order, instance, await this.#takeBack(instance, result));
    }
    const message = `${kept}; ${result.message}`;
    return this.#publishEnd(order, instance, { ...result, message });
  }

  /** Nobody has come to serve: the node that can must not be kept from it. */
  async #takeBack(instance: OrderedInstance, result: HandoverResult): Promise<NodeAnswer> {
    const { maintenance } = this.#options;
    const stored = await maintenance.set([instance.name], false, this.#names());
    if (!stored.ok) return { ...result, message: `${result.message}. ${stored.reason}` };
    await this.#maintenanceChanged();
    const message =
      `${result.message}. Maintenance is off again, so that this node can serve. Look for the ` +
      'other node, or use --force';
    return { ...result, message };
  }

  async #maintenanceOff(instances: readonly OrderedInstance[]): Promise<readonly OrderResult[]> {
    const order: Order = { kind: 'maintenance', on: false, force: false };
    const { maintenance } = this.#options;
    const names = instances.map(({ name }) => name);
    const wasOn = new Set(names.filter((name) => maintenance.of(name) !== undefined));
    const stored = await maintenance.set(names, false, this.#names());
    if (stored.ok) await this.#maintenanceChanged();
    return instances.map((instance) => {
      if (!stored.ok) {
        return this.#publishEnd(order, instance, { reason: 'not-stored', message: stored.reason });
      }
      const message = wasOn.has(instance.name)
        ? 'maintenance is off: it takes part in the election again'
        : 'maintenance was off already: nothing has changed';
      return this.#publishEnd(order, instance, { reason: 'maintenance-off', message });
    });
  }

  /** Tells all that run now: a reload may have replaced an instance since the order came. */
  #maintenanceChanged(): Promise<void> {
    for (const instance of this.#options.instances()) instance.maintenanceChanged();
    return this.#options.settled();
  }

  #names(): readonly string[] {
    return this.#options.instances().map(({ name }) => name);
  }

  /** Before anything is done. */
  #publishBegun(instance: OrderedInstance, order: Order, detail: string): void {
    const { kind: event, force } = order;
    instance.publish({ event, force, outcome: 'begun', reason: null, detail, afterMs: null });
  }

  #publishEnd(order: Order, instance: OrderedInstance, answer: NodeAnswer): OrderResult {
    const { reason, message, afterMs = null } = answer;
    const { outcome } = ORDER_REASONS[reason];
    const { state, master } = instance.snapshot();
    const { kind: event, force } = order;
    instance.publish({ event, force, outcome, reason, detail: message, afterMs });
    return {
      name: instance.name,
      outcome,
      reason,
      message,
      state,
      master: master === undefined ? null : formatIpv4(master.address),
      afterMs,
      maintenance: this.#options.maintenance.of(instance.name) !== undefined,
    };
  }
}
