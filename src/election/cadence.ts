// How often a node advertises and how long it waits for a silent master, in whole microseconds.
import { MICROS_PER_SECOND, micros, type Micros } from '../base/time.ts';

/** What of a node's configuration sets its pace. */
export interface Cadence {
  /** Whole seconds, 0 to 255. */
  readonly advbase: number;
  /** 1/256 seconds, 0 to 255. */
  readonly advskew: number;
  /** How many intervals of silence make a master dead, at least 1. */
  readonly deadRatio: number;
}

/** The skew of a node that doubts its own path or fails to send (ucarp and FreeBSD: 240). */
export const DEMOTED_ADVSKEW = 240;

const SKEW_STEPS_PER_SECOND = 256;

/** advbase + advskew/256 seconds; the fraction is cut as in ucarp's carp_send_ad. */
export function advertInterval(advert: { advbase: number; advskew: number }): Micros {
  return micros(advert.advbase * MICROS_PER_SECOND + skewMicros(advert.advskew));
}

/**
 * The dead interval: advbase x deadRatio + advskew/256 seconds, with the configured skew even while
 * demoted (ucarp carp_setrun). With advbase 0 that would be shorter than one interval, so the skew
 * is multiplied as well, as OpenBSD does.
 */
export function masterDownInterval({ advbase, advskew, deadRatio }: Cadence): Micros {
  if (advbase === 0) {
    return micros((deadRatio * advskew * MICROS_PER_SECOND) / SKEW_STEPS_PER_SECOND);
  }
  return micros(advbase * deadRatio * MICROS_PER_SECOND + skewMicros(advskew));
}

function skewMicros(advskew: number): number {
  return Math.floor((advskew * MICROS_PER_SECOND) / SKEW_STEPS_PER_SECOND);
}
