// Keeps repeated events from flooding the log: the first is let through at once, the rest are
// counted.
import { since, type Micros } from './time.ts';

/** What is known of one kind of event. */
interface Allowance {
  allowedAt: Micros;
  refused: number;
}

/** Allows one line a key and period, over a bounded number of keys. */
export class RateLimit {
  readonly #period: Micros;
  readonly #keysMax: number;
  readonly #entries = new Map<string, Allowance>();

  constructor(period: Micros, keysMax: number) {
    this.#period = period;
    this.#keysMax = keysMax;
  }

  /**
   * Undefined: say nothing now. Otherwise say it, and that so many were left unsaid before. With
   * more keys than the bound, the oldest is forgotten: better to repeat a line than to grow.
   */
  allow(key: string, now: Micros): { refused: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const oldest = this.#entries.keys().next();
      if (this.#entries.size >= this.#keysMax && oldest.done !== true) {
        this.#entries.delete(oldest.value);
      }
      this.#entries.set(key, { allowedAt: now, refused: 0 });
      return { refused: 0 };
    }
    if (since(now, entry.allowedAt) < this.#period) {
      entry.refused += 1;
      return undefined;
    }
    const { refused } = entry;
    entry.allowedAt = now;
    entry.refused = 0;
    return { refused };
  }
}
