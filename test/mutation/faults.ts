// All deliberate faults: each must be found by a world of the swarm or by a test.
import { ADDRESS_FAULTS } from './addresses.ts';
import { ELECTION_FAULTS } from './elections.ts';
import type { Fault } from './fault.ts';
import { LINK_FAULTS } from './links.ts';
import { WIRING_FAULTS } from './wiring.ts';

export const FAULTS: readonly Fault[] = [
  ...ADDRESS_FAULTS,
  ...ELECTION_FAULTS,
  ...LINK_FAULTS,
  ...WIRING_FAULTS,
];
