// What must hold of a world that was left in peace long enough, and how long is long enough.
import { fromSeconds, micros, type Micros } from '../../src/base/time.ts';
import { PROMOTE_AFTER } from './carpd-node.ts';
import type { SimNode } from './node.ts';

/** What peace finds unfinished. */
export interface Unrest {
  /** A node that could not add the address is held for a while. */
  readonly vipRetry: boolean;
  /** A node whose sends failed bids low until they have worked for a while. */
  readonly demoted: boolean;
  /** A master that steps down waits for its address or its hook. */
  readonly leaving: boolean;
  /** A gate opens by its time limit. */
  readonly impatient: boolean;
}

/** LACP forms again, probes are answered, and who has the address no more is forgotten. */
const PROOF = fromSeconds(4);
/** Commands and hooks that were slow when peace came, and what waits behind them. */
const SLOW_COMMANDS = fromSeconds(8);
const VIP_RETRY = fromSeconds(10);
/** Three sends that work end a demotion, or ten dead intervals where nothing is sent. */
const DEMOTION_SENDS = 4;
const DEMOTION_DEAD_INTERVALS = 10;

/** What of a node is judged. */
export interface Settled {
  readonly name: string;
  readonly alive: boolean;
  readonly isMaster: boolean;
  readonly holdsVip: boolean;
  /** Nothing forbids that it is master, as one that stays on a silent segment. */
  readonly mayServe: boolean;
  /** It would become master if it heard none. */
  readonly eligible: boolean;
}

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
  if (unrest.impatient) bound += PROMOTE_AFTER;
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
  for (const node of nodes) {
    if (node.isMaster && !node.mayServe) faults.push(`${node.name} is master and may not be`);
    if (node.alive && node.holdsVip !== node.isMaster) {
      faults.push(`${node.name} ${node.holdsVip ? 'has' : 'lacks'} the address wrongly`);
    }
  }
  for (const component of new Set(nodes.map(componentOf))) {
    const members = nodes.filter((node) => componentOf(node) === component);
    const masters = members.filter((node) => node.isMaster).map(({ name }) => name);
    const eligible = members.filter((node) => node.eligible).map(({ name }) => name);
    if (masters.length > 1) faults.push(`${String(masters.length)} masters: ${masters.join()}`);
    if (masters.length === 0 && eligible.length > 0) {
      faults.push(`no master, though there could be one: ${eligible.join()}`);
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
