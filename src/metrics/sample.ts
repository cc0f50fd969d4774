// The state of the daemon at one moment, as far as gauges show it: plain data.
import type { Micros } from '../base/time.ts';
import type { State } from '../election/effects.ts';
import type { EvidenceKind } from '../readiness/evidence.ts';
import type { ConditionName } from '../readiness/judge.ts';

/** The labels that tell an instance from the others. */
export interface InstanceLabels {
  readonly name: string;
  readonly interface: string;
  readonly vhid: string;
}

/** Another node of the group, as it was heard. */
export interface PeerSample {
  readonly address: string;
  /** Between its last two adverts; undefined: there were no two. */
  readonly interval: Micros | undefined;
}

export interface InstanceSample {
  readonly labels: InstanceLabels;
  /** Without its prefix length. */
  readonly vip: string;
  readonly source: string | undefined;
  readonly state: State;
  readonly inDoubt: boolean;
  /** When maintenance was turned on, in ms of Unix time; undefined: it is off. */
  readonly maintenanceSinceMs: number | undefined;
  /** Undefined: it never changed. */
  readonly lastTransitionAt: Micros | undefined;
  readonly lastAdvertAt: Micros | undefined;
  /** 16 at most. */
  readonly peers: readonly PeerSample[];
  /** Those that may take over and are known to answer, or not to; none while it is no master. */
  readonly standbys: readonly { readonly address: string; readonly answers: boolean }[];
  readonly gateOpen: boolean;
  readonly vipPresent: boolean;
  readonly effectiveAdvskew: number;
}

export interface LinkSample {
  readonly interface: string;
  readonly ready: boolean;
  /** Met, or not needed. */
  readonly conditions: Readonly<Record<ConditionName, boolean>>;
  /** Of this epoch. */
  readonly evidenceAt: ReadonlyMap<EvidenceKind, Micros>;
  readonly ports: readonly { readonly name: string; readonly ready: boolean }[];
}

export interface Sample {
  /** Of the monotonic clock, as all moments in it. */
  readonly now: Micros;
  readonly instances: readonly InstanceSample[];
  readonly links: readonly LinkSample[];
  /** Since the start. */
  readonly logLinesDropped: number;
  /** The last reload left nothing out, or there was none. */
  readonly isReloadGood: boolean;
}
