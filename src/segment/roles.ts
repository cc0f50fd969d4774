// What the state of an instance means to the readiness of its link.
import type { State } from '../election/effects.ts';
import type { Role } from '../readiness/inputs.ts';

export const ROLES = {
  INIT: 'inactive',
  HELD: 'waiting',
  BACKUP: 'waiting',
  MASTER: 'master',
} as const satisfies Record<State, Role>;
