// Time as carpd computes with it: whole microseconds of a monotonic clock, the unit of ucarp's own
// arithmetic (timeval), so that deadlines and comparisons are exact and never drift by rounding.

declare const microsBrand: unique symbol;

/** A duration or a monotonic instant in whole microseconds; safe for 285 years. */
export type Micros = number & { readonly [microsBrand]: true };

export const MICROS_PER_MILLISECOND = 1_000;
export const MICROS_PER_SECOND = 1_000_000;

/** Brands a number of microseconds; a fraction is cut off. */
export function micros(value: number): Micros {
  return Math.trunc(value) as Micros;
}

/** Whole microseconds of a number of milliseconds. */
export function fromMillis(milliseconds: number): Micros {
  return micros(milliseconds * MICROS_PER_MILLISECOND);
}

/** Whole microseconds of a number of seconds. */
export function fromSeconds(seconds: number): Micros {
  return micros(seconds * MICROS_PER_SECOND);
}

/** Milliseconds, with their fraction. */
export function toMillis(duration: Micros): number {
  return duration / MICROS_PER_MILLISECOND;
}

/** Seconds, with their fraction. */
export function toSeconds(duration: Micros): number {
  return duration / MICROS_PER_SECOND;
}

/** `instant` moved by `duration`; both may be durations. */
export function plus(instant: Micros, duration: Micros): Micros {
  return micros(instant + duration);
}

/** The duration from `earlier` to `later`, negative if they are the other way round. */
export function since(later: Micros, earlier: Micros): Micros {
  return micros(later - earlier);
}

/** The earlier of two instants; undefined is never. */
export function earlier(a: Micros | undefined, b: Micros | undefined): Micros | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}
