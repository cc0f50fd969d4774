// What the configuration of an instance means to its election.
import { fromMillis } from '../../base/time.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { ChangeableSettings, ElectionSettings } from '../../election/settings.ts';
import type { Randomness } from '../../ports/ports.ts';

/** With a counter that begins anywhere, so that two starts never look alike. */
export function electionSettings(
  config: InstanceConfig,
  { randomCounter }: Pick<Randomness, 'randomCounter'>,
): ElectionSettings {
  const { neutral, manageAddress } = config;
  const initialCounter = randomCounter();
  return { ...changeableSettings(config), neutral, manageAddress, initialCounter };
}

/** What of it may change while the election goes on. */
export function changeableSettings(config: InstanceConfig): ChangeableSettings {
  const { advbase, advskew, deadRatio, preempt } = config;
  const { refreshMs } = config.announce;
  const announceRefresh = refreshMs === undefined ? undefined : fromMillis(refreshMs);
  // One by one: what goes into a segment may be written down, and has no secret in it.
  return { advbase, advskew, deadRatio, preempt, announceRefresh };
}
