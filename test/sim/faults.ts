// What goes wrong in a world: each fault begins now and is over after a while.
import { fromMillis, fromSeconds, micros, type Micros } from '../../src/base/time.ts';
import { parseIpv4 } from '../../src/base/addresses.ts';
import { INTERFACE_FAULTS } from '../support/interface-faults.ts';
import { FAIR, type Bus } from './bus.ts';
import type { CarpdNode } from './carpd-node.ts';
import type { VirtualClock } from '../fakes/clock.ts';
import { USUAL } from './carpd-host.ts';
import type { SimNode } from './node.ts';
import type { Prng } from './prng.ts';
import { macOf } from './station.ts';
import type { Uplink } from './uplink.ts';

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
const BLOCKED_MAX = fromSeconds(6);
/** Faster than any node: whoever listens hears it more than once between two adverts of others. */
const STRANGER_PAUSE = fromMillis(400);
const FOREVER = fromSeconds(1_000_000);

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
  deaf: ({ bus }, { station }) => {
    for (const other of bus.stations) bus.cut(other, station, true);
    return () => bus.stations.forEach((other) => bus.cut(other, station, false));
  },
  mute: ({ bus }, { station }) => {
    for (const other of bus.stations) bus.cut(station, other, true);
    return () => bus.stations.forEach((other) => bus.cut(station, other, false));
  },
  'one way': ({ bus, prng }, { station }) => {
    const other = prng.pick(bus.stations);
    bus.cut(station, other, true);
    return () => bus.cut(station, other, false);
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
  'freeze all': ({ carpdNodes }) => {
    for (const node of carpdNodes) node.freeze();
    return () => carpdNodes.forEach((node) => node.thaw());
  },
  'dark path': (_stage, { station }) => {
    station.uplink.setDark(true);
    return () => station.uplink.setDark(false);
  },
  'blocked port': (_stage, node) => {
    flapToBlocked(node);
    return () => node.station.uplink.unblock();
  },
  'boot behind a blocked port': ({ prng }, node) => {
    node.crash('host');
    return () => {
      node.start();
      node.station.uplink.block(micros(prng.between(500_000, BLOCKED_MAX)));
    };
  },
  failover: (_stage, { station }) => {
    failOverToBlocked(station.uplink);
    return () => station.uplink.unblock();
  },
  'new card': ({ prng }, { station }) => {
    station.uplink.setMac(macOf(station.address, prng.between(1, 0xff)));
    return undefined;
  },
  'link flap': (_stage, node) => {
    node.setLink(false);
    return () => node.setLink(true);
  },
  'send failures': (_stage, node) => {
    node.sendFails = true;
    return () => void (node.sendFails = false);
  },
  'address failures': ({ carpdNodes }, node) => {
    node.performance = { ...USUAL, claimFails: true, releaseFails: true };
    // It is to need the address, or to get rid of it.
    for (const one of carpdNodes) one.handover();
    return () => void (node.performance = USUAL);
  },
  'slow commands': (_stage, node) => {
    node.performance = { ...USUAL, commandMaxUs: 3_000_000, hookMaxUs: 6_000_000 };
    return () => void (node.performance = USUAL);
  },
  handover: ({ carpdNodes }) => {
    for (const node of carpdNodes) node.handover();
    return undefined;
  },
  maintenance: (_stage, node) => {
    node.setMaintenance(true);
    return () => node.setMaintenance(false);
  },
  stop: (_stage, node) => {
    node.stop();
    return () => {
      node.crash('process');
      node.start();
    };
  },
  interface: ({ prng }, node) => {
    node.setInterface(prng.pick(INTERFACE_FAULTS));
    return () => node.setInterface(undefined);
  },
  stranger: ({ bus, prng, clock }, node) => {
    const from = parseIpv4('10.77.0.200') ?? node.station.address;
    const timers = prng.pick([
      { advbase: 1, advskew: 0, demote: 1 },
      { advbase: 1, advskew: 254, demote: 255 },
      { advbase: 200, advskew: 0, demote: 0 },
      { advbase: 255, advskew: 255, demote: 0 },
      { advbase: 0, advskew: 1, demote: 0 },
    ]);
    const advert = { ...timers, counter: 1n };
    const frame = { kind: 'advert', mac: macOf(from), from, advert } as const;
    bus.strangerTalks = true;
    const talk = (): void => {
      if (!bus.strangerTalks) return;
      if (node.station.onLine) bus.inject(node.station, frame);
      clock.after(STRANGER_PAUSE, talk);
    };
    talk();
    // A demoted one is taken at its word only where it is heard alone.
    const others = timers.demote > 0 ? bus.stations : [];
    for (const other of others) bus.cut(other, node.station, true);
    return () => {
      bus.strangerTalks = false;
      for (const other of others) bus.cut(other, node.station, false);
    };
  },
};

/** The link comes back at once, and the port behind it passes nothing until it is unblocked. */
export function flapToBlocked(node: CarpdNode): void {
  node.setLink(false);
  node.station.uplink.block(FOREVER);
  node.setLink(true);
}

/** The new path is silent until it is unblocked. */
export function failOverToBlocked(uplink: Uplink): void {
  if (uplink.kind !== 'active-backup') return;
  uplink.block(FOREVER);
  uplink.failOver();
}

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
export function split({ bus, prng }: Pick<Stage, 'bus' | 'prng'>): void {
  bus.partition(new Map(bus.stations.map((station) => [station, prng.between(0, 1)])));
}

/** Ends every fault that still lasts. */
export function heal({ bus, nodes, carpdNodes }: Stage): void {
  bus.weather = FAIR;
  bus.strangerTalks = false;
  bus.partition(new Map());
  for (const from of bus.stations) for (const to of bus.stations) bus.cut(from, to, false);
  for (const { uplink } of bus.stations) {
    uplink.unblock();
    uplink.setDark(false);
  }
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
