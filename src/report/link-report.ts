// What is known of the link of an instance, as plain data for its report: gate, conditions, epoch,
// evidence, the ports of the bond, doubt. Pure; null and times are as in report.ts.
import { formatAddress, formatIpv4 } from '../base/addresses.ts';
import { since, toMillis, type Micros } from '../base/time.ts';
import type { GateConfig, InstanceConfig } from '../config/config.ts';
import { DOUBT_CAUSES, type DoubtCause } from '../readiness/doubt.ts';
import { EPOCH_END_CAUSES, type EpochEndCause } from '../readiness/epoch.ts';
import type { EvidenceKind } from '../readiness/evidence.ts';
import type { GateKey } from '../readiness/gate.ts';
import { CONDITIONS, type Condition, type ConditionName } from '../readiness/judge.ts';
import { PORT_FAULTS, type PortFault, type StateBit } from '../readiness/lacp.ts';
import { REASONS, WARNINGS, type Reason, type Warning } from '../readiness/reasons.ts';
import type { InstanceSnapshot, ReadinessSnapshot } from '../readiness/snapshot.ts';

/** Something that is missing, or not as it should be, with what would help. */
export interface Advice<Name extends string> {
  readonly name: Name;
  readonly meaning: string;
  readonly remedy: string;
}

export interface GateReport {
  readonly policy: GateConfig['policy'];
  readonly open: boolean;
  /** What opened it. */
  readonly by: GateKey | null;
  readonly openForMs: number | null;
  /** When its time limit opens it, if nothing else does. */
  readonly opensInMs: number | null;
  /** All that is missing, also where the policy overrides it. */
  readonly reasons: readonly Advice<Reason>[];
}

export interface ConditionReport {
  readonly name: ConditionName;
  readonly status: Condition['status'];
  readonly reasons: readonly Reason[];
}

export interface EvidenceReport {
  readonly kind: EvidenceKind;
  readonly count: number;
  /** The newest piece: an IPv4 or MAC address. */
  readonly from: string;
  readonly agoMs: number;
  /** How long ago the first piece came in. */
  readonly firstAgoMs: number;
  readonly epoch: number;
}

export interface PortReport {
  readonly name: string;
  readonly status: 'met' | 'not-met' | 'unknown';
  readonly faults: readonly { readonly name: PortFault; readonly meaning: string }[];
  /** The bits of our LACP state that are set; null without LACP, or where it could not be read. */
  readonly actor: readonly StateBit[] | null;
  readonly partner: readonly StateBit[] | null;
}

export interface BondReport {
  readonly name: string;
  readonly mode: string | null;
  readonly partnerMac: string | null;
  /** Judged one by one. */
  readonly ports: readonly PortReport[];
  /** Answers of a heard master that stand, or may come to stand, for LACP. */
  readonly fallback: { readonly met: boolean; readonly answeredForMs: number | null };
}

export interface DoubtReport {
  readonly cause: DoubtCause;
  readonly meaning: string;
  readonly forMs: number;
  /** When it ends if no other master is heard; null as long as proof is wanting. */
  readonly endsInMs: number | null;
}

/** The readiness of an instance's link. */
export interface LinkReport {
  readonly gate: GateReport;
  /** As this instance sees them. */
  readonly conditions: readonly ConditionReport[];
  /** Of the instance and of the link. */
  readonly warnings: readonly Advice<Warning>[];
  readonly epoch: {
    readonly number: number;
    readonly forMs: number;
    /** What ended the one before. */
    readonly cause: EpochEndCause | null;
    readonly meaning: string | null;
    /** How long there has been carrier without a break, in this epoch. */
    readonly carrierForMs: number | null;
  };
  /** Of this epoch, best kind first. */
  readonly evidence: readonly EvidenceReport[];
  readonly bond: BondReport | null;
  readonly doubt: DoubtReport | null;
  /** The last valid advert of another node. */
  readonly lastAdvert: { readonly from: string; readonly agoMs: number } | null;
  /** No advert is heard that is due. */
  readonly silent: boolean;
  /** Who else answers for the virtual IP. */
  readonly vipHolder: { readonly mac: string; readonly agoMs: number } | null;
  /** The frame witness, which sees what the firewall may drop. */
  readonly witnessOpen: boolean;
  /** Who is being asked by ARP. */
  readonly probing: readonly string[];
}

