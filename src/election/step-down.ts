// A master that leaves in good order: why it does, and until when.
// The adverts go on until the address is off, so that nobody else takes it before.
import { invariant } from '../base/assert.ts';
import { fromSeconds, plus, type Micros } from '../base/time.ts';
import { advertInterval, type Cadence } from './cadence.ts';
import type { DeadlineName, Deadlines } from './deadlines.ts';
import type { Cause } from './effects.ts';

/** An address that can't be taken off is tried so long before the node goes on without that. */
const PATIENCE = fromSeconds(10);

/** What a master may do without for a moment: such a blink costs its clients nothing. */
const LOSSES = {
  carrier: { grace: 'carrierGrace', cause: 'carrier-lost' },
  source: { grace: 'sourceGrace', cause: 'no-source-address' },
} as const satisfies Record<string, { readonly grace: DeadlineName; readonly cause: Cause }>;

type Lost = keyof typeof LOSSES;

const LOSS_CAUSES: ReadonlySet<Cause> = new Set(Object.values(LOSSES).map(({ cause }) => cause));

/** Orders that can be given again: where the address can't go, nobody is harmed by a refusal. */
const VOLUNTARY: ReadonlySet<Cause> = new Set(['handover', 'maintenance']);

/**
 * What to do about an address that can't be taken off. `leave`: bow out all the same, since the
 * node can't stay master. `stay`: go on as master, since a bow-out now would make two holders.
 */
export type StuckVerdict = 'leave' | 'stay';

/** The step down of one instance, over all its terms as master. */
export class StepDown {
  readonly #cadence: Cadence;
  readonly #deadlines: Deadlines;
  #cause: Cause | undefined;
  /** Set with the cause. */
  #begunAt: Micros | undefined;
  /** It can't stay master, whatever becomes of the address. */
  #forced = false;
  /** What it has lost since somebody asked it to leave: it can't stay while that is away. */
  readonly #lost = new Set<Cause>();
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

  /** A master begins to leave; the first cause counts. */
  begin(cause: Cause, now: Micros): void {
    this.#cause ??= cause;
    this.#begunAt ??= now;
    if (VOLUNTARY.has(cause)) return;
    if (VOLUNTARY.has(this.#cause) && LOSS_CAUSES.has(cause)) this.#lost.add(cause);
    else this.#forced = true;
  }

  get #mustLeave(): boolean {
    return this.#forced || this.#lost.size > 0;
  }

  /**
   * The instance ends, and that counts before every other cause. `mayStay`: only a reload wants it,
   * so that a master whose address can't be taken off goes on instead.
   */
  stop(isMaster: boolean, mayStay: boolean, now: Micros): void {
    this.#stopping = true;
    if (!isMaster) return;
    this.#cause = 'stopped';
    this.#begunAt = now;
    if (!mayStay) this.#forced = true;
    if (this.#deadlines.get('stepDownEnd') !== undefined) this.#waitForAddress();
  }

  /**
   * The address can't be taken off so far, which goes on being tried. Says whether to leave at
   * once: who has to leave does not wait for an address that the interface does not show.
   */
  stuck(shown: boolean): boolean {
    if (this.#mustLeave && !shown) return true;
    this.#waitForAddress();
    return false;
  }

  /** It has been tried for long enough. Where the master stays, it leaves no more from here on. */
  giveUp(): StuckVerdict {
    if (this.#mustLeave) return 'leave';
    this.#cause = undefined;
    this.#begunAt = undefined;
    this.#stopping = false;
    return 'stay';
  }

  /**
   * The node has left, or yielded meanwhile. Returns why it was to leave: however it ended, who was
   * asked to hand over has done so.
   */
  ended(): Cause | undefined {
    const cause = this.#cause;
    this.#cause = undefined;
    this.#begunAt = undefined;
    this.#forced = false;
    this.#lost.clear();
    this.#deadlines.clear('carrierGrace', 'sourceGrace', 'stepDownEnd');
    return cause;
  }

  /**
   * A master has lost its carrier, or its source address. Nobody can have taken over within one
   * interval, unless two missed adverts are enough. That is the configured interval: the one of a
   * demoted node is longer, the peers' patience is not.
   */
  lost(what: Lost, now: Micros): void {
    const { grace, cause } = LOSSES[what];
    if (this.#deadlines.get(grace) !== undefined) return;
    if (this.#cadence.deadRatio <= 2) return this.begin(cause, now);
    this.#deadlines.set(grace, plus(now, advertInterval(this.#cadence)));
  }

  /** It has it again. */
  back(what: Lost): void {
    const { grace, cause } = LOSSES[what];
    this.#deadlines.clear(grace);
    this.#lost.delete(cause);
  }

  /** Why it has to leave, since what it had lost did not come back in time; undefined: nothing. */
  takeLoss(now: Micros): Cause | undefined {
    const over = Object.values(LOSSES).filter(
      ({ grace }) => this.#deadlines.take(grace, now) !== undefined,
    );
    return over[0]?.cause;
  }

  #waitForAddress(): void {
    invariant(this.#begunAt !== undefined, 'a step down is under way');
    // One that is past is due at once.
    this.#deadlines.set('stepDownEnd', plus(this.#begunAt, PATIENCE));
  }
}
