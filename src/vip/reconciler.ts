// Keeps one virtual IP as the election wants it: on its interface or off it. One attempt at a time,
// the newest wish wins, and nothing is reported that the interface itself does not show.
import { fromSeconds, since, type Micros } from '../base/time.ts';
import { unreachable } from '../base/assert.ts';
import {
  AddressWriter,
  type Attempt,
  type WriterNotice,
  type WriterOptions,
} from './address-writer.ts';
import type { VipFault } from './ip-outcome.ts';
import type { Clock } from './ports.ts';

/** What the election wants; `term` only comes back with the outcome. */
export interface VipWish {
  readonly term: number;
  readonly present: boolean;
}

/**
 * What became of a wish; each has exactly one outcome, never from within `want`. `superseded`: a
 * newer wish came first, and the address is not known to be as this one wanted it.
 */
export type VipOutcome =
  | { readonly kind: 'claimed'; readonly term: number }
  | { readonly kind: 'claim-failed'; readonly term: number; readonly fault: VipFault }
  | { readonly kind: 'released'; readonly term: number }
  | { readonly kind: 'release-failed'; readonly term: number; readonly fault: VipFault }
  | { readonly kind: 'superseded'; readonly term: number; readonly present: boolean };

/** What cleaning at the start found: an address that an earlier run left (`removed`), or none. */
export type StaleOutcome =
  | { readonly kind: 'absent' }
  | { readonly kind: 'removed' }
  | { readonly kind: 'failed'; readonly fault: VipFault }
  | { readonly kind: 'superseded' };

/**
 * What happens beside the outcomes. `restored`: the claimed address had been removed by somebody,
 * is back, and wants announcing. `lost`: it was removed and can't be put back so far, or is removed
 * again and again; which goes on being tried. `released-late`: a release that was reported as
 * failed has worked in the end.
 */
export type VipNotice =
  | WriterNotice
  | { readonly kind: 'restored'; readonly term: number }
  | { readonly kind: 'lost'; readonly term: number; readonly fault: VipFault }
  | { readonly kind: 'released-late'; readonly term: number };

