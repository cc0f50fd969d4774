// The world's `ip` and hooks: they take their time, one after the other, and may fail.
import { micros } from '../../src/base/time.ts';
import type { HookName } from '../../src/election/inputs.ts';
import type { InstanceInput } from '../../src/segment/inputs.ts';
import type { Surroundings } from './node.ts';
import type { Station } from './station.ts';

/** How long a command may take in microseconds, and what `ip` refuses. */
export interface Performance {
  readonly commandMaxUs: number;
  readonly hookMaxUs: number;
  readonly claimFails: boolean;
  readonly releaseFails: boolean;
}

export const USUAL: Performance = {
  commandMaxUs: 40_000,
  hookMaxUs: 400_000,
  claimFails: false,
  releaseFails: false,
};

/** How long after a release that failed it is tried again. */
const RETRY_US = 500_000;

interface Wish {
  readonly term: number;
  readonly present: boolean;
}

interface HookRun {
  readonly hook: HookName;
  readonly term: number;
}

/** Carries out claims, releases and hooks for one run of a node's process. */
export class Executor {
  performance: Performance = USUAL;
  readonly #world: Surroundings;
  readonly #report: (input: InstanceInput) => void;
  readonly #station: Station;
  readonly #hooksManageAddress: boolean;
  readonly #hooks: HookRun[] = [];
  #newest: Wish | undefined;
  #flying: Wish | undefined;
  #waiting: Wish | undefined;
  #hookRunning = false;
  #closed = false;

  constructor(
    world: Surroundings,
    report: (input: InstanceInput) => void,
    options: { readonly station: Station; readonly hooksManageAddress: boolean },
  ) {
    this.#world = world;
    this.#report = report;
    this.#station = options.station;
    this.#hooksManageAddress = options.hooksManageAddress;
  }

  /** The process is gone: what was under way is of no effect. */
  close(): void {
    this.#closed = true;
  }

  /** Adds or removes the address; a wish that waits gives way to a later one. */
  want(wish: Wish): void {
    if (this.#flying === undefined) return this.#fly(wish);
    const given = this.#waiting;
    this.#waiting = wish;
    // A release that a later claim made pointless is over; a claim that was given up is not news.
    if (given?.present === false) this.#soon({ kind: 'vip-released', term: given.term });
  }

  run(hook: HookRun): void {
    this.#hooks.push(hook);
    if (!this.#hookRunning) this.#runNextHook();
  }

  #fly(wish: Wish, isRetry = false): void {
    this.#flying = wish;
    this.#newest = wish;
    this.#later(this.performance.commandMaxUs, () => {
      const stuck = !wish.present && this.#station.holdsVip && this.performance.releaseFails;
      const absent = wish.present && !this.#station.holdsVip && this.performance.claimFails;
      const ok = !stuck && !absent;
      if (ok) this.#station.holdsVip = wish.present;
      this.#flying = undefined;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting !== undefined) this.#fly(waiting);
      const { term } = wish;
      if (wish.present) this.#report({ kind: 'vip-claimed', term, ok });
      else if (ok) this.#report({ kind: 'vip-released', term });
      else this.#retryLater(wish, isRetry);
    });
  }

  #retryLater(wish: Wish, isRetry: boolean): void {
    if (!isRetry) this.#report({ kind: 'vip-stuck', term: wish.term, shown: true });
    this.#later(RETRY_US, () => {
      if (this.#newest === wish) this.#fly(wish, true);
    });
  }

  #runNextHook(): void {
    const next = this.#hooks.shift();
    this.#hookRunning = next !== undefined;
    if (next === undefined) return;
    this.#later(this.performance.hookMaxUs, () => {
      if (this.#hooksManageAddress) this.#station.holdsVip = next.hook === 'up';
      this.#runNextHook();
      this.#report({ kind: 'hook-finished', ...next });
    });
  }

  #soon(input: InstanceInput): void {
    this.#later(1, () => this.#report(input));
  }

  #later(maxUs: number, run: () => void): void {
    this.#world.clock.after(micros(this.#world.prng.between(1, maxUs)), () => {
      if (!this.#closed) run();
    });
  }
}
