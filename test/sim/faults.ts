// What goes wrong in a world: each fault begins now and is over after a while.
import { fromMillis, micros, type Micros } from '../../src/base/time.ts';
import { parseIpv4 } from '../../src/carp/addresses.ts';
import { INTERFACE_FAULTS } from '../support/interface-faults.ts';
import { FAIR, type Bus } from './bus.ts';
import type { CarpdNode } from './carpd-node.ts';
import type { VirtualClock } from './clock.ts';
import { USUAL } from './executor.ts';
import type { SimNode } from './node.ts';
import type { Prng } from './prng.ts';

/** What a fault may lay hands on. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly prng: Prng;
  readonly bus: Bus;
  readonly nodes: readonly SimNode[];
  readonly carpdNodes: readonly CarpdNode[];
}

/** No fault lasts longer. */
export const FAULT_MAX: Micros = fromMillis(12_000);

/** Begins a fault and returns what ends it, or undefined where it was over at once. */
type Fault = (stage: Stage, node: CarpdNode, any: SimNode) => (() => void) | undefined;

const FAULTS: Readonly<Record<string, Fault>> = {
  loss: ({ bus, prng }) => {
    bus.weather = { ...FAIR, loss: prng.next() };
    return () => void (bus.weather = FAIR);
  },
  delay: ({ bus, prng }) => {
    bus.weather = { loss: 0.05, duplication: 0.3, delayMaxUs: prng.between(50_000, 1_500_000) };
    return () => void (bus.weather = FAIR);
  },
  deaf: ({ bus, nodes }, node) => {
    for (const other of nodes) bus.cut(other, node, true);
    return () => nodes.forEach((other) => bus.cut(other, node, false));
  },
  mute: ({ bus, nodes }, node) => {
    for (const other of nodes) bus.cut(node, other, true);
    return () => nodes.forEach((other) => bus.cut(node, other, false));
  },
  'one way': ({ bus, prng, nodes }, node) => {
    const other = prng.pick(nodes);
    bus.cut(node, other, true);
    return () => bus.cut(node, other, false);
  },
  partition: (stage) => {
    split(stage);
    return () => stage.bus.partition(new Map());
  },
  'host crash': (_stage, _node, any) => {
    any.crash('host');
    return () => any.start();
  },
  'process crash': (_stage, _node, any) => {
    any.crash('process');
    return () => any.start();
  },
  freeze: (_stage, node) => {
    node.freeze();
    return () => node.thaw();
  },
  'link flap': (_stage, node) => {
    node.setLink(false);
    return () => node.setLink(true);
  },
  'send failures': (_stage, node) => {
    node.sendFails = true;
    return () => void (node.sendFails = false);
  },
  'address failures': (_stage, node) => {
    node.performance = { ...USUAL, claimFails: true };
    if (node.isMaster) node.order({ kind: 'handover-requested' });
    return () => void (node.performance = USUAL);
  },
  'slow commands': (_stage, node) => {
    node.performance = { commandMaxUs: 3_000_000, hookMaxUs: 6_000_000, claimFails: false };
    return () => void (node.performance = USUAL);
  },
  handover: ({ carpdNodes }) => {
    for (const node of carpdNodes) node.order({ kind: 'handover-requested' });
    return undefined;
  },
  maintenance: (_stage, node) => {
    node.setMaintenance(true);
    return () => node.setMaintenance(false);
  },
  stop: (_stage, node) => {
    node.order({ kind: 'stop-requested' });
    return () => {
      node.crash('process');
      node.start();
    };
  },
  interface: ({ prng }, node) => {
    node.setInterface(prng.pick(INTERFACE_FAULTS));
    return () => node.setInterface(undefined);
  },
  stranger: ({ bus, prng }, node) => {
    const from = parseIpv4('10.77.0.200') ?? node.address;
    const timers = prng.pick([
      { advbase: 1, advskew: 0, demote: 1 },
      { advbase: 200, advskew: 0, demote: 0 },
      { advbase: 255, advskew: 255, demote: 0 },
      { advbase: 0, advskew: 1, demote: 0 },
    ]);
    bus.inject(node, { from, advert: { ...timers, counter: 1n } });
    return undefined;
  },
};

/** Begins some fault; it ends by itself, before FAULT_MAX has passed. Returns its name. */
export function beginFault(stage: Stage): string {
  const { prng, clock } = stage;
  const name = prng.pick(Object.keys(FAULTS));
  const node = prng.pick(stage.carpdNodes);
  const any = prng.pick(stage.nodes);
  const end = FAULTS[name]?.(stage, node, any);
  const longest = prng.chance(0.5) ? fromMillis(1_500) : FAULT_MAX;
  if (end !== undefined) clock.after(micros(prng.between(50_000, longest)), end);
  return `${name} (${node.name}, ${any.name})`;
}

/** Splits the segment in two, at random. */
export function split({ bus, prng, nodes }: Pick<Stage, 'bus' | 'prng' | 'nodes'>): void {
  bus.partition(new Map(nodes.map((node) => [node, prng.between(0, 1)])));
}

/** Ends every fault that still lasts. */
export function heal({ bus, nodes, carpdNodes }: Stage): void {
  bus.weather = FAIR;
  bus.partition(new Map());
  for (const from of nodes) for (const to of nodes) bus.cut(from, to, false);
  for (const node of carpdNodes) {
    node.thaw();
    node.sendFails = false;
    node.performance = USUAL;
    node.setMaintenance(false);
    node.setInterface(undefined);
    node.setLink(true);
  }
  for (const node of nodes) node.start();
}
