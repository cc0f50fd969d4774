// Whether a link has proved itself: three conditions, each met, not met or unknown.
import type { EvidenceLedger, Status } from './evidence.ts';
import type { LinkFacts } from './facts.ts';
import type { LacpFallback } from './lacp-fallback.ts';
import type { BondVerdict } from './lacp.ts';
import { sameList, type Reason, type Warning } from './reasons.ts';

export const CONDITIONS = ['carrier', 'lacp', 'frames'] as const;
export type ConditionName = (typeof CONDITIONS)[number];

export interface Condition {
  /** not-applicable: nothing is asked, as with LACP where there is no bond. */
  readonly status: Status | 'not-applicable';
  /** Empty if and only if nothing is missing. */
  readonly reasons: readonly Reason[];
}

export type Conditions = Readonly<Record<ConditionName, Condition>>;

export type Readiness = 'ready' | 'not-ready' | 'unknown';

export interface Verdict {
  readonly state: Readiness;
  /** All that is missing, not only the first; empty if and only if ready. */
  readonly reasons: readonly Reason[];
}

/**
 * Ready only if every condition is met or does not apply. Unknown is never ready; where something
 * is known to be missing as well, the verdict is not-ready.
 */
export function judge(conditions: Conditions): Verdict {
  const all = CONDITIONS.map((name) => conditions[name]);
  const reasons = all.flatMap((condition) => condition.reasons);
  if (all.some(({ status }) => status === 'not-met')) return { state: 'not-ready', reasons };
  if (all.some(({ status }) => status === 'unknown')) return { state: 'unknown', reasons };
  return { state: 'ready', reasons };
}

/** Whether there is nothing new in the other ones. */
export function sameConditions(a: Conditions, b: Conditions): boolean {
  return CONDITIONS.every((name) => {
    return a[name].status === b[name].status && sameList(a[name].reasons, b[name].reasons);
  });
}

export const MET: Condition = { status: 'met', reasons: [] };
const NOT_APPLICABLE: Condition = { status: 'not-applicable', reasons: [] };

/** `facts` undefined: the interface does not exist; 'unread': nobody has looked yet. */
export function carrierCondition(facts: LinkFacts | undefined | 'unread'): Condition {
  if (facts === undefined) return { status: 'not-met', reasons: ['interface-missing'] };
  if (facts === 'unread' || facts.carrier === undefined) {
    return { status: 'unknown', reasons: ['carrier-unknown'] };
  }
  return facts.carrier ? MET : { status: 'not-met', reasons: [facts.uplinkFault ?? 'no-carrier'] };
}

/** What can't be seen of the way down, so that less is judged. */
export function blindSpots(facts: LinkFacts | undefined | 'unread'): Warning[] {
  if (typeof facts !== 'object') return [];
  const warnings: Warning[] = [];
  if (facts.lower.kind === 'unseen') warnings.push('bond-unseen');
  if (facts.lower.kind === 'team') warnings.push('team-carrier-only');
  if (facts.uplinks.some(({ above }) => above !== undefined)) warnings.push('vlans-unread');
  return warnings;
}

/** A bond that is known to lack LACP may be proved by answers instead; one that is unknown not. */
export function lacpCondition(
  bond: BondVerdict | undefined,
  fallback: Pick<LacpFallback, 'met'>,
): Condition {
  if (bond === undefined) return NOT_APPLICABLE;
  if (provedByFallback(bond, fallback)) return MET;
  return { status: bond.status, reasons: bond.reasons };
}

/** Whether LACP is missing and answered probes stand for it. */
export function provedByFallback(
  bond: BondVerdict | undefined,
  fallback: Pick<LacpFallback, 'met'>,
): boolean {
  return isLacpMissing(bond) && fallback.met;
}

/** Whether there should be LACP, and there is known to be none. */
export function isLacpMissing(bond: BondVerdict | undefined): boolean {
  return bond?.lacp === true && bond.status === 'not-met';
}

/** Any evidence of this epoch will do. */
export function framesCondition(ledger: Pick<EvidenceLedger, 'proved'>): Condition {
  return ledger.proved ? MET : { status: 'not-met', reasons: ['no-frames'] };
}

/**
 * What `requireProbe` makes of the same evidence: only an answered probe counts, and once the
 * master has fallen silent (`silent`) only one that was answered after its last advert
 * (`advertAt`): an older answer does not tell whether it is the master that died or our own link.
 * While adverts come in, the older answer is good: else each of them would close the gate for a
 * moment.
 */
export function strictFramesCondition(
  ledger: Pick<EvidenceLedger, 'answeredAt'>,
  { silent, advertAt }: { silent: boolean; advertAt: number | undefined },
): Condition {
  const { answeredAt } = ledger;
  if (answeredAt === undefined) return { status: 'not-met', reasons: ['no-probe-answer'] };
  const old = silent && advertAt !== undefined && answeredAt <= advertAt;
  return old ? { status: 'not-met', reasons: ['no-answer-since-advert'] } : MET;
}
