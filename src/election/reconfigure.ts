// What a new configuration means to an election that goes on with it. Nobody steps down for it and
// nobody is promoted by it at once: the timers that run go by the new pace from here on.
import type { Micros } from '../base/time.ts';
import type { Bid } from './bid.ts';
import { masterDownInterval } from './cadence.ts';
import type { CatchingUp } from './catching-up.ts';
import type { MasterTerm } from './master-term.ts';
import type { ChangeableSettings } from './settings.ts';

/** The settings that all parts of an election read, and the parts that have timers. */
export interface Reconfigurable {
  /** Changed in place, so that each part goes by the new ones at once. */
  readonly settings: ChangeableSettings;
  readonly bid: Bid;
  readonly catchingUp: CatchingUp;
  readonly masterTerm: MasterTerm;
}

/** Has the parts go by these settings from now on. */
export function reconfigure(
  { settings: live, bid, catchingUp, masterTerm }: Reconfigurable,
  settings: ChangeableSettings,
  now: Micros,
): void {
  const [interval, patience] = [bid.interval, masterDownInterval(live)];
  const { advbase, advskew, deadRatio, preempt, announceRefresh } = settings;
  // One by one: what else the input may hold is not changed by it.
  Object.assign(live, { advbase, advskew, deadRatio, preempt, announceRefresh });
  bid.paceChanged(interval, now);
  catchingUp.patienceChanged(patience, masterDownInterval(live), now);
  masterTerm.refreshChanged(now);
}
