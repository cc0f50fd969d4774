// When a wake-up counts as late: the process, or the machine below it, has stood still.
import { fromMillis } from '../base/time.ts';

/** Timers of a busy process come a few milliseconds late, and that means nothing. */
const LATE_WAKE = fromMillis(50);

/** Whether who wakes so many microseconds later than it wanted has stood still. */
export function isLateWake(lateBy: number): boolean {
  return lateBy > LATE_WAKE;
}
