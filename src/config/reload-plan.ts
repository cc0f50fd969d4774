// What a reload is going to do, as an operator reads it before it is done. Pure.
import { counted } from '../base/text.ts';
import type { Config } from './config.ts';
import { diffDaemon, diffInstances, type KeyChange } from './instance-diff.ts';
import { RELOAD_COSTS } from './reload-table.ts';

/** What becomes of an instance that is not left alone. */
export const INSTANCE_EFFECTS = {
  added: 'begins',
  removed: 'ends',
  restarted: 'restarts',
  'in-place': 'goes on',
} as const;

export type InstanceEffect = keyof typeof INSTANCE_EFFECTS;

/** One instance that is not left alone. */
export interface InstancePlan {
  readonly name: string;
  readonly effect: InstanceEffect;
  /** Empty where it is new, or goes. */
  readonly changes: readonly KeyChange[];
  /** It is master now, so that another node has to take over where it ends or restarts. */
  readonly isMaster: boolean;
}

/** All that a reload changes; no passphrase is in it. */
export interface ReloadPlan {
  /** Beside the instances. */
  readonly daemon: readonly KeyChange[];
  readonly instances: readonly InstancePlan[];
}

/** `before` is the configuration that runs; `isMaster` tells of its instances. */
export function planReload(
  before: Config,
  after: Config,
  isMaster: (name: string) => boolean,
): ReloadPlan {
  const diff = diffInstances(before.instances, after.instances);
  const plan =
    (effect: InstanceEffect) =>
    (name: string, changes: readonly KeyChange[] = []): InstancePlan => {
      return { name, effect, changes, isMaster: isMaster(name) };
    };
  return {
    daemon: diffDaemon(before, after),
    instances: [
      ...diff.removed.map(({ name }) => plan('removed')(name)),
      ...diff.restarted.map(({ config, changes }) => plan('restarted')(config.name, changes)),
      ...diff.inPlace.map(({ config, changes }) => plan('in-place')(config.name, changes)),
      ...diff.added.map(({ name }) => plan('added')(name)),
    ],
  };
}

/** Whether the file says what runs. */
export function isEmptyPlan({ daemon, instances }: ReloadPlan): boolean {
  return daemon.length + instances.length === 0;
}

/** Whether a master hands its virtual IP over by it. */
export function costsService({ instances }: ReloadPlan): boolean {
  return instances.some(handsOver);
}

/** What it changes and what that costs, a line each; one line where it changes nothing. */
export function planLines(plan: ReloadPlan): readonly string[] {
  if (isEmptyPlan(plan)) return ['the configuration is the one that runs: nothing changes'];
  return [
    ...plan.daemon.map((change) => changeLine('carpd', change)),
    ...plan.instances.flatMap(instanceLines),
    costLine(plan),
  ];
}

/** The same of one instance. */
export function instanceLines(plan: InstancePlan): readonly string[] {
  const { name, effect, changes } = plan;
  const lines = changes.map((change) => changeLine(name, change));
  return effect === 'in-place' ? lines : [...lines, `${name}: ${effectText(plan)}`];
}

/** One key: what it was, what it is to be, and what that takes. */
export function changeLine(of: string, { key, before, after, cost }: KeyChange): string {
  const values = before === after ? 'has changed' : `${before} -> ${after}`;
  return `${of}: ${key} ${values} (${RELOAD_COSTS[cost]})`;
}

function effectText(plan: InstancePlan): string {
  const what = INSTANCE_EFFECTS[plan.effect];
  if (plan.effect === 'added') return what;
  if (!plan.isMaster) return `${what}; it is not master, so no client notices`;
  return `${what}; it is MASTER and hands over first`;
}

function handsOver({ effect, isMaster }: InstancePlan): boolean {
  return isMaster && (effect === 'restarted' || effect === 'removed');
}

function costLine({ instances }: ReloadPlan): string {
  const count = instances.filter(handsOver).length;
  if (count === 0) return 'no master is restarted';
  return (
    `${counted(count, 'master')} ${count === 1 ? 'hands' : 'hand'} over: without another node ` +
    'that takes over, the virtual IP is away until this node is master again'
  );
}
