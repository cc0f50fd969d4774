// Carries events from where they happen to whoever wants them, at once and in order. Who publishes
// never waits and never fails, whatever the listeners do.
import { formatIpv4 } from '../base/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import type {
  DomainEvent,
  EventName,
  EventOf,
  InstanceEventFields,
  LinkEventFields,
} from './events.ts';

export type Publish<Fields> = (event: Fields) => void;

/** The part of the bus that the sources of events know. */
export interface EventSink {
  publish(event: DomainEvent): void;
}

type EventListener = (event: DomainEvent) => void;

/** Delivers each event to its listeners. An event that nobody wants costs one look into a map. */
export class EventBus implements EventSink {
  readonly #listeners = new Map<EventName, Set<EventListener>>();
  readonly #onFault: (error: unknown, event: EventName) => void;
  readonly #waiting: DomainEvent[] = [];
  #delivering = false;

  /** `onFault` hears of listeners that threw; it is on its own then, and must not throw. */
  constructor(onFault: (error: unknown, event: EventName) => void) {
    this.#onFault = onFault;
  }

  /**
   * Delivers to everybody before it returns. Where a listener publishes in turn, that comes after:
   * all listeners get all events in the same order.
   */
  publish(event: DomainEvent): void {
    if (!this.#listeners.has(event.event)) return;
    this.#waiting.push(event);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#deliver(next);
      }
    } finally {
      this.#delivering = false;
    }
  }

  /** Calls `listener` for each event of these names from now on; returns what ends that. */
  subscribe<Name extends EventName>(
    names: Iterable<Name>,
    listener: (event: EventOf<Name>) => void,
  ): () => void {
    const wanted = new Set<EventName>(names);
    const own: EventListener = (event) => {
      if (isOneOf<Name>(event, wanted)) listener(event);
    };
    for (const name of wanted) this.#of(name).add(own);
    return () => {
      for (const name of wanted) this.#remove(name, own);
    };
  }

  #deliver(event: DomainEvent): void {
    for (const listener of [...(this.#listeners.get(event.event) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        this.#onFault(error, event.event);
      }
    }
  }

  #of(name: EventName): Set<EventListener> {
    const known = this.#listeners.get(name);
    if (known !== undefined) return known;
    const fresh = new Set<EventListener>();
    this.#listeners.set(name, fresh);
    return fresh;
  }

  #remove(name: EventName, listener: EventListener): void {
    const listeners = this.#listeners.get(name);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(name);
  }
}

/** What an instance publishes by: its news, with its identity added. */
export function instancePublisher(
  sink: EventSink,
  { name, interfaceName, vhid, address }: InstanceConfig,
): Publish<InstanceEventFields> {
  const identity = { name, interface: interfaceName, vhid, vip: formatIpv4(address.ip) };
  return (event) => sink.publish({ ...identity, ...event });
}

/** What an interface publishes by. */
export function linkPublisher(sink: EventSink, interfaceName: string): Publish<LinkEventFields> {
  return (event) => sink.publish({ interface: interfaceName, ...event });
}

function isOneOf<Name extends EventName>(
  event: DomainEvent,
  wanted: ReadonlySet<EventName>,
): event is EventOf<Name> {
  return wanted.has(event.event);
}
