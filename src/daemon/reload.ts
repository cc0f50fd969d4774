// How the instances of a running daemon are brought to a new configuration: in place where that is
// possible, by a new start where it is not.
import { messageOf } from '../base/errors.ts';
import { inSlices } from '../base/in-slices.ts';
import type { InstanceConfig } from '../config/config.ts';
import { diffInstances } from '../config/instance-diff.ts';
import { changeLine, instanceLines, type ReloadPlan } from '../config/reload-plan.ts';
import type { EventSink } from '../events/bus.ts';
import type { LinkWatch } from '../linux/links/link-watch.ts';
import type { NextTurn } from '../ports/ports.ts';
import type { GroupClaims } from '../groups/group-claims.ts';
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
 * of it, and resolves to what could not be done, a sentence each.
 */
export async function reloadInstances(
  configs: readonly InstanceConfig[],
  { instances, claims, links, events, nextTurn, record }: ReloadOptions,
): Promise<readonly string[]> {
  const diff = diffInstances(instances.configs, configs);
  const inPlace = diff.inPlace.map(({ config }) => config);
  await Promise.all(inPlace.map((config) => instances.reconfigure(config)));
  const anew = diff.restarted.map(({ config }) => config);
  const { allowed, refused } = claims.sort([...diff.added, ...anew], links);
  const isAllowed = (one: InstanceConfig): boolean => allowed.includes(one);
  const restarting = anew.filter(isAllowed);
  const added = diff.added.filter(isAllowed);
  instances.keepPlaces(restarting);
  const stayed = await retireAll([...diff.removed, ...restarting], instances);
  record([...configs, ...stayed]);
  const hasStayed = new Set(stayed.map(({ name }) => name));
  const others = (list: readonly InstanceConfig[]): readonly InstanceConfig[] =>
    list.filter(({ name }) => !hasStayed.has(name));
  const fresh = [...added, ...others(restarting)];
  const failed = new Map<string, string>();
  await inSlices(fresh, nextTurn, async (one) => {
    const failure = await begin(one, instances, links);
    if (failure !== undefined) failed.set(one.name, failure);
  });
  const names = (list: readonly InstanceConfig[]): string[] => list.map((one) => one.name);
  const kept = [...diff.unchanged, ...stayed, ...anew.filter((one) => !isAllowed(one))];
  const undone = [...refused.values(), ...stayed.map(({ name }) => stayedText(name))];
  undone.push(...failed.values());
  for (const detail of undone) events.publish({ event: 'configuration-warning', detail });
  events.publish({
    event: 'configuration-reloaded',
    refused: [...refused.keys(), ...names(stayed), ...failed.keys()],
    added: names(added),
    changed: names([...inPlace, ...others(restarting)]),
    restarted: names(others(restarting)),
    removed: names(others(diff.removed)),
    unchanged: names(kept),
  });
  return undone;
}

/** Resolves to why it could not begin; the next reload tries again. */
async function begin(
  config: InstanceConfig,
  instances: Instances,
  links: LinkWatch,
): Promise<string | undefined> {
  try {
    await instances.add(config, links);
    return undefined;
  } catch (error) {
    await instances.remove(config.name);
    return `instance ${config.name} could not begin: ${messageOf(error)}`;
  }
}

/** Resolves to those that stay, since their address can't go. */
async function retireAll(
  configs: readonly InstanceConfig[],
  instances: Instances,
): Promise<readonly InstanceConfig[]> {
  const retired = await Promise.all(configs.map(({ name }) => instances.retire(name)));
  return retired.flatMap((instance) => instance?.config ?? []);
}

function stayedText(name: string): string {
  return (
    `instance ${name} keeps its old configuration, because it is master and its virtual IP ` +
    'cannot be removed. Correct that, and reload again'
  );
}
