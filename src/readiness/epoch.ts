// The link epochs of an interface: proof is good as long as the path it came by is the same.
import { fromSeconds, type Micros } from '../base/time.ts';
import type { LinkFacts, LowerFacts } from './facts.ts';
import type { BondVerdict } from './lacp.ts';

/** What ends an epoch: the path may have changed. In the order in which one of several is named. */
export const EPOCH_END_CAUSES = {
  'late-wake': 'the process did not run for longer than a master may be silent',
  'ifindex-changed': 'the interface was replaced by another one of its name',
  'mac-changed': 'the MAC address of the interface changed',
  'carrier-lost': 'the carrier was lost',
  'uplink-changed': 'the interface stands on another device than before',
  'active-port-changed': 'the bond changed its active slave',
  'aggregator-changed': 'the bond changed its active aggregator',
  'partner-changed': 'the LACP partner of the bond changed',
  'last-port-lost': 'the last ready port of the bond was lost',
} as const;

export type EpochEndCause = keyof typeof EPOCH_END_CAUSES;

export interface Epoch {
  /** Counts from 1. */
  readonly number: number;
  readonly since: Micros;
  /** What ended the epoch before; undefined for the first one. */
  readonly cause: EpochEndCause | undefined;
  /** Since when there has been carrier in this epoch without a break; undefined: there is none. */
  readonly carrierUpAt: Micros | undefined;
}

const LATE_MIN = fromSeconds(1);

/** Whether a process that was late by so much must take its evidence for old. */
export function isTooLate(lateBy: Micros, deadInterval: Micros): boolean {
  return lateBy > Math.max(deadInterval, LATE_MIN);
}

/** What was last known; what can't be read now leaves it as it was. */
interface Known {
  ifindex?: number;
  mac?: string;
  carrier?: boolean;
  carrierLosses?: number;
  uplink?: string;
  activePort?: string;
  aggregatorId?: number;
  partnerMac?: string;
  portReady?: boolean;
}

/**
 * Follows the facts of one interface. A port that joins or leaves while another stays ready ends
 * nothing, nor does anything that becomes known for the first time or can't be read for a while.
 */
export class EpochTracker {
  #known: Known = {};
  #epoch: Epoch;

  constructor(now: Micros) {
    this.#epoch = { number: 1, since: now, cause: undefined, carrierUpAt: undefined };
  }

  get current(): Epoch {
    return this.#epoch;
  }

  /** Ends the epoch if these facts say so, and begins the next one; returns why. */
  observe(
    facts: LinkFacts | undefined,
    bond: BondVerdict | undefined,
    now: Micros,
  ): EpochEndCause | undefined {
    const seen = knowable(facts, bond);
    const cause = difference(this.#known, seen);
    this.#known = { ...this.#known, ...seen };
    if (cause !== undefined) this.end(cause, now);
    const { carrierUpAt } = this.#epoch;
    if (this.#known.carrier !== true) this.#epoch = { ...this.#epoch, carrierUpAt: undefined };
    else this.#epoch = { ...this.#epoch, carrierUpAt: carrierUpAt ?? now };
    return cause;
  }

  /** Ends the epoch for a reason that no facts show. */
  end(cause: EpochEndCause, now: Micros): void {
    const carrierUpAt = this.#known.carrier === true ? now : undefined;
    this.#epoch = { number: this.#epoch.number + 1, since: now, cause, carrierUpAt };
  }
}

function difference(known: Known, seen: Known): EpochEndCause | undefined {
  if (changed(known.ifindex, seen.ifindex)) return 'ifindex-changed';
  if (changed(known.mac, seen.mac)) return 'mac-changed';
  if (known.carrier === true && seen.carrier === false) return 'carrier-lost';
  if ((seen.carrierLosses ?? 0) > (known.carrierLosses ?? Infinity)) return 'carrier-lost';
  if (changed(known.uplink, seen.uplink)) return 'uplink-changed';
  if (changed(known.activePort, seen.activePort)) return 'active-port-changed';
  if (changed(known.aggregatorId, seen.aggregatorId)) return 'aggregator-changed';
  if (changed(known.partnerMac, seen.partnerMac)) return 'partner-changed';
  if (known.portReady === true && seen.portReady === false) return 'last-port-lost';
  return undefined;
}

function changed<Value>(known: Value | undefined, seen: Value | undefined): boolean {
  return known !== undefined && seen !== undefined && known !== seen;
}

/** Only what could be read; an interface that is gone has no carrier, and that is all it has. */
function knowable(facts: LinkFacts | undefined, bond: BondVerdict | undefined): Known {
  if (facts === undefined) return { carrier: false };
  const { ifindex, mac, carrier, carrierLosses, lower } = facts;
  const uplink = uplinkOf(lower);
  return {
    ifindex,
    ...(mac === undefined ? {} : { mac }),
    ...(carrier === undefined ? {} : { carrier }),
    ...(carrierLosses === undefined ? {} : { carrierLosses }),
    ...(uplink === undefined ? {} : { uplink }),
    ...bondKnowledge(lower),
    ...(bond === undefined || bond.portReady === 'unknown'
      ? {}
      : { portReady: bond.portReady === 'met' }),
  };
}

function uplinkOf(lower: LowerFacts): string | undefined {
  if (lower.kind === 'unseen') return undefined;
  return lower.kind === 'plain' ? 'plain' : `${lower.kind} ${lower.name}`;
}

function bondKnowledge(lower: LowerFacts): Known {
  if (lower.kind !== 'bond') return {};
  const { mode, activePort, activeAggregatorId, partnerMac } = lower;
  if (mode === 'active-backup') return activePort === undefined ? {} : { activePort };
  if (mode !== '802.3ad') return {};
  return {
    ...(activeAggregatorId === undefined ? {} : { aggregatorId: activeAggregatorId }),
    ...(partnerMac === undefined ? {} : { partnerMac }),
  };
}
