// The log as a listener of the bus: what an event comes to is said elsewhere; here is that no line
// is written more often than it should be, and that the last of them is written all the same.
import { messageOf } from '../base/errors.ts';
import { fromSeconds, since, toMillis, toSeconds, type Micros } from '../base/time.ts';
import type { StartTimer } from '../vip/ports.ts';
import type { Quota } from '../events/catalogue/define.ts';
import { EventBus } from '../events/bus.ts';
import { EVENT_NAMES, type DomainEvent } from '../events/events.ts';
import { LineQuotas, pendingLine, type PendingLine } from './line-quota.ts';
import { isLogged, lineOf, type LogLine } from './log-line.ts';
import type { Logger } from './log.ts';
import { RateLimit } from '../base/rate-limit.ts';

/** Different lines that are remembered so as not to be repeated. */
const KEYS_MAX = 512;
/** Kinds of lines, for as many instances as a daemon has. */
const KINDS_MAX = 65_536;
const FAULT_PERIOD = fromSeconds(60);
/** Nobody wonders that a line is written by so much too late. */
const LATE = fromSeconds(1);

/** A bus on which everything is logged, its gaps are reported, and faulty listeners named. */
export function openLoggedBus(log: Logger, now: () => Micros, startTimer: StartTimer): EventBus {
  const faults = new RateLimit(FAULT_PERIOD, KEYS_MAX);
  const bus = new EventBus((error, of) => {
    // A listener that fails at this very event would be given it for ever.
    const allowed = of === 'listener-failed' ? undefined : faults.allow(of, now());
    if (allowed === undefined) return;
    const detail = messageOf(error);
    bus.publish({ event: 'listener-failed', of, detail, repeats: allowed.refused });
  });
  const eventLog = new EventLog(log, now, startTimer);
  bus.subscribe(EVENT_NAMES.filter(isLogged), (event) => eventLog.log(event));
  log.onGap((lostLines) => bus.publish({ event: 'log-gap', lostLines }));
  return bus;
}

/** Writes events to the log, each kind no more often than its limit allows. */
export class EventLog {
  readonly #log: Logger;
  readonly #now: () => Micros;
  readonly #startTimer: StartTimer;
  readonly #repeats = new LineQuotas<LogLine>(KEYS_MAX);
  readonly #kinds = new LineQuotas<LogLine>(KINDS_MAX);
  #wakeAt: Micros | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(log: Logger, now: () => Micros, startTimer: StartTimer) {
    this.#log = log;
    this.#now = now;
    this.#startTimer = startTimer;
  }

  log(event: DomainEvent): void {
    // Nothing is logged after the end.
    if (endsLog(event)) this.#logAll();
    const line = lineOf(event);
    if (line === undefined) return;
    const now = this.#now();
    const next = pendingLine(line, now);
    const { once, quotaKey } = line;
    if (once === undefined) return this.#pass(next, now);
    const isRepeat = !this.#repeats.hasRoom(once.key, now);
    // A new one that its kind has no room for is remembered when it is logged: keys may be forged.
    if (!isRepeat && !this.#kinds.hasRoom(quotaKey, now)) return this.#pass(next, now);
    const admission = this.#repeats.admit(once.key, quotaOf(once), next, now);
    if (admission.passed !== undefined) this.#pass(admission.passed, now);
    else this.#wake(admission.until, now);
  }

  #pass(next: PendingLine<LogLine>, now: Micros): void {
    const { quota, quotaKey } = next.line;
    if (quota === undefined) return this.#write(next, now);
    const admission = this.#kinds.admit(quotaKey, quota, next, now);
    if (admission.passed !== undefined) this.#write(admission.passed, now);
    else this.#wake(admission.until, now);
  }

  #write({ line, at, leftOut, leftOutSince }: PendingLine<LogLine>, now: Micros): void {
    const { level, event, message, fields, instance } = line;
    const log = instance === undefined ? this.#log : this.#log.forInstance(instance);
    const late = since(now, at);
    const parts = [message];
    if (leftOut > 0) {
      const seconds = Math.ceil(toSeconds(since(now, leftOutSince)));
      const verb = leftOut === 1 ? 'was' : 'were';
      parts.push(`${leftOut} more of this kind ${verb} left out within ${seconds} s`);
    }
    if (late >= LATE) parts.push(`it happened ${Math.round(toSeconds(late))} s ago`);
    log[level](event, parts.join('; '), {
      ...fields,
      ...(leftOut > 0 ? { repeats: leftOut } : {}),
      ...(late >= LATE ? { toldAfterMs: Math.round(toMillis(late)) } : {}),
    });
  }

  #wake(at: Micros, now: Micros): void {
    if (this.#wakeAt !== undefined && this.#wakeAt <= at) return;
    this.#cancelTimer?.();
    this.#wakeAt = at;
    const delayMs = Math.max(0, Math.ceil(toMillis(since(at, now))));
    this.#cancelTimer = this.#startTimer(delayMs, () => this.#woken());
  }

  #woken(): void {
    const now = this.#now();
    this.#wakeAt = undefined;
    for (const next of this.#repeats.due(now)) this.#pass(next, now);
    for (const next of this.#kinds.due(now)) {
      const { once } = next.line;
      if (once !== undefined && this.#repeats.hasRoom(once.key, now)) {
        this.#repeats.admit(once.key, quotaOf(once), next, now);
      }
      this.#write(next, now);
    }
    for (const at of [this.#repeats.dueAt(), this.#kinds.dueAt()]) {
      if (at !== undefined) this.#wake(at, now);
    }
  }

  #logAll(): void {
    this.#cancelTimer?.();
    this.#wakeAt = undefined;
    const now = this.#now();
    for (const next of [...this.#repeats.takeAll(), ...this.#kinds.takeAll()]) {
      this.#write(next, now);
    }
  }
}

function quotaOf({ period }: NonNullable<LogLine['once']>): Quota {
  return { burst: 1, refill: period };
}

function endsLog(event: DomainEvent): boolean {
  return event.event === 'daemon-stopped' || (event.event === 'daemon-failed' && event.fatal);
}
