// What comes of an order that an operator gives to an instance: handover, maintenance on or off. A
// closed list, so that scripts may go by it.
import type { State } from '../../election/effects.ts';

/** done: as it was asked for. refused: nothing was changed. failed: begun, but not as wanted. */
export type Outcome = 'done' | 'refused' | 'failed';

/** Every reason of an outcome, with what it means. */
export const ORDER_REASONS = {
  'handed-over': { outcome: 'done', meaning: 'it stepped down, and another master was heard' },
  'not-master': { outcome: 'done', meaning: 'it was not master: there was nothing to hand over' },
  'maintenance-on': { outcome: 'done', meaning: 'maintenance is on; it was not master' },
  'maintenance-off': { outcome: 'done', meaning: 'maintenance is off' },
  'no-peer': { outcome: 'refused', meaning: 'no peer answered, so nobody could take over' },
  'not-stored': { outcome: 'refused', meaning: 'the state directory could not be written' },
  'no-successor': { outcome: 'failed', meaning: 'it stepped down, and no other master was heard' },
  'still-master': { outcome: 'failed', meaning: 'the step down was begun and has not ended' },
  'vip-stuck': {
    outcome: 'failed',
    meaning: 'it stays master: the virtual IP could not be removed',
  },
  ended: { outcome: 'failed', meaning: 'the instance was stopped meanwhile' },
} as const satisfies Record<string, { readonly outcome: Outcome; readonly meaning: string }>;

export type OrderReason = keyof typeof ORDER_REASONS;

/** What came of an order for one instance. */
export interface OrderResult {
  readonly name: string;
  readonly outcome: Outcome;
  readonly reason: OrderReason;
  /** A sentence for the operator, with what to do where something is to be done. */
  readonly message: string;
  /** The state of the instance afterwards. */
  readonly state: State;
  /** The master that is heard now. */
  readonly master: string | null;
  /** From the order until another master was heard, where that was waited for. */
  readonly afterMs: number | null;
  /** Whether maintenance is on now. */
  readonly maintenance: boolean;
}
