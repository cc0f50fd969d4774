// Timers of this process, as the parts that must not know of any get them.
import type { StartTimer } from '../vip/ports.ts';

export const startTimer: StartTimer = (delayMs, onExpired) => {
  const timer = setTimeout(onExpired, delayMs);
  return () => {
    clearTimeout(timer);
  };
};
