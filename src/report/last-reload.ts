// What came of the last reload, for as long as an operator may have to know of it.
import { since, toMillis, type Micros } from '../base/time.ts';
import type { ReloadReport } from './report.ts';

/** The last reload of a daemon. */
export class LastReload {
  readonly #now: () => Micros;
  #last: (Omit<ReloadReport, 'agoMs'> & { readonly at: Micros }) | undefined;

  constructor(now: () => Micros) {
    this.#now = now;
  }

  /** The file was applied, but for these reasons not in whole. */
  applied(reasons: readonly string[]): void {
    const outcome = reasons.length === 0 ? 'applied' : 'partly';
    this.#last = { outcome, reasons, at: this.#now() };
  }

  /** The file was refused for these reasons. */
  refused(reasons: readonly string[]): void {
    this.#last = { outcome: 'refused', reasons, at: this.#now() };
  }

  /** Nothing of the file was left out; so it is before the first reload. */
  get isGood(): boolean {
    return this.#last === undefined || this.#last.outcome === 'applied';
  }

  /** Null: there was none. */
  report(): ReloadReport | null {
    if (this.#last === undefined) return null;
    const { outcome, reasons, at } = this.#last;
    return { outcome, agoMs: Math.round(toMillis(since(this.#now(), at))), reasons };
  }
}
