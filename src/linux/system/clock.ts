// The monotonic clock, the only one that decides anything; the date; the timers of this process.
import { micros, type Micros } from '../../base/time.ts';

const NANOS_PER_MICRO = 1_000;
const MICROS_PER_SECOND = 1_000_000;

/**
 * Microseconds since some moment before the process started (CLOCK_MONOTONIC: steps of the wall
 * clock do not touch it, and it stands still while the machine is suspended).
 */
export function now(): Micros {
  // As a bigint it would cost twice as much, and it is asked for many times for each packet.
  const [seconds, nanos] = process.hrtime();
  return micros(seconds * MICROS_PER_SECOND + Math.floor(nanos / NANOS_PER_MICRO));
}

/** Milliseconds since 1970, as the host has it; steps back and forth where the clock is set. */
export function wallMs(): number {
  return Date.now();
}

/** Calls `onExpired` once after `delayMs`; what it returns calls that off. */
export function startTimer(delayMs: number, onExpired: () => void): () => void {
  const timer = setTimeout(onExpired, delayMs);
  return () => clearTimeout(timer);
}

/** Calls `run` once when Node has served its sockets once more; what it returns calls that off. */
export function nextTurn(run: () => void): () => void {
  const turn = setImmediate(run);
  return () => clearImmediate(turn);
}
