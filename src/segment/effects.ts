// Everything a segment wants done or known, as plain data.
import type { Micros } from '../base/time.ts';
import type { DroppedPacket } from '../carp/accept.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { Effect } from '../election/effects.ts';
import type { HeardAdvert } from '../election/inputs.ts';
import type { ReadinessEffect } from '../readiness/effects.ts';
import type { EvidenceRecord } from '../readiness/evidence.ts';
import type { Obstacle } from '../readiness/obstacle.ts';
import type { WitnessWish } from './witness-wish.ts';

/** What of the readiness stays inside. */
type Inner = 'open-witness' | 'close-witness' | 'path-changed' | 'master-moved';

/** What the readiness of the link wants done or known outside. */
export type LinkEffect = Exclude<ReadinessEffect, { kind: Inner }>;

export type SegmentEffect =
  | LinkEffect
  /** The frame witness is to be so from here on; undefined: closed. */
  | { readonly kind: 'watch-frames'; readonly wish: WitnessWish | undefined }
  /** A kind of evidence is new in this epoch; all there is, best kind first. */
  | {
      readonly kind: 'evidence-changed';
      readonly epoch: number;
      readonly evidence: readonly EvidenceRecord[];
    }
  /** Look at the interface again for what no event tells; comes about every second. */
  | { readonly kind: 'look-again' }
  /** An advert counts, once, however many sockets got it; what comes of it follows. */
  | {
      readonly kind: 'advert-heard';
      readonly name: string;
      readonly from: Ipv4;
      readonly advert: HeardAdvert;
      /** witness: the CARP socket did not get it, though there is no flood. */
      readonly by: 'socket' | 'witness';
      /** Of one that only the witness saw: why, as far as that was found out. */
      readonly keptBy: Obstacle | undefined;
    }
  /** A packet is not believed; reported once, however many sockets got it. */
  | { readonly kind: 'packet-refused'; readonly dropped: DroppedPacket }
  /** Of the election of one instance. */
  | {
      readonly kind: 'elected';
      readonly name: string;
      readonly effect: Effect;
      /** When the master's time was over, as it stood before what brought this effect. */
      readonly masterDownAt: Micros | undefined;
    };

/** Whether an instance sends its regular advert. */
export function advertises(one: SegmentEffect): boolean {
  if (one.kind !== 'elected') return false;
  return one.effect.kind === 'send-advert' && one.effect.advert === 'regular';
}
