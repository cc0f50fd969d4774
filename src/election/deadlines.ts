// The named absolute deadlines of an election. Timers are not effects: the driver asks for the
// earliest one, and a wake-up that comes too early finds nothing due.
import type { Micros } from '../base/time.ts';

export type DeadlineName =
  | 'advertise'
  | 'masterDown'
  | 'upHook'
  | 'carrierGrace'
  | 'sourceGrace'
  | 'stepDownEnd'
  | 'vipRetry'
  | 'demotionEnd'
  | 'askForVip'
  | 'refresh';

/** A table of deadlines, each set or not. */
export class Deadlines {
  readonly #at = new Map<DeadlineName, Micros>();

  set(name: DeadlineName, at: Micros): void {
    this.#at.set(name, at);
  }

  clear(...names: readonly DeadlineName[]): void {
    for (const name of names) this.#at.delete(name);
  }

  clearAll(): void {
    this.#at.clear();
  }

  get(name: DeadlineName): Micros | undefined {
    return this.#at.get(name);
  }

  /** Takes the deadline out of the table if it has come; says when it was due. */
  take(name: DeadlineName, now: Micros): Micros | undefined {
    const at = this.#at.get(name);
    if (at === undefined || at > now) return undefined;
    this.#at.delete(name);
    return at;
  }

  /** The earliest deadline, if any is set. */
  earliest(): Micros | undefined {
    let earliest: Micros | undefined;
    for (const at of this.#at.values()) {
      if (earliest === undefined || at < earliest) earliest = at;
    }
    return earliest;
  }
}
