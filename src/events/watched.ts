// A line that watchers of the events get: an event as it is sent, or a gap where some are missing.
import type { DomainEvent } from './events.ts';

/** The version of the lines; raised when a field changes its meaning or goes. */
export const EVENT_SCHEMA = 1;

/** A line that only watchers get: so many events are missing at this place. */
export interface Gap {
  readonly event: 'gap';
  readonly lost: number;
}

/** A line as it is sent. */
export type WatchedEvent = { readonly schema: number; readonly time: string } & (DomainEvent | Gap);
