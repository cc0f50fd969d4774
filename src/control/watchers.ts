// Watchers of the events: who asks for them by the control socket gets one line of JSON for each as
// it happens. However slow, stuck or many they are, they cost little and nothing waits for them.
import type { ServerResponse } from 'node:http';
import type { EventBus } from '../events/bus.ts';
import { EVENT_NAMES, EVENTS, type DomainEvent, type EventOf } from '../events/events.ts';
import type { StartTimer } from '../vip/ports.ts';
import { EVENT_SCHEMA, type Gap, type WatchedEvent } from '../events/watched.ts';

/** What a watcher wants. */
export interface WatchWish {
  /** Only this instance, its interface, and the daemon as a whole; undefined: everything. */
  readonly name: string | undefined;
  /** Also the frequent ones, such as adverts. */
  readonly verbose: boolean;
}

/** When something happened, and what is to happen later. */
interface WatchTime {
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly startTimer: StartTimer;
}

export interface WatchersOptions extends WatchTime {
  readonly bus: EventBus;
  /** What every instance is now. */
  readonly states: () => readonly EventOf<'state'>[];
}

/** Fewer than the control socket has clients, so that status and orders always find room. */
export const WATCHERS_MAX = 8;
/** Bytes that wait for a slow watcher before events are left out. */
const BUFFERED_BYTES_MAX = 262_144;
/** A watcher that takes nothing for so long is cut, and makes room for another. */
const STALLED_MS_MAX = 60_000;

/** All watchers of a daemon. */
export class Watchers {
  readonly #options: WatchersOptions;
  readonly #watches = new Set<Watch>();

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  /** There are as many as there may be. */
  get full(): boolean {
    return this.#watches.size >= WATCHERS_MAX;
  }

  /** Sends what is now and then what happens, until the client or the daemon ends it. */
  begin(response: ServerResponse, wish: WatchWish): void {
    const { bus, states } = this.#options;
    const watch = new Watch(response, wish, this.#options);
    this.#watches.add(watch);
    const names = EVENT_NAMES.filter((name) => wish.verbose || EVENTS[name].frequent !== true);
    // From here to the subscription nothing can happen in between.
    for (const state of states()) watch.send(state);
    const unsubscribe = bus.subscribe(names, (event) => watch.send(event));
    response.once('close', () => {
      unsubscribe();
      watch.ended();
      this.#watches.delete(watch);
    });
  }

  /** Ends them all in good order. */
  close(): void {
    for (const watch of this.#watches) watch.end();
  }
}

class Watch {
  readonly #response: ServerResponse;
  readonly #name: string | undefined;
  /** That of the instance that is watched. */
  #interface: string | undefined;
  #lost = 0;
  readonly #time: WatchTime;
  #endStall: (() => void) | undefined;

  constructor(response: ServerResponse, { name }: WatchWish, time: WatchTime) {
    this.#response = response;
    this.#time = time;
    this.#name = name;
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    response.flushHeaders();
    // A client that is gone is seen by 'close'; what it did not take concerns nobody.
    response.on('error', () => undefined);
    response.on('drain', () => this.#taken());
  }

  send(event: DomainEvent): void {
    if (!this.#concerns(event)) return;
    // Once one is lost the rest is, until all that waits is taken: so the gap has one place.
    if (this.#lost > 0 || this.#response.writableLength > BUFFERED_BYTES_MAX) this.#lose();
    else this.#write(event);
  }

  end(): void {
    this.#response.end();
  }

  ended(): void {
    this.#endStall?.();
  }

  #concerns(event: DomainEvent): boolean {
    if (this.#name === undefined) return true;
    if ('name' in event) {
      if (event.name === this.#name) this.#interface = event.interface;
      return event.name === this.#name;
    }
    return !('interface' in event) || event.interface === this.#interface;
  }

  #lose(): void {
    this.#lost += 1;
    this.#endStall ??= this.#time.startTimer(STALLED_MS_MAX, () => this.#response.destroy());
  }

  #taken(): void {
    this.#endStall?.();
    this.#endStall = undefined;
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#write({ event: 'gap', lost });
  }

  #write(event: DomainEvent | Gap): void {
    const time = new Date(this.#time.wallMs()).toISOString();
    const line: WatchedEvent = { schema: EVENT_SCHEMA, time, ...event };
    this.#response.write(`${JSON.stringify(line)}\n`);
  }
}
