// A process that stood still finds adverts that waited for it, and a silence that proves little.
import { fromMillis, type Micros } from '../base/time.ts';
import type { Ipv4 } from '../carp/addresses.ts';
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

  /** A backup waits for its master until then; `left` is one that has just said that it leaves. */
  waitFor(left: Ipv4 | undefined, dueAt: Micros): void {
    this.#left = left;
    this.#deadlines.set('masterDown', dueAt);
  }
}
