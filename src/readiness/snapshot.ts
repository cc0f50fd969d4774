// The readiness of an interface as others may see it: status, explain, metrics and logs read this.
import type { Ipv4 } from '../base/addresses.ts';
import type { Micros } from '../base/time.ts';
import type { DoubtSnapshot } from './doubt.ts';
import type { Epoch } from './epoch.ts';
import type { EvidenceRecord } from './evidence.ts';
import type { LinkFacts } from './facts.ts';
import type { GateVerdict } from './gate.ts';
import type { Role } from './inputs.ts';
import type { Conditions, Verdict } from './judge.ts';
import type { PortVerdict } from './lacp.ts';
import type { Trust } from './path-trust.ts';
import type { Warning } from './reasons.ts';
import type { VipHolder } from './vip-in-use.ts';

/** One instance on the interface. */
export interface InstanceSnapshot {
  readonly name: string;
  readonly role: Role;
  readonly gate: GateVerdict;
  /** As this instance sees them, which may ask for more than the link's own. */
  readonly conditions: Conditions;
  /** No carrier that its policy asks for is known to be missing. */
  readonly hasCarrier: boolean;
  readonly openSince: Micros | undefined;
  readonly warnings: readonly Warning[];
  /** No advert is heard that is due. */
  readonly silent: boolean;
  readonly lastAdvert: { readonly from: Ipv4; readonly at: Micros } | undefined;
  readonly doubt: DoubtSnapshot | undefined;
  readonly vipHolder: VipHolder | undefined;
  /** How far it trusts its path. */
  readonly trust: Trust;
  /** A frame of anybody would tell it something now, however many came before. */
  readonly awaitsFrame: boolean;
}

export interface ReadinessSnapshot {
  readonly epoch: Epoch;
  /** undefined: the interface does not exist; unread: nobody has looked yet. */
  readonly facts: LinkFacts | undefined | 'unread';
  readonly verdict: Verdict;
  readonly conditions: Conditions;
  readonly warnings: readonly Warning[];
  /** Of the current epoch, best kind first. */
  readonly evidence: readonly EvidenceRecord[];
  /** The ports of the bond, judged; empty where there is no bond. */
  readonly ports: readonly PortVerdict[];
  readonly fallback: {
    readonly met: boolean;
    readonly answeredSince: Micros | undefined;
  };
  readonly witnessOpen: boolean;
  /** The addresses that are being probed. */
  readonly probing: readonly Ipv4[];
  readonly instances: readonly InstanceSnapshot[];
}
