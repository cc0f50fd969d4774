// Every way an interface can fail an instance, in one place for all tests.
import type { InterfaceFault } from '../../src/election/inputs.ts';

/** Complete by its type: a fault that is added to the union and not here is a compile error. */
const ALL = {
  'interface-missing': true,
  'not-ethernet': true,
  'interface-down': true,
  'no-source-address': true,
  'group-held': true,
  'no-socket': true,
} as const satisfies Record<InterfaceFault, true>;

/** Whether a word names an interface fault. */
export function isInterfaceFault(word: string): word is InterfaceFault {
  return Object.hasOwn(ALL, word);
}

export const INTERFACE_FAULTS: readonly InterfaceFault[] =
  Object.keys(ALL).filter(isInterfaceFault);
