// A process that stood still finds adverts that waited for it, and a silence that proves little.
import { fromMillis, micros, plus, type Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { Deadlines } from './deadlines.ts';

/** Shorter stalls are those of a busy host, which others do not share. */
const SHARED_STALL_MIN = fromMillis(500);

/** Sets the deadline of a backup for its master by what is heard, and by what waited. */
export class CatchingUp {
  readonly #deadlines: Deadlines;
  #lateBy: Micros | undefined;
  #left: Ipv4 | undefined;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /** What is heard now waited while the process stood still. */
  get on(): boolean {
    return this.#lateBy !== undefined;
  }

  /** Whose bow-out waited with nothing behind it. */
  get left(): Ipv4 | undefined {
    return this.#left;
  }

  /**
   * It begins, or with undefined it ends. A long stall may have been the master's as well, as where
   * the machine below both stood still: it has until `fairAt` to say that it runs again.
   */
  update(lateBy: Micros | undefined, fairAt: Micros): void {
    const wasShared = this.#lateBy !== undefined && this.#lateBy >= SHARED_STALL_MIN;
    this.#lateBy = lateBy;
    if (lateBy === undefined && wasShared) this.unheard(fairAt);
  }

  /** No silence of its master counts before `fairAt`; a farewell that was heard does. */
  unheard(fairAt: Micros): void {
    if (this.#left !== undefined) return;
    const dueAt = this.#deadlines.get('masterDown');
    if (dueAt !== undefined && dueAt < fairAt) this.#deadlines.set('masterDown', fairAt);
  }

  /** The dead interval is another one from now on; a farewell that was heard needs none. */
  patienceChanged(before: Micros, after: Micros, now: Micros): void {
    const dueAt = this.#deadlines.get('masterDown');
    if (dueAt === undefined || this.#left !== undefined) return;
    this.#deadlines.set('masterDown', silenceOver(dueAt, before, after, now));
  }

  /** A backup waits for its master until then; `left` is one that has just said that it leaves. */
  waitFor(left: Ipv4 | undefined, dueAt: Micros): void {
    this.#left = left;
    this.#deadlines.set('masterDown', dueAt);
  }
}

/**
 * When the silence of a master is over that was to be over at `dueAt`, where the dead interval was
 * `before` and is `after`. A longer one is waited for from the same moment. A shorter one counts
 * from now: the master may have the old pace still, since no two nodes are reloaded at once. It
 * ends no later than it was to end.
 */
function silenceOver(dueAt: Micros, before: Micros, after: Micros, now: Micros): Micros {
  if (after >= before) return plus(dueAt, micros(after - before));
  return micros(Math.min(dueAt, plus(now, after)));
}
