// A line of `carpd watch --text`: when, who, and what, in the words of the log. Pure.
import type { WatchedEvent } from '../events/watched.ts';
import { plainText } from '../base/text.ts';
import { isEventName } from '../events/events.ts';
import { wordsOf } from './log-line.ts';

/** Said in a place of its own, or to machines only. */
const SHOWN_APART = new Set(['schema', 'time', 'event', 'name', 'interface', 'vhid', 'vip']);

/** The line without its line feed. */
export function watchText(event: WatchedEvent): string {
  const who = 'name' in event ? event.name : 'interface' in event ? event.interface : 'carpd';
  return plainText(`${event.time} ${who}: ${textOf(event)}`);
}

function textOf(event: WatchedEvent): string {
  if (event.event === 'gap') {
    return `${event.lost} event(s) are missing here: they were not taken in time`;
  }
  // A newer daemon knows events that this version does not: those show their fields.
  return isEventName(event.event) ? wordsOf(event) : fieldsOf(event);
}

function fieldsOf(event: WatchedEvent): string {
  const fields = Object.entries(event).filter(([key]) => !SHOWN_APART.has(key));
  return [event.event, ...fields.map(([key, value]) => `${key}=${plainText(value)}`)].join(' ');
}
