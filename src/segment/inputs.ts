// Everything that can happen to a segment, as plain data: what is written down can be replayed.
import type { Ipv4 } from '../base/addresses.ts';
import type { Micros } from '../base/time.ts';
import type { DroppedPacket } from '../carp/accept.ts';
import type { Input } from '../election/inputs.ts';
import type { ElectionSettings } from '../election/settings.ts';
import type { LinkFacts } from '../readiness/facts.ts';
import type { InstanceSettings, ReadinessInput } from '../readiness/inputs.ts';
import type { Obstacle } from '../readiness/obstacle.ts';
import type { AdvertCopy } from './advert-pairs.ts';

/** What the segment itself gives an election; the rest comes from outside. */
type Inner =
  | 'gate-changed'
  | 'doubt-changed'
  | 'path-changed'
  | 'mac-changed'
  | 'advert-heard'
  | 'catching-up'
  | 'unheard'
  | 'woken';

/** An order to one instance, what became of one of its effects, or how its interface is to it. */
export type InstanceInput = Exclude<Input, { kind: Inner }>;

/** The interface as it was read now, changed or not. */
export interface FactsRead {
  /** Undefined: it does not exist. */
  readonly facts: LinkFacts | undefined;
  /**
   * Others on this host have part in it, as guests on a bridge: an advert proves the link only if
   * it was seen to come in through an uplink.
   */
  readonly hasGuests: boolean;
}

export type SegmentInput =
  // ---- who takes part ----
  /** Before everything else of this name, which must be unique. */
  | { readonly kind: 'instance-added'; readonly name: string; readonly settings: ElectionSettings }
  | { readonly kind: 'instance-removed'; readonly name: string }
  /** What the readiness has to know of all instances; those that were not added are left out. */
  | { readonly kind: 'instances-changed'; readonly instances: readonly InstanceSettings[] }
  | { readonly kind: 'instance-input'; readonly name: string; readonly input: InstanceInput }
  // ---- facts ----
  | ({ readonly kind: 'facts-read' } & FactsRead)
  | Extract<ReadinessInput, { kind: 'neighbours-found' }>
  /** What keeps adverts from the CARP socket that the witness sees. */
  | { readonly kind: 'obstacle-found'; readonly obstacle: Obstacle }
  /** The CARP socket has begun, or ceased, to lose packets. */
  | { readonly kind: 'flood-changed'; readonly flooded: boolean }
  // ---- frames and adverts ----
  | Extract<ReadinessInput, { kind: 'frame-heard' | 'probe-answered' }>
  /** The CARP socket got it. `witnessRead`: see the contract. */
  | ({ readonly kind: 'socket-copy'; readonly witnessRead: boolean } & AdvertCopy)
  /** The frame witness, opened for this epoch, got it. */
  | ({ readonly kind: 'witness-copy'; readonly epoch: number } & AdvertCopy)
  /** A packet of protocol 112 that is not believed. */
  | {
      readonly kind: 'packet-refused';
      readonly heardBy: 'socket' | 'witness';
      readonly dropped: DroppedPacket;
    }
  /** All that the CARP socket held when this epoch began has been given. */
  | { readonly kind: 'socket-emptied'; readonly epoch: number }
  /** From here on the witness sees every advert that the CARP socket gets, or does so no more. */
  | { readonly kind: 'witness-covers'; readonly covers: boolean }
  /** Witness and CARP socket were read to their ends, and what they held has been given. */
  | { readonly kind: 'sockets-read' }
  // ---- orders ----
  /** Somebody wants to know which of these hosts are there: asks them by ARP. */
  | { readonly kind: 'hosts-asked'; readonly addresses: readonly Ipv4[] }
  // ---- time ----
  /** The process woke so late: what is given until `caught-up` waited in the sockets meanwhile. */
  | { readonly kind: 'stood-still'; readonly lateBy: Micros }
  | ({ readonly kind: 'caught-up'; readonly lateBy: Micros } & FactsRead)
  /** The deadline may have come; too early is harmless. */
  | {
      readonly kind: 'woken';
      /** What is due later has not had the sockets read for it, and waits; now, if not given. */
      readonly dueBy?: Micros | undefined;
      /** Adverts that were sent before then may have been lost in a flood. */
      readonly unheardUntil?: Micros | undefined;
    };