export interface ReconcilerOptions extends Omit<WriterOptions, 'onNotice'> {
  readonly clock: Clock;
  readonly onOutcome: (outcome: VipOutcome) => void;
  readonly onNotice: (notice: VipNotice) => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 10_000;
/** An address lost again within this time is put back with growing delay: somebody insists. */
const CALM = fromSeconds(30);
/** So many losses without a calm time between them, and the address counts as not to be kept. */
const LOSSES_MAX = 5;

/**
 * Where a wish stands. `pending`: no outcome yet. `settled`: as it was wished. `failed`: a claim
 * that is given up. `retrying`: a release that is not. `restoring`: claimed, but lost since.
 */
type Phase = 'pending' | 'settled' | 'failed' | 'retrying' | 'restoring';

interface Task extends VipWish {
  phase: Phase;
  /** How often in a row it had to wait; what the next delay grows with. */
  delays: number;
  /** How often it was lost without a calm time between. */
  losses: number;
  /** Whether the present loss was told. */
  lossTold: boolean;
  readonly report: (attempt: Attempt) => void;
}

/** The reconciler of one virtual IP; see the head of this file. */
export class VipReconciler {
  readonly #options: ReconcilerOptions;
  readonly #writer: AddressWriter;
  readonly #unsubscribe: () => void;
  #task: Task | undefined;
  /** Wishes without an outcome for which a newer one came, oldest first. */
  #overtaken: Task[] = [];
  #flying = false;
  #closed = false;
  #restoredAt: Micros | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#writer = new AddressWriter(options);
    this.#unsubscribe = options.addresses.onChanged(() => {
      this.#addressesChanged();
    });
  }

  /**
   * Makes this the wish that counts. A failed release is tried again until it works; a failed claim
   * is not, and may have half worked, so the caller wishes the address away.
   */
  want(wish: VipWish): void {
    this.#accept(wish, (attempt) => {
      this.#options.onOutcome(outcomeOf(wish, attempt));
    });
  }

  /** Takes off an address that an earlier run has left on the interface; a wish like any other. */
  releaseStale(): Promise<StaleOutcome> {
    return new Promise((resolve) => {
      const wasThere = this.#writer.seesAddress();
      this.#accept({ term: 0, present: false }, (attempt) => {
        resolve(staleOutcomeOf(wasThere, attempt));
      });
    });
  }

  /**
   * Ends retrying and watching, and leaves the address as it is: wish it away first and await the
   * outcome. Wishes that have none yet end as superseded.
   */
  close(): void {
    this.#closed = true;
    this.#stopRetry();
    this.#unsubscribe();
    this.#writer.wake();
  }

  #accept(wish: VipWish, report: Task['report']): void {
    if (this.#task?.phase === 'pending') this.#overtaken.push(this.#task);
    this.#task = { ...wish, phase: 'pending', delays: 0, losses: 0, lossTold: false, report };
    this.#takeOff();
    this.#writer.wake();
  }

  #takeOff(): void {
    this.#stopRetry();
    if (this.#flying) return;
    this.#flying = true;
    void this.#fly();
  }

  /** Attempts wishes until the newest one has been attempted. */
  async #fly(): Promise<void> {
    // Whoever made the wish must not get its outcome before `want` has returned.
    await Promise.resolve();
    for (let task = this.#task; task !== undefined; task = this.#task) {
      const attempted = task;
      const isCurrent = (): boolean => this.#task === attempted && !this.#closed;
      const attempt = await this.#writer.attempt(attempted.present, isCurrent);
      this.#reportOvertaken(attempted, attempt);
      if (isCurrent()) {
        this.#flying = false;
        this.#conclude(attempted, attempt);
        // A change while the last steps ran has only woken the attempt.
        this.#restoreIfLost();
        return;
      }
      if (this.#closed) break;
    }
    this.#flying = false;
    if (this.#task?.phase === 'pending') this.#task.report({ kind: 'interrupted' });
  }

  /** A release that was reached all the same is told as one: the address is really off. */
  #reportOvertaken(attempted: Task, attempt: Attempt): void {
    for (const task of this.#overtaken.splice(0)) {
      const released = task === attempted && !task.present && attempt.kind === 'reached';
      task.report(released ? attempt : { kind: 'interrupted' });
    }
  }

  #conclude(task: Task, attempt: Attempt): void {
    const reached = attempt.kind === 'reached';
    const { phase } = task;
    switch (phase) {
      case 'pending':
        task.phase = reached ? 'settled' : task.present ? 'failed' : 'retrying';
        if (task.phase === 'retrying') this.#retryLater(task);
        task.report(attempt);
        break;
      case 'retrying':
        if (reached) this.#settle(task, { kind: 'released-late', term: task.term });
        else this.#retryLater(task);
        break;
      case 'restoring':
        this.#concludeRestoring(task, attempt);
        break;
      case 'settled':
      case 'failed':
        break;
      default:
        unreachable(phase);
    }
  }

  #concludeRestoring(task: Task, attempt: Attempt): void {
    if (attempt.kind === 'reached') {
      this.#restoredAt = this.#options.clock();
      this.#settle(task, { kind: 'restored', term: task.term });
      return;
    }
    this.#retryLater(task);
    if (attempt.kind === 'fault') this.#tellLoss(task, attempt.fault);
  }

  #settle(task: Task, notice: VipNotice): void {
    task.phase = 'settled';
    this.#options.onNotice(notice);
  }

  #addressesChanged(): void {
    if (this.#flying) {
      this.#writer.wake();
      return;
    }
    const task = this.#task;
    if (task === undefined) return;
    const trying = task.phase === 'retrying' || task.phase === 'restoring';
    if (trying && this.#writer.seesAddress() === task.present) this.#takeOff();
    else this.#restoreIfLost();
  }

  /** Puts a claimed address back that somebody has removed. */
  #restoreIfLost(): void {
    const task = this.#task;
    if (task?.phase !== 'settled' || !task.present || this.#writer.seesAddress()) return;
    task.phase = 'restoring';
    task.lossTold = false;
    const last = this.#restoredAt;
    const insisting = last !== undefined && since(this.#options.clock(), last) < CALM;
    task.losses = insisting ? task.losses + 1 : 1;
    if (task.losses >= LOSSES_MAX) this.#tellLoss(task, keepsVanishing(task.losses));
    if (insisting) {
      this.#retryLater(task);
      return;
    }
    task.delays = 0;
    this.#takeOff();
  }

  #tellLoss(task: Task, fault: VipFault): void {
    if (task.lossTold) return;
    task.lossTold = true;
    this.#options.onNotice({ kind: 'lost', term: task.term, fault });
  }

  #retryLater(task: Task): void {
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** task.delays, RETRY_MAX_MS);
    task.delays += 1;
    this.#stopRetry();
    this.#cancelRetry = this.#options.startTimer(delayMs, () => {
      this.#takeOff();
    });
  }

  #stopRetry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }
}

function keepsVanishing(losses: number): VipFault {
  const detail =
    `somebody has taken it off ${String(losses)} times; find out who else manages the addresses ` +
    'of this interface (a network manager, another failover daemon, an up or down hook)';
  return { reason: 'taken-off', detail };
}

function outcomeOf(wish: VipWish, attempt: Attempt): VipOutcome {
  const { term, present } = wish;
  switch (attempt.kind) {
    case 'reached':
      return { kind: present ? 'claimed' : 'released', term };
    case 'interrupted':
      return { kind: 'superseded', term, present };
    case 'fault':
      return { kind: present ? 'claim-failed' : 'release-failed', term, fault: attempt.fault };
    default:
      return unreachable(attempt);
  }
}

function staleOutcomeOf(wasThere: boolean, attempt: Attempt): StaleOutcome {
  switch (attempt.kind) {
    case 'reached':
      return { kind: wasThere ? 'removed' : 'absent' };
    case 'interrupted':
      return { kind: 'superseded' };
    case 'fault':
      return { kind: 'failed', fault: attempt.fault };
    default:
      return unreachable(attempt);
  }
}
