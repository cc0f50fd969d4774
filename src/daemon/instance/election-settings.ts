// What the configuration of an instance means to its election.
import { fromMillis } from '../../base/time.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { ElectionSettings } from '../../election/settings.ts';
import type { Randomness } from '../../ports/ports.ts';

/** With a counter that begins anywhere, so that two starts never look alike. */
export function electionSettings(
  config: InstanceConfig,
  { randomCounter }: Pick<Randomness, 'randomCounter'>,
): ElectionSettings {
  const { advbase, advskew, deadRatio, preempt, neutral, manageAddress } = config;
  const { refreshMs } = config.announce;
  const announceRefresh = refreshMs === undefined ? undefined : fromMillis(refreshMs);
  // One by one: what goes into a segment may be written down, and has no secret in it.
  return {
    ...{ advbase, advskew, deadRatio, preempt, neutral, manageAddress },
    announceRefresh,
    initialCounter: randomCounter(),
  };
}
