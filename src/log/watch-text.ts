// A line of `carpd watch --text`: when, who, and what, in the words of the log. Pure.
import type { WatchedEvent } from '../events/watched.ts';
import { counted, plainText } from '../base/text.ts';
import { isEventName } from '../events/events.ts';
import { wordsOf } from './log-line.ts';

/** Said in a place of its own, or to machines only. */
const SHOWN_APART = new Set(['schema', 'time', 'event', 'name', 'interface', 'vhid', 'vip']);

/** The line without its line feed; `clock` says how a time in ISO 8601 is shown. */
export function watchText(event: WatchedEvent, clock = (iso: string): string => iso): string {
  const who = 'name' in event ? event.name : 'interface' in event ? event.interface : 'carpd';
  const text = textOf(event);
  // The log names no interface beside its lines, so that some of them begin with it.
  const said = text.startsWith(`${who}: `) ? text : `${who}: ${text}`;
  return plainText(`${clock(event.time)} ${said}`);
}

function textOf(event: WatchedEvent): string {
  if (event.event === 'gap') {
    return `this reader was too slow: ${counted(event.lost, 'event')} lost here`;
  }
  // A newer daemon knows events that this version does not: those show their fields.
  return isEventName(event.event) ? wordsOf(event) : fieldsOf(event);
}

function fieldsOf(event: WatchedEvent): string {
  const fields = Object.entries(event).filter(([key]) => !SHOWN_APART.has(key));
  return [event.event, ...fields.map(([key, value]) => `${key}=${plainText(value)}`)].join(' ');
}
