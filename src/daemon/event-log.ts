// The log as a listener of the bus: what an event comes to is said elsewhere; here is that no line
// is written more often than it should be.
import { messageOf } from '../base/errors.ts';
import { fromSeconds, type Micros } from '../base/time.ts';
import { DropLog } from './drop-log.ts';
import { EventBus } from './event-bus.ts';
import { EVENT_NAMES } from './event-list.ts';
import type { DomainEvent } from './events.ts';
import { instanceLine } from './instance-lines.ts';
import { daemonLine, linkLine } from './link-lines.ts';
import type { LogLine } from './log-line.ts';
import type { Logger } from './log.ts';
import { RateLimit } from './rate-limit.ts';

/** Different lines that are remembered so as not to be repeated. */
const KEYS_MAX = 512;
const FAULT_PERIOD = fromSeconds(60);

/** A bus on which everything is logged, gaps of the log are told, and faulty listeners named. */
export function openLoggedBus(log: Logger, now: () => Micros): EventBus {
  const faults = new RateLimit(FAULT_PERIOD, KEYS_MAX);
  const bus = new EventBus((error, event) => {
    const allowed = faults.allow(event, now());
    if (allowed === undefined) return;
    const text = `what ${event} leads to has failed in part: ${messageOf(error)}`;
    log.error('listener-failed', text, { repeats: allowed.untold });
  });
  const eventLog = new EventLog(log, now);
  bus.subscribe(EVENT_NAMES, (event) => eventLog.tell(event));
  log.onGap((lostLines) => bus.publish({ event: 'log-gap', lostLines }));
  return bus;
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
