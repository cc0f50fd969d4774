// What is said of an event in the documentation; the types in events.ts hold its fields right.
import type { EventName, EventOf, InstanceIdentity } from './events.ts';

/** Whose the event is: an instance, an interface, or the daemon as a whole. */
export type EventScope = 'instance' | 'interface' | 'daemon';

type FieldsOf<Name extends EventName> = Exclude<
  keyof EventOf<Name>,
  'event' | ScopeKeys<EventOf<Name>>
>;

/** What every event of the scope bears. */
type ScopeKeys<Event> = Event extends InstanceIdentity ? keyof InstanceIdentity : 'interface';

interface Entry<Name extends EventName> {
  readonly scope: EventScope;
  /** What it tells, as the documentation has it. */
  readonly tells: string;
  /** Its own fields, each with what it holds. */
  readonly fields: Readonly<Record<FieldsOf<Name>, string>>;
  /** So many of them that nobody watches them unasked. */
  readonly frequent?: true;
}

/** An entry for each of the events. */
export type EventList<Name extends EventName> = { readonly [One in Name]: Entry<One> };
