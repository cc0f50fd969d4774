// How often lines may be written: a few at once, then one in a while, which stands for those that
// were left out. What is left out is never lost: the newest of it is kept until it may come, so
// that the log ends with how things stand, however fast they changed. Pure.
import { micros, plus, type Micros } from '../base/time.ts';
import type { Quota } from '../events/catalogue/define.ts';

/** Something to be logged, and for how many more of its kind it stands. */
export interface PendingLine<Line> {
  readonly line: Line;
  readonly at: Micros;
  readonly leftOut: number;
  /** When the first of those happened that it stands for. */
  readonly leftOutSince: Micros;
}

interface Bucket<Line> {
  readonly quota: Quota;
  /** When all tokens are back; a token is taken by moving it one refill on. */
  fullAt: Micros;
  held: PendingLine<Line> | undefined;
}

/** What came of a line: it is logged, or kept until then. */
export type Admission<Line> =
  { readonly passed: PendingLine<Line> } | { readonly passed: undefined; readonly until: Micros };

/** One quota for each key, over a bounded number of keys. */
export class LineQuotas<Line> {
  readonly #keysMax: number;
  readonly #buckets = new Map<string, Bucket<Line>>();

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  /** Whether a line of this key would be logged now. */
  hasRoom(key: string, now: Micros): boolean {
    const bucket = this.#buckets.get(key);
    return bucket === undefined || tokenAt(bucket) <= now;
  }

  /** Takes a line, together with what was kept before it. */
  admit(key: string, quota: Quota, next: PendingLine<Line>, now: Micros): Admission<Line> {
    const bucket = this.#bucket(key, quota, now);
    bucket.held = merge(bucket.held, next);
    const passed = release(bucket, now);
    return passed === undefined ? { passed, until: tokenAt(bucket) } : { passed };
  }

  /** All that was kept and may be logged by now. */
  due(now: Micros): readonly PendingLine<Line>[] {
    return [...this.#buckets.values()].flatMap((bucket) => release(bucket, now) ?? []);
  }

  /** All that was kept: nothing will be logged later. */
  takeAll(): readonly PendingLine<Line>[] {
    const all = [...this.#buckets.values()].flatMap((bucket) => bucket.held ?? []);
    this.#buckets.clear();
    return all;
  }

  /** When `due` will have something, if at all. */
  dueAt(): Micros | undefined {
    const all = [...this.#buckets.values()].flatMap((bucket) =>
      bucket.held === undefined ? [] : [tokenAt(bucket)],
    );
    return all.length === 0 ? undefined : micros(Math.min(...all));
  }

  /** With more keys than the bound the oldest is forgotten: better to repeat than to grow. */
  #bucket(key: string, quota: Quota, now: Micros): Bucket<Line> {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= this.#keysMax && oldest !== undefined) this.#buckets.delete(oldest);
    const fresh = { quota, fullAt: now, held: undefined };
    this.#buckets.set(key, fresh);
    return fresh;
  }
}

function release<Line>(bucket: Bucket<Line>, now: Micros): PendingLine<Line> | undefined {
  const { held, quota } = bucket;
  if (held === undefined || tokenAt(bucket) > now) return undefined;
  bucket.held = undefined;
  bucket.fullAt = plus(bucket.fullAt > now ? bucket.fullAt : now, quota.refill);
  return held;
}

/** When there is a token: each one that is missing comes back after one refill. */
function tokenAt({ quota, fullAt }: Bucket<unknown>): Micros {
  return micros(fullAt - quota.refill * (quota.burst - 1));
}

function merge<Line>(
  before: PendingLine<Line> | undefined,
  next: PendingLine<Line>,
): PendingLine<Line> {
  if (before === undefined) return next;
  const { leftOutSince } = before;
  return { ...next, leftOut: before.leftOut + next.leftOut + 1, leftOutSince };
}

/** A line that stands for itself alone. */
export function pendingLine<Line>(line: Line, at: Micros): PendingLine<Line> {
  return { line, at, leftOut: 0, leftOutSince: at };
}
