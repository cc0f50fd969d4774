// Waiting in tests: by event where there is one, by polling where there is none, always with a
// deadline, and with a failure that says what was awaited and what was there instead.
import { AssertionError } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { nowMs } from './clock.ts';
import { messageOf } from '../src/base/errors.ts';

const POLL_MS_DEFAULT = 20;

/** What a wait is for and how long it may take. */
export interface WaitOptions {
  /** The deadline, in milliseconds from the call. */
  readonly withinMs: number;
  /** What is awaited, as the end of "timed out waiting for ...". */
  readonly what: string;
  /** Text added to the failure: logs, states. Called only on failure. */
  readonly detail?: () => string;
}

/** What a probe says while it has nothing: the wait goes on. */
export type NotYet = undefined | false;

/**
 * Calls `probe` every `everyMs` (20) until it yields something other than undefined or false, and
 * returns that. A probe that throws counts as not yet; its last error is part of the failure.
 */
export async function eventually<Value>(
  probe: () => Value | NotYet | Promise<Value | NotYet>,
  options: WaitOptions & { readonly everyMs?: number },
): Promise<Value> {
  const deadlineMs = nowMs() + options.withinMs;
  let last = '';
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = '';
    } catch (error) {
      last = `last error: ${messageOf(error)}`;
    }
    if (nowMs() >= deadlineMs) throw timedOut(options, last);
    await sleep(options.everyMs ?? POLL_MS_DEFAULT);
  }
}

/** Checks every 50 ms that `probe` stays true for `forMs`; fails at the first time it is not. */
export async function throughout(
  probe: () => boolean | Promise<boolean>,
  options: { readonly forMs: number; readonly what: string; readonly detail?: () => string },
): Promise<void> {
  const startMs = nowMs();
  while (nowMs() - startMs < options.forMs) {
    if (!(await probe())) {
      const afterMs = Math.round(nowMs() - startMs);
      throw failure(`${options.what}: no longer true after ${afterMs} ms`, options.detail);
    }
    await sleep(50);
  }
}

/** A costly probe for `throughout`: asked again only after `everyMs`, and true between. */
export function sparsely(everyMs: number, probe: () => Promise<boolean>): () => Promise<boolean> {
  let askedMs = -Infinity;
  return async () => {
    if (nowMs() - askedMs < everyMs) return true;
    const answer = await probe();
    askedMs = nowMs();
    return answer;
  };
}

/** Something that changes now and then, and those who wait for it to become what they need. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  /** To be called after every change. */
  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Asks `probe` now and after every change, until it yields something other than undefined or
   * false. A probe that throws ends the wait with that error.
   */
  until<Value>(probe: () => Value | NotYet, options: WaitOptions): Promise<Value> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(check);
      };
      const check = (): void => {
        try {
          const value = probe();
          if (value === undefined || value === false) return;
          done();
          resolve(value);
        } catch (error) {
          done();
          reject(error instanceof Error ? error : new Error(messageOf(error)));
        }
      };
      const timer = setTimeout(() => {
        done();
        reject(timedOut(options, ''));
      }, options.withinMs);
      this.#listeners.add(check);
      check();
    });
  }
}

/** A failed assertion with the detail below its message. */
export function failure(message: string, detail?: () => string): AssertionError {
  const below = detail === undefined ? '' : `\n${detail()}`;
  return new AssertionError({ message: `${message}${below}` });
}

function timedOut(options: WaitOptions, last: string): AssertionError {
  const reason = last === '' ? '' : `; ${last}`;
  return failure(
    `timed out after ${options.withinMs} ms waiting for ${options.what}${reason}`,
    options.detail,
  );
}
