// Everything that happens in carpd, as plain data: what `carpd watch`, the log and the metrics are
// made of. The types follow from the records of the catalogues. Every key is always there, null
// stands for "none", addresses are text, so that an event is its own JSON.
import type { EventDefinition, EventScope, Identities, ValuesOf } from './catalogue/define.ts';
import { DAEMON_EVENTS } from './catalogue/daemon.ts';
import { INSTANCE_EVENTS } from './catalogue/instance.ts';
import { LINK_EVENTS } from './catalogue/link.ts';

/** The record of every event there is. */
export const EVENTS = { ...INSTANCE_EVENTS, ...LINK_EVENTS, ...DAEMON_EVENTS };

type Events = typeof EVENTS;

export type EventName = keyof Events;

/** The names of the events of a scope. */
type NamesOf<Scope extends EventScope> = {
  readonly [Name in EventName]: Events[Name]['scope'] extends Scope ? Name : never;
}[EventName];

/** Events before the identity is added: who publishes them knows nothing of it. */
type EventFieldsMap = {
  readonly [Name in EventName]: { readonly event: Name } & ValuesOf<Events[Name]['fields']>;
};

type EventMap = {
  readonly [Name in EventName]: EventFieldsMap[Name] & Identities[Events[Name]['scope']];
};

/** What an instance tells, before its identity is added. */
export type InstanceEventFields = EventFieldsMap[NamesOf<'instance'>];
/** What an interface tells, before its name is added. */
export type LinkEventFields = EventFieldsMap[NamesOf<'interface'>];
/** What becomes of an order that an operator gives by the control socket. */
export type OrderEventFields = EventFieldsMap['handover' | 'maintenance'];

/** One thing that happened. */
export type DomainEvent = EventMap[EventName];

/** The events of these names. */
export type EventOf<Name extends EventName> = EventMap[Name];

/** The names of all events. */
export const EVENT_NAMES: readonly EventName[] = Object.keys(EVENTS).filter(isEventName);

const DEFINITIONS: { readonly [Name in EventName]: EventDefinition<EventOf<Name>> } = EVENTS;

/** How the events of this name are worded, logged and counted. */
export function definitionOf<Name extends EventName>(name: Name): EventDefinition<EventOf<Name>> {
  return DEFINITIONS[name];
}

/** Whether this version knows an event of this name. */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}
