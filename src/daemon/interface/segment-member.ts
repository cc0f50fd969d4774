// What an instance is to the segment of its interface: who gets what happens to it, and who
// carries out what its election wants.
import type { Micros } from '../../base/time.ts';
import type { Ipv4 } from '../../base/addresses.ts';
import type { Effect } from '../../election/effects.ts';
import type { DoubtCause } from '../../readiness/doubt.ts';
import type { GateVerdict } from '../../readiness/gate.ts';
import type { Warning } from '../../readiness/reasons.ts';
import type { SegmentEffect } from '../../segment/effects.ts';
import type { ReadinessSource } from './readiness-settings.ts';

/** Carries out what an election wants. */
export interface EffectPerformer {
  /** `masterDownAt`: when the master's time was over, as it stood before this effect. */
  perform(effect: Effect, masterDownAt: Micros | undefined): void;
}

/** An instance as its segment has it. */
export interface SegmentMember extends ReadinessSource {
  readonly name: string;
  readonly effects: EffectPerformer;
  /** An advert counts for it; what comes of that follows. */
  advertHeard(advert: AdvertHeard): void;
  gateChanged(gate: GateVerdict, warnings: readonly Warning[]): void;
  /** `cause` is undefined when the doubt ends. */
  doubtChanged(cause: DoubtCause | undefined): void;
  /** All effects of an input have been carried out. */
  stepped(): void;
  /** Comes about every second. */
  remindHeld(): void;
  /** The hosts that may take over from it; none while it is no master. */
  readonly standbyHosts: readonly Ipv4[];
}

export type AdvertHeard = Extract<SegmentEffect, { kind: 'advert-heard' }>;
