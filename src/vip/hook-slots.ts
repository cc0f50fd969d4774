// How many hooks begin at once over all instances of a daemon: each is a process to be started, and
// hundreds at a time would hold up the adverts of those who start them.

/** So many run, and the others wait for their turn in the order in which they came. */
export const HOOKS_AT_ONCE = 8;
/**
 * A hook that runs for longer gives its place up: it costs nothing more, and a hook that hangs must
 * not keep the address of another instance where it is.
 */
export const PLACE_MS_MAX = 1_000;

/** Places for hooks that run. */
export class HookSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count = HOOKS_AT_ONCE) {
    this.#free = count;
  }

  /** Takes a place if there is one; `leave` gives it back. */
  enter(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  /** Resolves when the caller has a place that somebody else has left. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives the place to the next one who waits. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
