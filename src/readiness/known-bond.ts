// What is last known of one bond below an interface, and which change of it means that the path may
// have changed.
import type { Mac } from '../base/addresses.ts';
import type { BondFacts, BondMode } from './facts.ts';
import { judgeBond, type BondVerdict } from './lacp.ts';

/** What a bond did that ends an epoch; see EPOCH_END_CAUSES. */
export type BondChange =
  | 'carrier-lost'
  | 'active-port-changed'
  | 'aggregator-changed'
  | 'partner-changed'
  | 'last-port-lost'
  | 'port-lost';

/** What can't be read now is as it was. */
export interface KnownBond {
  readonly activePort?: number;
  readonly aggregatorId?: number;
  readonly partnerMac?: Mac;
  readonly portReady?: boolean;
  /** The indexes of the ports that were last known to be ready; of a mode that shares traffic. */
  readonly readyPorts?: ReadonlySet<number>;
  /** How often each port that has link was lost so far, by index. */
  readonly portLosses?: ReadonlyMap<number, number>;
}

/** What is known of the bond after these facts; `before`: what was known of the same one. */
export function bondKnowledge(bond: BondFacts, before: KnownBond = {}): KnownBond {
  const verdict = judgeBond(bond);
  return {
    ...before,
    ...pathKnowledge(bond),
    ...(verdict.portReady === 'unknown' ? {} : { portReady: verdict.portReady === 'met' }),
    ...portKnowledge(bond, verdict, before.readyPorts),
    portLosses: lossKnowledge(bond, before.portLosses),
  };
}

/**
 * Why the path through this bond may be another one now. `proved` are the ports through which
 * frames that count have come in: a ready port that leaves ends nothing where one of them stays.
 */
export function bondDifference(
  known: KnownBond,
  seen: KnownBond,
  proved: ReadonlySet<number>,
): BondChange | undefined {
  if (changed(known.activePort, seen.activePort)) return 'active-port-changed';
  if (wasLost(known, seen, seen.activePort)) return 'carrier-lost';
  if (changed(known.aggregatorId, seen.aggregatorId)) return 'aggregator-changed';
  if (changed(known.partnerMac, seen.partnerMac)) return 'partner-changed';
  if (known.portReady === true && seen.portReady === false) return 'last-port-lost';
  return losesPort(known, seen, proved) ? 'port-lost' : undefined;
}

function changed<Value>(known: Value | undefined, seen: Value | undefined): boolean {
  return known !== undefined && seen !== undefined && known !== seen;
}

/** A port that is as it was has lost its carrier, or left the bond, meanwhile. */
function wasLost(known: KnownBond, seen: KnownBond, port: number | undefined): boolean {
  if (port === undefined) return false;
  return (seen.portLosses?.get(port) ?? 0) > (known.portLosses?.get(port) ?? Infinity);
}

/** In active-backup all ports but the active one are idle, and a change of that one is noticed. */
function losesPort(known: KnownBond, seen: KnownBond, proved: ReadonlySet<number>): boolean {
  const { readyPorts: before } = known;
  const { readyPorts: after } = seen;
  if (before === undefined || after === undefined || after.size === 0) return false;
  const staying = [...before].filter((port) => after.has(port) && !wasLost(known, seen, port));
  return staying.length < before.size && !staying.some((port) => proved.has(port));
}

/** Of a port without link it stays as it was: the loss tells when the link is back. */
function lossKnowledge(
  { ports }: BondFacts,
  before: KnownBond['portLosses'],
): ReadonlyMap<number, number> {
  const counted = ports.flatMap(({ ifindex, linkUp, losses }): [number, number][] => {
    const count = linkUp === false ? before?.get(ifindex) : losses;
    return count === undefined ? [] : [[ifindex, count]];
  });
  return new Map(counted);
}

/** Whose ports share the traffic; a port that can't be read now is what it was. */
function portKnowledge(
  { mode }: BondFacts,
  { ports }: BondVerdict,
  before: ReadonlySet<number> = new Set(),
): KnownBond {
  if (mode === 'active-backup') return { readyPorts: new Set() };
  if (mode === undefined) return {};
  const ready = ports.filter(({ ifindex, status }) => {
    return status === 'met' || (status === 'unknown' && before.has(ifindex));
  });
  return { readyPorts: new Set(ready.map(({ ifindex }) => ifindex)) };
}

/**
 * Modes in which one slave takes in what is sent to all, adverts among it (bond_uses_primary of the
 * driver's include/net/bonding.h).
 */
function hasActivePort(mode: BondMode | undefined): boolean {
  return mode === 'active-backup' || mode === 'balance-tlb' || mode === 'balance-alb';
}

function pathKnowledge({ mode, activePort, activeAggregatorId, partnerMac }: BondFacts): KnownBond {
  if (hasActivePort(mode)) return activePort === undefined ? {} : { activePort };
  if (mode !== '802.3ad') return {};
  return {
    ...(activeAggregatorId === undefined ? {} : { aggregatorId: activeAggregatorId }),
    ...(partnerMac === undefined ? {} : { partnerMac }),
  };
}
