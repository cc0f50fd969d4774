// What must hold of a world that was left in peace long enough, and how long is long enough.
import { fromSeconds, micros, type Micros } from '../../src/base/time.ts';
import type { SimNode } from './node.ts';

/** What peace finds unfinished. */
export interface Unrest {
  /** A node that could not add the address is held for a while. */
  readonly vipRetry: boolean;
  /** A node whose sends failed bids low until they have worked for a while. */
  readonly demoted: boolean;
  /** A master that steps down waits for its address or its hook. */
  readonly leaving: boolean;
}

/** The gate opens so long after the link is back. */
const PROOF = fromSeconds(2);
/** Commands and hooks that were slow when peace came, and what waits behind them. */
const SLOW_COMMANDS = fromSeconds(8);
const VIP_RETRY = fromSeconds(10);
/** Three sends that work end a demotion, or ten dead intervals where nothing is sent. */
const DEMOTION_SENDS = 4;
const DEMOTION_DEAD_INTERVALS = 10;

/** What of a node is judged. */
export type Settled = Pick<SimNode, 'name' | 'alive' | 'isMaster' | 'holdsVip' | 'eligible'>;

/**
 * How long after the last fault the last transition can come. Silence makes somebody master after
 * the longest dead interval; the others hear of it, and masters that met yield, within an interval
 * and the receiver's latency. Whoever preempts does so a dead interval later, and the one it
 * replaced, or that replaces it, may be second of three: so twice. Demotion and address failures
 * put off the moment from which all this counts.
 */
export function settleTime(nodes: readonly SimNode[], unrest: Unrest): Micros {
  const longest = (of: (node: SimNode) => Micros): number => Math.max(...nodes.map(of));
  const dead = longest((node) => node.patience);
  const interval = longest((node) => node.slowestInterval);
  const heard = interval + longest((node) => node.latency);
  let bound = PROOF + dead + 2 * heard;
  const preempts = nodes.some((node) => node.preempts);
  if (preempts) bound += 2 * (dead + heard);
  if (unrest.leaving) bound += SLOW_COMMANDS;
  if (unrest.vipRetry) bound += VIP_RETRY + dead;
  if (unrest.demoted) bound += DEMOTION_SENDS * interval;
  if (unrest.demoted && preempts) bound += DEMOTION_DEAD_INTERVALS * dead;
  return micros(bound);
}

/** What is wrong with a world that should have settled. */
export function settledFaults<Node extends Settled>(
  nodes: readonly Node[],
  componentOf: (node: Node) => number,
): string[] {
  const faults: string[] = [];
  // Without a link a node is a component of its own, and may not be master of it for long.
  for (const node of nodes) {
    if (node.isMaster && !node.eligible) faults.push(`${node.name} is master and may not be`);
    if (node.alive && node.holdsVip !== node.isMaster) {
      faults.push(`${node.name} ${node.holdsVip ? 'has' : 'lacks'} the address wrongly`);
    }
  }
  for (const component of new Set(nodes.map(componentOf))) {
    const members = nodes.filter((node) => componentOf(node) === component);
    const masters = members.filter((node) => node.isMaster).map(({ name }) => name);
    const wanted = members.some((node) => node.eligible) ? 1 : 0;
    if (masters.length !== wanted) {
      faults.push(
        `${String(masters.length)} masters instead of ${String(wanted)}: ${masters.join()}`,
      );
    }
  }
  return faults;
}

/**
 * How often nodes can be promoted after the last fault: by silence, by a bow-out, by preemption.
 */
export function promotionsMax(nodes: readonly SimNode[]): number {
  return 3 * nodes.length;
}
