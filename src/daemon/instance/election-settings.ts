// What the configuration of an instance means to its election.
import { fromMillis } from '../../base/time.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { ElectionSettings } from '../../election/machine.ts';
import { randomCounter } from './advert-sender.ts';

/** With a counter that begins anywhere. */
export function electionSettings(config: InstanceConfig): ElectionSettings {
  const { refreshMs } = config.announce;
  const announceRefresh = refreshMs === undefined ? undefined : fromMillis(refreshMs);
  return { ...config, announceRefresh, initialCounter: randomCounter() };
}
