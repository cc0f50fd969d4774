// Whether a backup may push a healthy master aside that bids less than itself.
import { since, type Micros } from '../base/time.ts';
import { masterDownInterval, type Cadence } from './cadence.ts';

/**
 * Why a node leaves a healthy master alone. handed-over: an operator had it hand over.
 * claim-failed: it could not add the address when it was master last.
 */
type Restraint = 'handed-over' | 'claim-failed';

/** The right of one node to preempt. */
export class Preemption {
  readonly #settings: Cadence & { readonly preempt: boolean };
  readonly #restraints = new Set<Restraint>();

  constructor(settings: Cadence & { readonly preempt: boolean }) {
    this.#settings = settings;
  }

  /** Holds until nobody serves. */
  handedOver(): void {
    this.#restraints.add('handed-over');
  }

  /** The address was added, or could not be. */
  claimed(ok: boolean): void {
    if (ok) this.#restraints.delete('claim-failed');
    else this.#restraints.add('claim-failed');
  }

  /** Nobody serves: whoever can must. */
  masterDown(): void {
    this.#restraints.clear();
  }

  /** `stateSince`: since when the node listens as a backup. */
  isAllowed(stateSince: Micros, now: Micros): boolean {
    if (!this.#settings.preempt || this.#restraints.size > 0) return false;
    return since(now, stateSince) >= masterDownInterval(this.#settings);
  }
}
