// A master that leaves in good order: why it does, and what became of its earlier orders to leave.
// The adverts go on until the address is off, so that nobody else takes it before.
import { plus, type Micros } from '../base/time.ts';
import { advertInterval, type Cadence } from './cadence.ts';
import type { Deadlines } from './deadlines.ts';
import type { Cause } from './effects.ts';

/** The step down of one instance, over all its terms as master. */
export class StepDown {
  readonly #cadence: Cadence;
  readonly #deadlines: Deadlines;
  #cause: Cause | undefined;
  #handedOver = false;
  #stopping = false;

  constructor(cadence: Cadence, deadlines: Deadlines) {
    this.#cadence = cadence;
    this.#deadlines = deadlines;
  }

  /** Why it leaves; undefined: it does not. */
  get cause(): Cause | undefined {
    return this.#cause;
  }

  /** The instance ends; a master of it leaves first. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** An operator had it hand over, so that it does not take the address back by preemption. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  /** A master begins to leave; the first cause counts. */
  begin(cause: Cause): void {
    this.#cause ??= cause;
  }

  /** The instance ends, and that counts before every other cause. */
  stop(isMaster: boolean): void {
    this.#stopping = true;
    if (isMaster) this.#cause = 'stopped';
  }

  /** The node has left, or yielded meanwhile: however it ended, who was asked has handed over. */
  ended(): void {
    if (this.#cause === 'handover') this.#handedOver = true;
    this.#cause = undefined;
    this.#deadlines.clear('carrierGrace');
  }

  /** Nobody serves: an earlier handover binds no longer. */
  forgetHandover(): void {
    this.#handedOver = false;
  }

  /**
   * A master has lost its carrier. Nobody can have taken over within one interval, unless two
   * missed adverts are enough. That is the configured interval: the one of a demoted node is
   * longer, the peers' patience is not.
   */
  carrierLost(now: Micros): void {
    if (this.#deadlines.get('carrierGrace') !== undefined) return;
    if (this.#cadence.deadRatio <= 2) return this.begin('carrier-lost');
    this.#deadlines.set('carrierGrace', plus(now, advertInterval(this.#cadence)));
  }

  carrierBack(): void {
    this.#deadlines.clear('carrierGrace');
  }
}
