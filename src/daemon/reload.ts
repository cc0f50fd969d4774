// How the instances of a running daemon are brought to a new configuration.
import { inSlices } from '../base/in-slices.ts';
import type { InstanceConfig } from '../config/config.ts';
import { diffInstances } from '../config/instance-diff.ts';
import type { EventSink } from '../events/bus.ts';
import type { LinkWatch } from '../linux/links/link-watch.ts';
import type { NextTurn } from '../ports/ports.ts';
import type { GroupClaims } from './group-claims.ts';
import type { Instances } from './instances.ts';

export interface ReloadOptions {
  readonly instances: Instances;
  readonly claims: GroupClaims;
  readonly links: LinkWatch;
  readonly events: EventSink;
  readonly nextTurn: NextTurn;
  /** Puts these on record before any of them is begun. */
  readonly record: (configs: readonly InstanceConfig[]) => void;
}

/**
 * Brings the running instances to these: what is removed or changed hands over and ends, then what
 * is new or changed begins. Publishes what came of it.
 */
export async function reloadInstances(
  configs: readonly InstanceConfig[],
  { instances, claims, links, events, nextTurn, record }: ReloadOptions,
): Promise<void> {
  const diff = diffInstances(instances.configs, configs);
  const { allowed, refused } = claims.sort([...diff.added, ...diff.changed], links);
  for (const detail of refused.values()) {
    events.publish({ event: 'configuration-warning', detail });
  }
  const isAllowed = (one: InstanceConfig): boolean => allowed.includes(one);
  const changing = diff.changed.filter(isAllowed);
  const added = diff.added.filter(isAllowed);
  instances.keepPlaces(changing);
  const stayed = await retireAll([...diff.removed, ...changing], instances, events);
  record([...configs, ...stayed]);
  const hasStayed = new Set(stayed.map(({ name }) => name));
  const others = (list: readonly InstanceConfig[]): readonly InstanceConfig[] =>
    list.filter(({ name }) => !hasStayed.has(name));
  const fresh = [...added, ...others(changing)];
  await inSlices(fresh, nextTurn, (one) => instances.add(one, links));
  const names = (list: readonly InstanceConfig[]): string[] => list.map((one) => one.name);
  const kept = [...diff.unchanged, ...stayed, ...diff.changed.filter((one) => !isAllowed(one))];
  events.publish({
    event: 'configuration-reloaded',
    added: names(added),
    changed: names(others(changing)),
    removed: names(others(diff.removed)),
    unchanged: names(kept),
  });
}

/** Resolves to those that stay, since their address can't go. */
async function retireAll(
  configs: readonly InstanceConfig[],
  instances: Instances,
  events: EventSink,
): Promise<readonly InstanceConfig[]> {
  const retired = await Promise.all(configs.map(({ name }) => instances.retire(name)));
  const stayed = retired.flatMap((instance) => instance?.config ?? []);
  for (const { name } of stayed) {
    const detail =
      `instance ${name} keeps its old configuration, because it is master and its virtual IP ` +
      'cannot be removed. Correct that, and reload again';
    events.publish({ event: 'configuration-warning', detail });
  }
  return stayed;
}