/** Null if the readiness does not know the instance, as before it has joined its interface. */
export function reportLink(
  readiness: ReadinessSnapshot,
  { name, gate: { policy } }: InstanceConfig,
  now: Micros,
): LinkReport | null {
  const instance = readiness.instances.find((one) => one.name === name);
  if (instance === undefined) return null;
  const { number, since: begun, cause, carrierUpAt } = readiness.epoch;
  const { doubt, lastAdvert, vipHolder } = instance;
  return {
    gate: reportGate(instance, policy, now),
    conditions: CONDITIONS.map((one) => ({ name: one, ...instance.conditions[one] })),
    warnings: [...instance.warnings, ...readiness.warnings].map(warningAdvice),
    epoch: {
      number,
      forMs: msSince(begun, now),
      cause: cause ?? null,
      meaning: cause === undefined ? null : EPOCH_END_CAUSES[cause],
      carrierForMs: msSinceAny(carrierUpAt, now),
    },
    evidence: readiness.evidence.map(({ kind, count, first, latest }) => ({
      kind,
      count,
      from: formatAddress(latest.from),
      agoMs: msSince(latest.at, now),
      firstAgoMs: msSince(first.at, now),
      epoch: latest.epoch,
    })),
    bond: reportBond(readiness, now),
    doubt:
      doubt === undefined
        ? null
        : {
            cause: doubt.cause,
            meaning: DOUBT_CAUSES[doubt.cause],
            forMs: msSince(doubt.since, now),
            endsInMs: msUntilAny(doubt.endsAt, now),
          },
    lastAdvert:
      lastAdvert === undefined
        ? null
        : { from: formatIpv4(lastAdvert.from), agoMs: msSince(lastAdvert.at, now) },
    silent: instance.silent,
    vipHolder:
      vipHolder === undefined ? null : { mac: vipHolder.mac, agoMs: msSince(vipHolder.at, now) },
    witnessOpen: readiness.witnessOpen,
    probing: readiness.probing.map(formatIpv4),
  };
}

function reportGate(
  { gate, openSince }: InstanceSnapshot,
  policy: GateConfig['policy'],
  now: Micros,
): GateReport {
  return {
    policy,
    open: gate.open,
    by: gate.by ?? null,
    openForMs: msSinceAny(openSince, now),
    opensInMs: msUntilAny(gate.opensAt, now),
    reasons: gate.reasons.map((name) => ({ name, ...REASONS[name] })),
  };
}

function reportBond({ facts, ports, fallback }: ReadinessSnapshot, now: Micros): BondReport | null {
  if (typeof facts !== 'object' || facts.lower.kind !== 'bond') return null;
  const { name, mode, partnerMac } = facts.lower;
  return {
    name,
    mode: mode ?? null,
    partnerMac: partnerMac ?? null,
    ports: ports.map((port) => ({
      name: port.name,
      status: port.status,
      faults: port.faults.map((fault) => ({ name: fault, meaning: PORT_FAULTS[fault] })),
      actor: port.actorBits ?? null,
      partner: port.partnerBits ?? null,
    })),
    fallback: { met: fallback.met, answeredForMs: msSinceAny(fallback.answeredSince, now) },
  };
}

function warningAdvice(name: Warning): Advice<Warning> {
  return { name, ...WARNINGS[name] };
}

/** Whole milliseconds from `at` to `now`. */
export function msSince(at: Micros, now: Micros): number {
  return Math.round(toMillis(since(now, at)));
}

function msSinceAny(at: Micros | undefined, now: Micros): number | null {
  return at === undefined ? null : msSince(at, now);
}

/** Whole milliseconds from `now` to `at`; null: there is no such time. */
export function msUntilAny(at: Micros | undefined, now: Micros): number | null {
  return at === undefined ? null : msSince(now, at);
}
