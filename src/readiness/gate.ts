// One instance's gate over the link it shares with others: its own policy, its own reasons.
import { plus, type Micros } from '../base/time.ts';
import { judge, MET, type Condition, type Conditions } from './judge.ts';
import { sameList, type Reason } from './reasons.ts';

export interface GateSettings {
  /** hold: wait for proof. promote-after: wait so long at most. off: ask for carrier only. */
  readonly policy: 'hold' | 'promote-after' | 'off';
  /** Counts from the carrier-up of the epoch; read with promote-after only. */
  readonly promoteAfter: Micros;
  /** Only answered probes count as frames. */
  readonly requireProbe: boolean;
  /** Carrier is not asked for (ucarp -S). */
  readonly ignoreLinkState: boolean;
}

export interface GateView {
  readonly conditions: Conditions;
  /** Epoch.carrierUpAt. */
  readonly carrierUpAt: Micros | undefined;
  readonly epochSince: Micros;
  /** Another host answers for the virtual IP, and that is to be heeded. */
  readonly vipInUse: boolean;
}

/** What opened a gate. */
export type GateKey = 'proof' | 'promote-after' | 'off';

export interface GateVerdict {
  readonly open: boolean;
  /** Undefined if and only if the gate is closed. */
  readonly by: GateKey | undefined;
  /** All that is missing, also where the policy overrides it. */
  readonly reasons: readonly Reason[];
  /** When the time limit will open it, if nothing else does and nothing changes. */
  readonly opensAt: Micros | undefined;
}

/**
 * Whether there is all the carrier that the policy asks for. Who asks for no proof goes by what the
 * kernel says of the interface itself, as ucarp does: a bridge of nothing but veths may well have a
 * way out among them.
 */
export function hasCarrier({ policy, ignoreLinkState }: GateSettings, carrier: Condition): boolean {
  if (ignoreLinkState || carrier.status === 'met') return true;
  return policy === 'off' && carrier.reasons.every((reason) => reason === 'no-uplink');
}

/**
 * No policy overrides missing carrier, nor a virtual IP in use; promote-after overrides LACP and
 * frames, be they missing or unknown. An ignored carrier is taken as up since the epoch began.
 */
export function judgeGate(settings: GateSettings, view: GateView, now: Micros): GateVerdict {
  const conditions = settings.ignoreLinkState
    ? { ...view.conditions, carrier: MET }
    : view.conditions;
  const verdict = judge(conditions);
  const reasons = view.vipInUse ? [...verdict.reasons, 'vip-in-use' as const] : verdict.reasons;
  const closed = { open: false, by: undefined, reasons, opensAt: undefined };
  if (!hasCarrier(settings, conditions.carrier) || view.vipInUse) return closed;
  const openBy = (by: GateKey): GateVerdict => ({ open: true, by, reasons, opensAt: undefined });
  if (settings.policy === 'off') return openBy('off');
  if (verdict.state === 'ready') return openBy('proof');
  if (settings.policy === 'hold') return closed;
  const carrierUpAt = settings.ignoreLinkState ? view.epochSince : view.carrierUpAt;
  if (carrierUpAt === undefined) return closed;
  const opensAt = plus(carrierUpAt, settings.promoteAfter);
  return opensAt <= now ? openBy('promote-after') : { ...closed, opensAt };
}

/** Whether there is nothing new in the other one. */
export function isSameVerdict(a: GateVerdict, b: GateVerdict): boolean {
  return a.by === b.by && a.opensAt === b.opensAt && sameList(a.reasons, b.reasons);
}
