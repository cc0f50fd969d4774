// The log as a listener of the bus: what an event comes to is said elsewhere; here is that no line
// is written more often than it should be.
import type { Micros } from '../base/time.ts';
import { DropLog } from './drop-log.ts';
import type { EventBus } from './event-bus.ts';
import { EVENT_NAMES } from './event-list.ts';
import type { DomainEvent } from './events.ts';
import { instanceLine } from './instance-lines.ts';
import { daemonLine, linkLine } from './link-lines.ts';
import type { LogLine } from './log-line.ts';
import type { Logger } from './log.ts';
import { RateLimit } from './rate-limit.ts';

/** Different lines that are remembered so as not to be repeated. */
const KEYS_MAX = 512;

/** Has everything that happens from now on logged. */
export function logEvents(bus: EventBus, log: Logger, now: () => Micros): void {
  const eventLog = new EventLog(log, now);
  bus.subscribe(EVENT_NAMES, (event) => eventLog.tell(event));
}

/** See the head of this file. */
export class EventLog {
  readonly #log: Logger;
  readonly #now: () => Micros;
  readonly #drops = new Map<string, DropLog>();
  readonly #limits = new Map<Micros, RateLimit>();

  constructor(log: Logger, now: () => Micros) {
    this.#log = log;
    this.#now = now;
  }

  tell(event: DomainEvent): void {
    if (event.event === 'advert-rejected') return this.#dropsOf(event.interface).record(event);
    if ('name' in event) {
      const line = instanceLine(event);
      if (line !== undefined) this.#write(this.#log.forInstance(event.name), line);
      return;
    }
    const line = 'interface' in event ? linkLine(event) : daemonLine(event);
    if (line !== undefined) this.#write(this.#log, line);
  }

  #write(log: Logger, { level, event, message, fields, limit }: LogLine): void {
    if (limit === undefined) return log[level](event, message, fields);
    const allowed = this.#limitOf(limit.period).allow(limit.key, this.#now());
    if (allowed === undefined) return;
    const repeats = allowed.untold > 0 ? allowed.untold : undefined;
    log[level](event, message, { ...fields, repeats });
  }

  #limitOf(period: Micros): RateLimit {
    const known = this.#limits.get(period) ?? new RateLimit(period, KEYS_MAX);
    this.#limits.set(period, known);
    return known;
  }

  #dropsOf(interfaceName: string): DropLog {
    const known = this.#drops.get(interfaceName);
    if (known !== undefined) return known;
    const fresh = new DropLog(interfaceName, this.#log, this.#now);
    this.#drops.set(interfaceName, fresh);
    return fresh;
  }
}
