// Every event there is, for the documentation and for whoever wants all of them.
import type { EventList } from './entry.ts';
import type { EventName } from './events.ts';
import { INSTANCE_EVENTS } from './instance-catalogue.ts';
import { DAEMON_EVENTS, LINK_EVENTS } from './link-catalogue.ts';

/** What instances, interfaces and the daemon tell. */
export const EVENTS: EventList<EventName> = {
  ...INSTANCE_EVENTS,
  ...LINK_EVENTS,
  ...DAEMON_EVENTS,
};

/** The names of all events. */
export const EVENT_NAMES: readonly EventName[] = Object.keys(EVENTS).filter(isEventName);

function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}
