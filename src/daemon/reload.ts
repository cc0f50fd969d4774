// How the instances of a running daemon are brought to a new configuration: in place where that is
// possible, by a new start where it is not.
import { inSlices } from '../base/in-slices.ts';
import type { InstanceConfig } from '../config/config.ts';
import { diffInstances } from '../config/instance-diff.ts';
import { changeLine, instanceLines, type ReloadPlan } from '../config/reload-plan.ts';
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

/** Says what a reload is going to do, before it does it. */
export function announceReload({ daemon, instances }: ReloadPlan, events: EventSink): void {
  for (const change of daemon) {
    const detail = changeLine('carpd', change);
    events.publish({ event: 'configuration-change', handsOver: false, detail });
  }
  for (const plan of instances) {
    const handsOver = plan.isMaster && plan.effect !== 'in-place';
    const detail = instanceLines(plan).join('; ');
    events.publish({ event: 'configuration-change', handsOver, detail });
  }
}

/**
 * Brings the running instances to these. What has changed in place goes on. Then what is removed,
 * or has to begin anew, hands over and ends, and what is new or anew begins. Publishes what came
 * of it.
 */
export async function reloadInstances(
  configs: readonly InstanceConfig[],
  { instances, claims, links, events, nextTurn, record }: ReloadOptions,
): Promise<void> {
  const diff = diffInstances(instances.configs, configs);
  const inPlace = diff.inPlace.map(({ config }) => config);
  await Promise.all(inPlace.map((config) => instances.reconfigure(config)));
  const anew = diff.restarted.map(({ config }) => config);
  const { allowed, refused } = claims.sort([...diff.added, ...anew], links);
  for (const detail of refused.values()) {
    events.publish({ event: 'configuration-warning', detail });
  }
  const isAllowed = (one: InstanceConfig): boolean => allowed.includes(one);
  const restarting = anew.filter(isAllowed);
  const added = diff.added.filter(isAllowed);
  instances.keepPlaces(restarting);
  const stayed = await retireAll([...diff.removed, ...restarting], instances, events);
  record([...configs, ...stayed]);
  const hasStayed = new Set(stayed.map(({ name }) => name));
  const others = (list: readonly InstanceConfig[]): readonly InstanceConfig[] =>
    list.filter(({ name }) => !hasStayed.has(name));
  const fresh = [...added, ...others(restarting)];
  await inSlices(fresh, nextTurn, (one) => instances.add(one, links));
  const names = (list: readonly InstanceConfig[]): string[] => list.map((one) => one.name);
  const kept = [...diff.unchanged, ...stayed, ...anew.filter((one) => !isAllowed(one))];
  events.publish({
    event: 'configuration-reloaded',
    added: names(added),
    changed: names([...inPlace, ...others(restarting)]),
    restarted: names(others(restarting)),
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
