// Which instances a new configuration adds, changes, removes and leaves alone.
import { isDeepStrictEqual } from 'node:util';
import { sameInstance, type Config, type InstanceConfig } from './config.ts';

/** The difference between two sets of instances. */
export interface InstanceDiff {
  readonly added: readonly InstanceConfig[];
  /** In their new form. */
  readonly changed: readonly InstanceConfig[];
  /** In their old form. */
  readonly removed: readonly InstanceConfig[];
  readonly unchanged: readonly InstanceConfig[];
}

/** Compares by name, and then by everything, the passphrase's bytes included. */
export function diffInstances(
  before: readonly InstanceConfig[],
  after: readonly InstanceConfig[],
): InstanceDiff {
  const old = new Map(before.map((instance) => [instance.name, instance]));
  const kept = after.filter(({ name }) => old.has(name));
  const isSame = (instance: InstanceConfig): boolean => {
    const earlier = old.get(instance.name);
    return earlier !== undefined && sameInstance(earlier, instance);
  };
  const names = new Set(after.map(({ name }) => name));
  return {
    added: after.filter(({ name }) => !old.has(name)),
    changed: kept.filter((instance) => !isSame(instance)),
    removed: before.filter(({ name }) => !names.has(name)),
    unchanged: kept.filter(isSame),
  };
}

/** What has changed in vain as long as the process runs; a sentence for each. */
export function unheededChanges(before: Config, after: Config): readonly string[] {
  const keys = (['log', 'control', 'state'] as const).filter(
    (key) => !isDeepStrictEqual(after[key], before[key]),
  );
  return keys.map((key) => `the ${key} settings have changed; they apply when carpd restarts`);
}
