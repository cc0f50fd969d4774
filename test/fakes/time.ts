// The time of a world in memory: it moves when a test says so, from one thing that is due to the
// next, and lets everything run in between that waits for nothing but promises.
import { fromMillis, micros, plus, toMillis, type Micros } from '../../src/base/time.ts';
import type { Time } from '../../src/ports/ports.ts';
import { VirtualClock } from './clock.ts';

/** A clock that runs by its timers alone. */
export class VirtualTime implements Time {
  readonly #clock: VirtualClock;
  readonly #rest: () => Promise<void>;

  /** `rest`: lets everything run that waits for promises alone; see below. */
  constructor(clock = new VirtualClock(), rest = promisesRun) {
    this.#clock = clock;
    this.#rest = rest;
  }

  /** As the world has it. */
  get worldNow(): Micros {
    return this.#clock.now;
  }

  readonly now = (): Micros => this.#clock.now;

  readonly startTimer = (delayMs: number, run: () => void): (() => void) =>
    this.after(fromMillis(Math.max(delayMs, 0)), run);

  readonly nextTurn = (run: () => void): (() => void) => this.after(micros(0), run);

  /** Calls back once, later; what it returns calls that off. */
  after(delay: Micros, run: () => void): () => void {
    let isDue = true;
    this.#clock.after(delay, () => {
      if (isDue) run();
      isDue = false;
    });
    return () => {
      isDue = false;
    };
  }

  /** Lets so much time pass. */
  async pass(byMs: number): Promise<void> {
    await this.#runTo(plus(this.worldNow, fromMillis(byMs)), () => false);
  }

  /** Lets time pass until `probe` is true; rejects where that takes longer than `withinMs`. */
  async until(what: string, probe: () => boolean, withinMs = 60_000): Promise<void> {
    const before = this.worldNow;
    await this.#runTo(plus(before, fromMillis(withinMs)), probe);
    if (probe()) return;
    throw new Error(`not within ${withinMs} ms of ${toMillis(before)} ms: ${what}`);
  }

  /** Lets time pass by itself, a millisecond a turn of Node, until what it returns is called. */
  flow(): () => void {
    let flows = true;
    const go = async (): Promise<void> => {
      while (flows) await this.pass(1);
    };
    void go();
    return () => {
      flows = false;
    };
  }

  /** Lets time pass until it has settled. */
  async settled<Value>(promise: Promise<Value>, withinMs = 60_000): Promise<Value> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    await this.until('a promise settles', () => isSettled, withinMs);
    return promise;
  }

  async #runTo(end: Micros, probe: () => boolean): Promise<void> {
    await this.#rest();
    while (!probe()) {
      const at = this.#clock.next();
      if (at === undefined || at > end) {
        this.#clock.moveTo(end);
        return;
      }
      this.#clock.moveTo(at);
      this.#clock.runNext();
      await this.#rest();
    }
  }
}

/** Resolves when nothing is left that waits for promises alone, and Node has had its turn. */
export function promisesRun(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * The same, without a turn of Node: quicker, but sockets, timers and signals of this process wait.
 * Node runs what is for the next tick when all promises have run (processTicksAndRejections).
 */
export function promisesRunAlone(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
