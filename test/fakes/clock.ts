// Virtual time: what is to happen later, in the order of its instants and, at one instant, of
// asking.
import { micros, plus, type Micros } from '../../src/base/time.ts';

interface Planned {
  readonly at: Micros;
  readonly order: number;
  readonly run: () => void;
}

/** The one clock of a world; it stands still while something happens. */
export class VirtualClock {
  #now = micros(0);
  #order = 0;
  /** Sorted, latest first. */
  readonly #planned: Planned[] = [];

  get now(): Micros {
    return this.#now;
  }

  /** Has `run` called after `delay`. */
  after(delay: Micros, run: () => void): void {
    const planned = { at: plus(this.#now, delay), order: (this.#order += 1), run };
    const behind = this.#planned.findLastIndex((other) => isBefore(planned, other));
    this.#planned.splice(behind + 1, 0, planned);
  }

  /** When the next thing happens, if anything does. */
  next(): Micros | undefined {
    return this.#planned.at(-1)?.at;
  }

  /** Moves on to `at`. */
  moveTo(at: Micros): void {
    if (at > this.#now) this.#now = at;
  }

  /** Lets the next planned thing happen, now. */
  runNext(): void {
    this.#planned.pop()?.run();
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
