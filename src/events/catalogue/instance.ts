// Every event of an instance, in the order of the documentation.
import { ADDRESS_EVENTS } from './address.ts';
import { ELECTION_EVENTS } from './election.ts';
import { GATE_EVENTS } from './gate.ts';
import { TRAFFIC_EVENTS } from './traffic.ts';

/** What an instance tells. */
export const INSTANCE_EVENTS = {
  ...ELECTION_EVENTS,
  ...GATE_EVENTS,
  ...ADDRESS_EVENTS,
  ...TRAFFIC_EVENTS,
};
