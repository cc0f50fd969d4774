// A line of `carpd watch --text`: when, who, and what, in the words of the log. Pure.
import type { WatchedEvent } from '../events/watched.ts';
import { instanceLine } from './instance-lines.ts';
import { daemonLine, linkLine } from './link-lines.ts';
import { plainText } from '../base/text.ts';

/** Said in a place of its own, or to machines only. */
const SHOWN_APART = new Set(['schema', 'time', 'event', 'name', 'interface', 'vhid', 'vip']);

/** The line without its line feed; an event that has no words of its own shows its fields. */
export function watchText(event: WatchedEvent): string {
  const who = 'name' in event ? event.name : 'interface' in event ? event.interface : 'carpd';
  return plainText(`${event.time} ${who}: ${wordsOf(event) ?? fieldsOf(event)}`);
}

function wordsOf(event: WatchedEvent): string | undefined {
  if (event.event === 'gap') {
    return `${event.lost} event(s) are missing here: they were not taken in time`;
  }
  // Packets that were not believed have their words in the log only, which leaves most of them out.
  if (event.event === 'advert-rejected') return undefined;
  try {
    if ('name' in event) return instanceLine(event)?.message;
    return ('interface' in event ? linkLine(event) : daemonLine(event))?.message;
  } catch {
    // An event that a newer daemon knows and this version does not.
    return undefined;
  }
}

function fieldsOf(event: WatchedEvent): string {
  const fields = Object.entries(event).filter(([key]) => !SHOWN_APART.has(key));
  return [event.event, ...fields.map(([key, value]) => `${key}=${plainText(value)}`)].join(' ');
}
