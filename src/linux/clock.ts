// The monotonic clock; the only one that decides anything.
import { micros, type Micros } from '../base/time.ts';

const NANOS_PER_MICRO = 1_000n;

/**
 * Microseconds since some moment before the process started (CLOCK_MONOTONIC: steps of the wall
 * clock do not touch it, and it stands still while the machine is suspended).
 */
export function now(): Micros {
  return micros(Number(process.hrtime.bigint() / NANOS_PER_MICRO));
}
