// Keeps repeated events from flooding the log: the first is told at once, the rest are counted.
import { since, type Micros } from './time.ts';

/** What is known of one kind of event. */
interface Entry {
  toldAt: Micros;
  untold: number;
}

/** Allows one line a key and period, over a bounded number of keys. */
export class RateLimit {
  readonly #period: Micros;
  readonly #keysMax: number;
  readonly #entries = new Map<string, Entry>();

  constructor(period: Micros, keysMax: number) {
    this.#period = period;
    this.#keysMax = keysMax;
  }

  /**
   * Undefined: say nothing now. Otherwise say it, and that so many were left unsaid before. With
   * more keys than the bound, the oldest is forgotten: better to repeat a line than to grow.
   */
  allow(key: string, now: Micros): { untold: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const oldest = this.#entries.keys().next();
      if (this.#entries.size >= this.#keysMax && oldest.done !== true) {
        this.#entries.delete(oldest.value);
      }
      this.#entries.set(key, { toldAt: now, untold: 0 });
      return { untold: 0 };
    }
    if (since(now, entry.toldAt) < this.#period) {
      entry.untold += 1;
      return undefined;
    }
    const { untold } = entry;
    entry.toldAt = now;
    entry.untold = 0;
    return { untold };
  }
}
