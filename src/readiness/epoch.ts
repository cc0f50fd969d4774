// The link epochs of an interface: proof is good as long as the path it came by is the same.
import type { Mac } from '../base/addresses.ts';
import { fromSeconds, type Micros } from '../base/time.ts';
import { bondsOf, type LinkFacts, type LowerFacts, type UplinkFacts } from './facts.ts';
import { bondDifference, bondKnowledge, type KnownBond } from './known-bond.ts';

/** What ends an epoch: the path may have changed. In the order in which one of several is named. */
export const EPOCH_END_CAUSES = {
  'late-wake': 'the process stood still for longer than a master may be silent',
  'ifindex-changed': 'the interface was replaced by another one with the same name',
  'mac-changed': 'the MAC address of the interface changed',
  'carrier-lost': 'the carrier was lost',
  'uplink-changed': 'an uplink is gone or has changed',
  'active-port-changed': 'the bond changed its active slave',
  'aggregator-changed': 'the bond changed its active aggregator',
  'partner-changed': 'the LACP partner of the bond changed',
  'last-port-lost': 'the last ready port of the bond was lost',
  'port-lost': 'a ready port of the bond was lost, and no other is known to pass frames',
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
  mac?: Mac;
  carrier?: boolean;
  /** The carrier is missing for a reason that has to do with the uplinks. */
  byUplinks?: boolean;
  carrierLosses?: number;
  uplinkLosses?: number;
  lower?: string;
  uplinks?: readonly UplinkFacts[];
  /** By index. */
  bonds?: ReadonlyMap<number, KnownBond>;
}

/**
 * Follows the facts of one interface. A port or an uplink that joins ends nothing, nor does what
 * becomes known for the first time or can't be read for a while. A ready port that leaves ends the
 * epoch, since those that stay may pass LACP and no data, unless one of them has passed data in it.
 */
export class EpochTracker {
  #known: Known = {};
  #epoch: Epoch;
  #readyPorts = 0;

  constructor(now: Micros) {
    this.#epoch = { number: 1, since: now, cause: undefined, carrierUpAt: undefined };
  }

  get current(): Epoch {
    return this.#epoch;
  }

  /**
   * How many ports of a bond are ready, of the one that has most; 0 where none shares the traffic
   * with others.
   */
  get readyPorts(): number {
    return this.#readyPorts;
  }

  /**
   * Ends the epoch if these facts say so, and begins the next one; returns why. `proved` are the
   * ports of bonds through which frames that count came in during this epoch.
   */
  observe(
    facts: LinkFacts | undefined,
    now: Micros,
    proved: ReadonlySet<number> = new Set(),
  ): EpochEndCause | undefined {
    const seen = knowable(facts, this.#known);
    const cause = difference(this.#known, seen) ?? changeBelow(this.#known, seen, proved);
    this.#known = { ...this.#known, ...seen };
    this.#readyPorts = mostReadyPorts(facts, seen);
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
  if (known.carrier === true && seen.carrier === false) {
    return seen.byUplinks === true ? 'uplink-changed' : 'carrier-lost';
  }
  if (lacksAny(known.uplinks, seen.uplinks, hasStayed)) return 'uplink-changed';
  // What an uplink that joins brings along, it had elsewhere: losses, say, or a bond.
  if (!lacksAny(seen.uplinks, known.uplinks, isSameWay)) {
    if ((seen.carrierLosses ?? 0) > (known.carrierLosses ?? Infinity)) return 'carrier-lost';
    if ((seen.uplinkLosses ?? 0) > (known.uplinkLosses ?? Infinity)) return 'uplink-changed';
    if (changed(known.lower, seen.lower)) return 'uplink-changed';
  }
  return undefined;
}

/** A change of any bond: frames may have come in by each of them. One that joins is new. */
function changeBelow(
  known: Known,
  seen: Known,
  proved: ReadonlySet<number>,
): EpochEndCause | undefined {
  for (const [ifindex, bond] of seen.bonds ?? []) {
    const before = known.bonds?.get(ifindex);
    const cause = before === undefined ? undefined : bondDifference(before, bond, proved);
    if (cause !== undefined) return cause;
  }
  return undefined;
}

function changed<Value>(known: Value | undefined, seen: Value | undefined): boolean {
  return known !== undefined && seen !== undefined && known !== seen;
}

/** Whether one of `known` is none of `seen`. */
function lacksAny(
  known: Known['uplinks'],
  seen: Known['uplinks'],
  isOne: (known: UplinkFacts, seen: UplinkFacts) => boolean,
): boolean {
  if (known === undefined || seen === undefined) return false;
  return known.some((uplink) => !seen.some((other) => isOne(uplink, other)));
}

/** Where the tags become known by which its frames are known, what was seen of it still counts. */
function hasStayed(known: UplinkFacts, seen: UplinkFacts): boolean {
  if (known.above !== undefined && seen.above === undefined) return known.ifindex === seen.ifindex;
  return keyOf(known) === keyOf(seen);
}

function isSameWay(one: UplinkFacts, other: UplinkFacts): boolean {
  return hasStayed(one, other) || hasStayed(other, one);
}

/** Only what could be read; an interface that is gone has no carrier, and that is all it has. */
function knowable(facts: LinkFacts | undefined, known: Known): Known {
  if (facts === undefined) return { carrier: false };
  const { ifindex, mac, carrier, uplinkFault, carrierLosses, uplinkLosses = 0, lower } = facts;
  const lowerKey = lowerKeyOf(lower);
  return {
    ifindex,
    byUplinks: uplinkFault !== undefined,
    ...(mac === undefined ? {} : { mac }),
    // Where the carrier is not known, some uplinks are not known either, nor what they have lost.
    ...(carrier === undefined ? {} : { carrier, uplinkLosses, uplinks: facts.uplinks }),
    ...(carrier === undefined || carrierLosses === undefined ? {} : { carrierLosses }),
    ...(lowerKey === undefined ? {} : { lower: lowerKey }),
    ...(lower.kind === 'unseen' ? {} : { bonds: bondsKnown(lower, known.bonds) }),
  };
}

/** Of a bond whose mode can't be read now it is not known whether its ports share anything. */
function mostReadyPorts(facts: LinkFacts | undefined, { bonds }: Known): number {
  const counts = bondsOf(facts?.lower).flatMap(({ mode, ifindex }) => {
    const ready = bonds?.get(ifindex)?.readyPorts;
    return mode === undefined || ready === undefined ? [] : [ready.size];
  });
  return Math.max(0, ...counts);
}

function bondsKnown(lower: LowerFacts, before: Known['bonds']): ReadonlyMap<number, KnownBond> {
  return new Map(
    bondsOf(lower).map((bond) => [bond.ifindex, bondKnowledge(bond, before?.get(bond.ifindex))]),
  );
}

function keyOf({ ifindex, vlans, above }: UplinkFacts): string {
  return [above ?? '', ifindex, ...vlans].join(' ');
}

/** By the index: a bond that gets a new name is the same path. */
function lowerKeyOf(lower: LowerFacts): string | undefined {
  if (lower.kind === 'unseen') return undefined;
  if (lower.kind === 'plain') return 'plain';
  const all = lower.kind === 'team' ? [lower] : bondsOf(lower);
  return [lower.kind === 'team' ? 'team' : 'bond', ...all.map(({ ifindex }) => ifindex)].join(' ');
}
