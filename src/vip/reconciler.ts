// Keeps one virtual IP as the election wants it: on its interface or off it. The newest wish wins,
// and nothing is reported that the interface itself does not show. The keeper of the interface
// carries it out, with all others that are due.
import { fromMillis, fromSeconds, since, toMillis, type Micros } from '../base/time.ts';
import { unreachable } from '../base/assert.ts';
import type { VipFault } from './ip-outcome.ts';
import type { AddressKeeper, Attempt, Errand, KeeperNotice, Ward } from './keeper.ts';
import type { Vip } from './plan.ts';
import type { Clock, StartTimer } from './ports.ts';
import {
  outcomeOf,
  staleOutcomeOf,
  type StaleOutcome,
  type VipNotice,
  type VipOutcome,
  type VipWish,
} from './vip-outcome.ts';

export interface ReconcilerOptions {
  readonly vip: Vip;
  readonly keeper: AddressKeeper;
  readonly startTimer: StartTimer;
  readonly clock: Clock;
  /**
   * Whether another node may take the address over if this one gives it up. Where none can, an
   * address that is removed again and again is put back at once every time.
   */
  readonly mayAnotherServe: () => boolean;
  readonly onOutcome: (outcome: VipOutcome) => void;
  readonly onNotice: (notice: VipNotice) => void;
}

const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 10_000;
/** An address lost again within this time is put back with growing delay: somebody insists. */
const CALM = fromSeconds(30);
/** So many losses without a calm time between them, and the address counts as not to be kept. */
const LOSSES_MAX = 5;
/** Against somebody who insists with all the speed of a machine; no client notices it. */
const PAUSE = fromMillis(100);

/**
 * Where a wish stands. `pending`: no outcome yet. `settled`: as it was wished. `failed`: a claim
 * that is given up. `retrying`: a release that is not. `restoring`: claimed, but lost since.
 * `removing`: not wanted, but put there by somebody.
 */
type Phase = 'pending' | 'settled' | 'failed' | 'retrying' | 'restoring' | 'removing';

interface Task extends VipWish {
  phase: Phase;
  /** It is time for an attempt. */
  due: boolean;
  /** How often in a row it had to wait; what the next delay grows with. */
  delays: number;
  /** How often it was lost without a calm time between. */
  losses: number;
  /** Whether the present loss, or the present failure to remove it, was reported. */
  reported: boolean;
  /** Lost by our own doing, so that nobody need hear of it. */
  quiet: boolean;
  /** Whether the interface showed it when it was looked at last. */
  shown: boolean;
  /** The index of the interface when it was looked at last; undefined: it was not there. */
  ifindex: number | undefined;
  /** The address was lost with its interface, so that nobody has taken it off. */
  wentAlong: boolean;
  readonly report: (attempt: Attempt) => void;
}

