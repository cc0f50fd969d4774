// A line of the log before it is written: what an event comes to by its record. Pure.
import { fromSeconds, type Micros } from '../base/time.ts';
import { definitionOf, type DomainEvent, type EventName, type EventOf } from '../events/events.ts';
import type { EventDefinition, LogLevel, Quota } from '../events/catalogue/define.ts';
import type { LogFields } from './log.ts';

/** For every event whose record has no other, those of later versions included. */
export const DEFAULT_QUOTA: Quota = { burst: 10, refill: fromSeconds(20) };

export interface LogLine {
  readonly level: LogLevel;
  readonly event: EventName;
  /** A sentence for people. */
  readonly message: string;
  readonly fields: LogFields;
  /** Undefined: it is not about one instance. */
  readonly instance: string | undefined;
  /** What shares a quota: the kind of the line, and whose it is. */
  readonly quotaKey: string;
  /** Undefined: it is written in any case. */
  readonly quota: Quota | undefined;
  /** Lines with this key are written once in the period, besides the quota. */
  readonly once: { readonly key: string; readonly period: Micros } | undefined;
}

/** Whether an event of this name may ever have a line. */
export function isLogged(name: EventName): boolean {
  const { level, placed } = definitionOf(name);
  return level !== 'unlogged' && placed !== true;
}

/** The line for an event; undefined: it is not for the log. */
export function lineOf(event: DomainEvent): LogLine | undefined {
  const { level, ...line } = readBy(event.event, event);
  if (level === 'unlogged' || definitionOf(event.event).placed === true) return undefined;
  const { owner, instance } = whoseOf(event);
  const { message, kind, once, quota } = line;
  return {
    level,
    event: event.event,
    message,
    fields: fieldsOf(event),
    instance,
    quotaKey: `${event.event} ${kind} ${owner}`,
    // A fatal line is the last one.
    quota: level === 'fatal' ? undefined : quota,
    once: once && { ...once, key: `${event.event} ${owner} ${once.key}` },
  };
}

/** The sentence that an event comes to for people. */
export function wordsOf(event: DomainEvent): string {
  return readBy(event.event, event).message;
}

/** The name stands beside the event, since its type does not tell which of them it is. */
function readBy<Name extends EventName>(name: Name, event: EventOf<Name>) {
  const definition: EventDefinition<EventOf<Name>> = definitionOf(name);
  const { level, text, kind, once, quota = DEFAULT_QUOTA, unlimited } = definition;
  const key = once?.key(event);
  return {
    level: typeof level === 'string' ? level : level.of(event),
    message: text(event),
    kind: kind?.(event) ?? '',
    once:
      once === undefined || key === undefined
        ? undefined
        : { key, period: periodOf(once.period, event) },
    quota: unlimited === true ? undefined : quota,
  };
}

function periodOf<Event>(
  period: Micros | { readonly of: (event: Event) => Micros },
  event: Event,
): Micros {
  return typeof period === 'number' ? period : period.of(event);
}

function whoseOf(event: DomainEvent): { owner: string; instance: string | undefined } {
  if ('name' in event) return { owner: `instance ${event.name}`, instance: event.name };
  const owner = 'interface' in event ? `interface ${event.interface}` : 'daemon';
  return { owner, instance: undefined };
}

/** Said in a place of their own: the name of an instance is the line's `instance`. */
const SAID_APART = new Set(['event', 'name']);

/** What the event bears, without what is none, and without the sentences that the message says. */
function fieldsOf(event: DomainEvent): LogFields {
  const { fields } = definitionOf(event.event);
  const all: readonly (readonly [string, unknown])[] = Object.entries(event);
  return Object.fromEntries(
    all.flatMap(([name, value]) => {
      const type = fields[name]?.type;
      if (SAID_APART.has(name) || type === 'sentence' || type === 'sentences') return [];
      const word = asWords(value);
      return word === undefined ? [] : [[name, word]];
    }),
  );
}

/** A list is written as its words. */
function asWords(value: unknown): LogFields[string] {
  if (Array.isArray(value)) return value.map(String).join(' ');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined;
}
