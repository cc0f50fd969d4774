// Turns moments of the monotonic clock into Unix time. The difference of the two clocks wanders, so
// each moment is turned once and kept: a time that did not change must not seem to.
import { since, toSeconds, type Micros } from '../base/time.ts';

interface Stamp {
  readonly at: Micros;
  readonly seconds: number;
}

/** Turns a monotonic time into Unix time, each moment once. */
export class WallClock {
  readonly #wallMs: () => number;
  #stamps = new Map<string, Stamp>();
  #before: ReadonlyMap<string, Stamp> = new Map();

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** Begins a new round: what is not asked for in a whole round is forgotten. */
  turn(): void {
    this.#before = this.#stamps;
    this.#stamps = new Map();
  }

  /**
   * Seconds since 1970, to the millisecond; 0 where there is no moment. `key` names what happened
   * then, the same in every round.
   */
  unixSeconds(key: string, at: Micros | undefined, now: Micros): number {
    if (at === undefined) return 0;
    const known = this.#before.get(key);
    const stamp = known?.at === at ? known : { at, seconds: this.#turned(at, now) };
    this.#stamps.set(key, stamp);
    return stamp.seconds;
  }

  #turned(at: Micros, now: Micros): number {
    return Math.round(this.#wallMs() - toSeconds(since(now, at)) * 1_000) / 1_000;
  }
}