/** Brings one virtual IP to what was wished last, and keeps it so. */
export class VipReconciler implements Ward {
  readonly #options: ReconcilerOptions;
  #task: Task | undefined;
  /** The task of the attempt that is under way. */
  #attempted: Task | undefined;
  /** Wishes without an outcome for which a newer one came, oldest first. */
  #overtaken: Task[] = [];
  #closed = false;
  /** When it was last put right after somebody had meddled with it. */
  #mendedAt: Micros | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    options.keeper.add(this);
  }

  get vip(): Vip {
    return this.#options.vip;
  }

  get wanted(): boolean | undefined {
    return this.#task?.present;
  }

  /** Whether the interface shows the address now. */
  get isShown(): boolean {
    return this.#options.keeper.shows(this.vip);
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
      const wasThere = this.isShown;
      const removing = this.#attempted?.phase === 'removing' ? this.#attempted : undefined;
      this.#accept({ term: 0, present: false }, (attempt) => {
        // What was taken off by then was reported already.
        resolve(staleOutcomeOf(wasThere && removing?.phase !== 'settled', attempt));
      });
    });
  }

  /**
   * Ends retrying and watching, and leaves the address as it is: wish it away first and await the
   * outcome. Wishes that have none yet end as superseded.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopRetry();
    this.#options.keeper.remove(this);
    if (this.#attempted === undefined) void Promise.resolve().then(() => this.#endUnattempted());
  }

  // ---- what the keeper calls ----

  errand(): Errand | undefined {
    const task = this.#task;
    if (task?.due !== true || this.#closed) return undefined;
    task.due = false;
    this.#attempted = task;
    const isWanted = (): boolean => this.#task === task && !this.#closed;
    return {
      present: task.present,
      isWanted,
      end: (attempt) => {
        this.#attempted = undefined;
        this.#reportOvertaken(task, attempt);
        if (isWanted()) return this.#conclude(task, attempt);
        if (this.#closed) return this.#endUnattempted();
        // A newer wish does not make it unsaid that somebody had put the address there.
        const removed = task.phase === 'removing' && attempt.kind === 'reached';
        if (removed) this.#concludeMending(task, attempt);
      },
    };
  }

  look(shown: boolean, byUs: boolean): void {
    const task = this.#task;
    if (task === undefined || task.due || this.#closed) return;
    const isOther = this.#isOther(task);
    task.ifindex = this.#options.keeper.ifindex;
    switch (task.phase) {
      case 'retrying':
      case 'restoring':
      case 'removing':
        task.wentAlong ||= isOther;
        // Only the change is news: while `ip` fails, any event would run it once more at once.
        if (isOther || (shown === task.present && shown !== task.shown)) this.#attemptNow(task);
        task.shown = shown;
        return;
      case 'settled':
        task.wentAlong = isOther;
        if (shown !== task.present) this.#mend(task, byUs);
        return;
      case 'pending':
      case 'failed':
        return;
      default:
        unreachable(task.phase);
    }
  }

  notice(notice: KeeperNotice): void {
    this.#options.onNotice(notice);
  }

  // ---- wishes ----

  #accept(wish: VipWish, report: Task['report']): void {
    if (this.#task?.phase === 'pending') this.#overtaken.push(this.#task);
    const fresh = { due: true, delays: 0, losses: 0, reported: false, quiet: false, shown: false };
    const where = { ifindex: this.#options.keeper.ifindex, wentAlong: false };
    this.#task = { ...wish, ...fresh, ...where, phase: 'pending', report };
    this.#stopRetry();
    if (this.#closed) void Promise.resolve().then(() => this.#endUnattempted());
    else this.#options.keeper.wake();
  }

  /** A release that was reached all the same is reported as one: the address is really off. */
  #reportOvertaken(attempted: Task, attempt: Attempt): void {
    for (const task of this.#overtaken.splice(0)) {
      const released = task === attempted && !task.present && attempt.kind === 'reached';
      task.report(released ? attempt : { kind: 'interrupted' });
    }
  }

  #endUnattempted(): void {
    const pending = this.#task?.phase === 'pending' ? [this.#task] : [];
    this.#task = undefined;
    for (const task of [...this.#overtaken.splice(0), ...pending]) {
      task.report({ kind: 'interrupted' });
    }
  }

  #conclude(task: Task, attempt: Attempt): void {
    const reached = attempt.kind === 'reached';
    const { phase } = task;
    switch (phase) {
      case 'pending':
        task.phase = reached ? 'settled' : task.present ? 'failed' : 'retrying';
        if (task.phase === 'retrying') this.#retryLater(task);
        return task.report(attempt);
      case 'retrying':
        if (!reached) return this.#retryLater(task);
        return this.#settle(task, { kind: 'released-late', term: task.term });
      case 'restoring':
      case 'removing':
        return this.#concludeMending(task, attempt);
      case 'settled':
      case 'failed':
        return;
      default:
        unreachable(phase);
    }
  }

  #concludeMending(task: Task, attempt: Attempt): void {
    // The kernel tells of the address before it tells of the interface that went with it.
    if (task.present && this.#isOther(task)) task.wentAlong = true;
    if (attempt.kind === 'reached') {
      if (task.quiet) {
        task.phase = 'settled';
        return;
      }
      const { term, wentAlong: replaced } = task;
      if (replaced) task.losses = 0;
      else this.#mendedAt = this.#options.clock();
      const back: VipNotice = { kind: 'restored', term, replaced };
      return this.#settle(task, task.present ? back : { kind: 'unwanted', fault: undefined });
    }
    task.quiet = false;
    this.#retryLater(task);
    if (attempt.kind !== 'fault') return;
    // An interface that is gone took the address along: nobody has meddled with it.
    const gone = this.#options.keeper.ifindex === undefined;
    const wasGone = task.wentAlong && attempt.fault.reason === 'interface-missing';
    if (!gone && !wasGone) this.#reportTrouble(task, attempt.fault);
  }

  /** The interface is another one than when it was looked at last, or has gone or come. */
  #isOther({ ifindex }: Task): boolean {
    return this.#options.keeper.ifindex !== ifindex;
  }

  #settle(task: Task, notice: VipNotice): void {
    task.phase = 'settled';
    this.#options.onNotice(notice);
  }

  // ---- others who meddle ----

  /** Somebody has removed the address that is wanted, or put it where it is not. */
  #mend(task: Task, byUs: boolean): void {
    task.phase = task.present ? 'restoring' : 'removing';
    task.reported = false;
    task.quiet = byUs && task.present;
    if (task.quiet) return this.#attemptNow(task);
    if (!task.present || task.wentAlong || !this.#options.mayAnotherServe()) {
      task.losses = 0;
      task.delays = 0;
      return this.#attemptAfterPause(task);
    }
    const insisting = this.#mendedWithin(CALM);
    task.losses = insisting ? task.losses + 1 : 1;
    if (task.losses >= LOSSES_MAX) this.#reportTrouble(task, keepsVanishing(task.losses));
    if (insisting) return this.#retryLater(task);
    task.delays = 0;
    this.#attemptNow(task);
  }

  #reportTrouble(task: Task, fault: VipFault): void {
    if (task.reported) return;
    task.reported = true;
    const { term } = task;
    const lost: VipNotice = { kind: 'lost', term, fault };
    this.#options.onNotice(task.present ? lost : { kind: 'unwanted', fault });
  }

  #mendedWithin(period: Micros): boolean {
    const last = this.#mendedAt;
    return last !== undefined && since(this.#options.clock(), last) < period;
  }

  // ---- when ----

  #attemptNow(task: Task): void {
    this.#stopRetry();
    task.due = true;
    this.#options.keeper.wake();
  }

  #attemptAfterPause(task: Task): void {
    if (this.#mendedWithin(PAUSE)) this.#attemptLater(task, toMillis(PAUSE));
    else this.#attemptNow(task);
  }

  #retryLater(task: Task): void {
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** task.delays, RETRY_MAX_MS);
    task.delays += 1;
    this.#attemptLater(task, delayMs);
  }

  #attemptLater(task: Task, delayMs: number): void {
    this.#stopRetry();
    task.shown = this.isShown;
    this.#cancelRetry = this.#options.startTimer(delayMs, () => this.#attemptNow(task));
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
