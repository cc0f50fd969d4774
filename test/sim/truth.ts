// What a world knows better than its nodes: whether a path has really passed a frame, when an
// advert really came in, and whether a gate would open.
import type { Bus } from './bus.ts';
import type { CarpdNode } from './carpd-node.ts';
import type { Client } from './client.ts';
import type { Settled } from './invariants.ts';
import type { SimNode, Transition } from './node.ts';
import type { Station } from './station.ts';
import type { UcarpNode } from './ucarp-node.ts';

/** What the truth is about. */
export interface Scenery {
  readonly bus: Bus;
  readonly nodes: readonly SimNode[];
  readonly carpdNodes: readonly CarpdNode[];
  readonly ucarpNodes: readonly UcarpNode[];
  readonly client: Client | undefined;
}

/** How far apart two clocks of one node can be in microseconds: timers have whole milliseconds. */
const CLOCK_ERROR_US = 1;

/** What is wrong with this promotion of a carpd node, whatever the world is like. */
export function promotionFaults(node: CarpdNode, { at, cause }: Transition): string[] {
  const faults: string[] = [];
  const { gate } = node.options.readiness;
  if (gate.policy === 'hold' && node.station.framesOnPath === 0) {
    faults.push(`${node.name} is promoted over a path on which nothing has come in`);
  }
  const { advertCameAt } = node;
  if (cause === 'master-down' && advertCameAt !== undefined) {
    const silence = at - advertCameAt;
    if (silence + CLOCK_ERROR_US < node.patience) {
      faults.push(`${node.name} takes over from a master whose advert had come in`);
    }
  }
  return faults;
}

/** All nodes, with what they may do and ought to do. */
export function judgeNodes(scenery: Scenery): Settled[] {
  const carpds = new Map<string, CarpdNode>(scenery.carpdNodes.map((node) => [node.name, node]));
  return scenery.nodes.map((node) => {
    const { name, alive, isMaster, mayServe, station } = node;
    const carpd = carpds.get(name);
    const wouldOpen = carpd === undefined || carpd.gateOpen || opens(carpd, scenery);
    const eligible = mayServe && wouldOpen;
    return { name, alive, isMaster, holdsVip: station.holdsVip, mayServe, eligible };
  });
}

/** Whether there is somebody who would open a gate that asks. */
function opens(node: CarpdNode, scenery: Scenery): boolean {
  const { gate, targets, vipInUse } = node.options.readiness;
  const { bus, nodes, carpdNodes, ucarpNodes, client } = scenery;
  const near = (station: Station): boolean =>
    station !== node.station &&
    station.onLine &&
    bus.componentOf(station) === bus.componentOf(node.station);
  // One that has the address and runs no daemon keeps away everybody who has not heard it.
  const abandoned = nodes.some(({ station, alive }) => {
    return near(station) && station.holdsVip && !alive;
  });
  if (abandoned && vipInUse !== 'off') return false;
  if (gate.policy !== 'hold') return true;
  if (gate.requireProbe) {
    return bus.stations.some((other) => {
      return near(other) && other.addressed && targets.includes(other.address);
    });
  }
  if (client?.chatters === true && near(client.station)) return true;
  if (ucarpNodes.some(({ station, alive }) => alive && near(station))) return true;
  return carpdNodes.some((other) => near(other.station) && (other.probes || other.isMaster));
}
