// The difference between the configuration that runs and a new one: which keys have changed, what
// each change costs, and so which instances go on in place, and which have to begin anew. Pure.
import type { Config, InstanceConfig } from './config.ts';
import { DAEMON_ROWS, INSTANCE_ROWS, rowsOf, type ReloadCost, type Row } from './reload-table.ts';

/** A key whose value is another one. No passphrase is ever in it. */
export interface KeyChange {
  /** As in the file: "log.level", and below an instance "hooks.timeout". */
  readonly key: string;
  readonly before: string;
  readonly after: string;
  readonly cost: ReloadCost;
}

/** An instance with what has changed of it. */
export interface ChangedInstance {
  /** In its new form. */
  readonly config: InstanceConfig;
  /** At least one. */
  readonly changes: readonly KeyChange[];
}

/** The difference between two sets of instances. */
export interface InstanceDiff {
  readonly added: readonly InstanceConfig[];
  /** These have to begin anew. */
  readonly restarted: readonly ChangedInstance[];
  /** These go on with what has changed. */
  readonly inPlace: readonly ChangedInstance[];
  /** In their old form. */
  readonly removed: readonly InstanceConfig[];
  readonly unchanged: readonly InstanceConfig[];
}

const instanceRows = rowsOf(INSTANCE_ROWS);
const daemonRows = rowsOf(DAEMON_ROWS);

/** Compares by name, and then key by key, the passphrase's bytes included. */
export function diffInstances(
  before: readonly InstanceConfig[],
  after: readonly InstanceConfig[],
): InstanceDiff {
  const old = new Map(before.map((instance) => [instance.name, instance]));
  const names = new Set(after.map(({ name }) => name));
  const kept = after.flatMap((config) => {
    const earlier = old.get(config.name);
    return earlier === undefined
      ? []
      : [{ config, changes: changesOf(instanceRows, earlier, config) }];
  });
  const changed = kept.filter(({ changes }) => changes.length > 0);
  return {
    added: after.filter(({ name }) => !old.has(name)),
    restarted: changed.filter(needsRestart),
    inPlace: changed.filter((one) => !needsRestart(one)),
    removed: before.filter(({ name }) => !names.has(name)),
    unchanged: kept.filter(({ changes }) => changes.length === 0).map(({ config }) => config),
  };
}

/** What has changed beside the instances. */
export function diffDaemon(
  before: Omit<Config, 'instances'>,
  after: Omit<Config, 'instances'>,
): readonly KeyChange[] {
  return changesOf(daemonRows, before, after);
}

function needsRestart({ changes }: ChangedInstance): boolean {
  return changes.some(({ cost }) => cost === 'restart');
}

function changesOf<Of>(rows: readonly Row<Of>[], before: Of, after: Of): readonly KeyChange[] {
  const changed = rows.filter(({ isSame }) => !isSame(before, after));
  return changed.map(({ key, cost, isFree, show }) => {
    const found = isFree?.(after) === true ? 'in-place' : cost;
    return { key, cost: found, before: show(before), after: show(after) };
  });
}
