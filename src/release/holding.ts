// What an instance may still hold when the process ends without a stop in good order.
import type { InstanceConfig } from '../config/config.ts';

/** What this host may still hold of one instance. */
export interface Holding {
  readonly config: InstanceConfig;
  /** Of the interface, which may have got another name since anybody has looked. */
  readonly ifindex: number | undefined;
  /** The address may be on the interface by our doing. */
  readonly address: boolean;
  /** The up hook was begun and the down hook was not. */
  readonly downHook: boolean;
}
