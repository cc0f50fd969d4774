// What of an instance's configuration its election goes by.
import type { Micros } from '../base/time.ts';
import type { Cadence } from './cadence.ts';

/** What may change while the election goes on. */
export interface ChangeableSettings extends Cadence {
  readonly preempt: boolean;
  /** Announce the address again and again, so often; undefined: don't. */
  readonly announceRefresh: Micros | undefined;
}

export interface ElectionSettings extends ChangeableSettings {
  /** No down hook at the start (ucarp -n). */
  readonly neutral: boolean;
  /** True: carpd adds and removes the address. False: the hooks do. */
  readonly manageAddress: boolean;
  /** Where the advert counter starts; random, so that two starts never look alike. */
  readonly initialCounter: bigint;
}
