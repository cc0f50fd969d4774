// The other nodes of a group as far as they were heard advertising: who, when, how often, and what
// each said last. A backup is silent in CARP, so that this is a memory and no list of members.
// Pure.
import { micros, since, type Micros } from '../base/time.ts';
import { isBowOut } from '../carp/advert.ts';
import type { Ipv4 } from '../base/addresses.ts';
import { advertInterval } from './cadence.ts';

/** What a peer was doing when it was last heard, with what that means. */
export const PEER_ROLES = {
  master: 'it advertises',
  quiet: 'no advert that is due has come: it is a backup by now, or gone',
  left: 'it said that it steps down',
} as const;

export type PeerRole = keyof typeof PEER_ROLES;

/** The cadence of its last advert that was no bow-out. */
export interface PeerCadence {
  /** Whole seconds, 0 to 255. */
  readonly advbase: number;
  /** 1/256 s, 0 to 255. */
  readonly advskew: number;
}

/** One node that was heard. */
export interface PeerHeard {
  readonly address: Ipv4;
  /** Undefined: nothing but a bow-out was heard of it. */
  readonly cadence: PeerCadence | undefined;
  readonly role: PeerRole;
  readonly lastAdvertAt: Micros;
  /** Between its last two adverts; undefined: there were no two since it last began. */
  readonly interval: Micros | undefined;
  /** How many adverts of it were heard, bow-outs included. */
  readonly adverts: number;
}

/** A valid advert as it came in. */
export interface PeerAdvert {
  readonly advbase: number;
  readonly advskew: number;
}

/** So many are remembered of each instance; the ones that were heard last. */
export const PEERS_MAX = 16;

/** Of its own intervals, one may pass unheard. */
const INTERVALS_TO_QUIET = 2;

type PeerEntry = Omit<PeerHeard, 'role'> & { readonly left: boolean };

/** The other nodes of one group that were heard; one for each instance. */
export class PeersHeard {
  /** In the order in which they were last heard. */
  readonly #peers = new Map<Ipv4, PeerEntry>();
  readonly #patience: () => Micros;

  /**
   * `patience`: the dead interval of now, after which a peer that is not heard is quiet. One that
   * says of itself that it is slower gets two intervals of its own.
   */
  constructor(patience: () => Micros) {
    this.#patience = patience;
  }

  /** A valid advert of `address` has come in at `now`. */
  heard(address: Ipv4, advert: PeerAdvert, now: Micros): void {
    const before = this.#peers.get(address);
    const { advbase, advskew } = advert;
    const left = isBowOut(advert);
    // A pause between two terms is no interval.
    const goesOn = before !== undefined && !left && this.#roleOf(before, now) === 'master';
    this.#peers.delete(address);
    this.#peers.set(address, {
      address,
      cadence: left ? before?.cadence : { advbase, advskew },
      lastAdvertAt: now,
      interval: goesOn ? since(now, before.lastAdvertAt) : left ? before?.interval : undefined,
      adverts: (before?.adverts ?? 0) + 1,
      left,
    });
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= PEERS_MAX) return;
      this.#peers.delete(oldest);
    }
  }

  /** All that are remembered, the one heard last first. */
  all(now: Micros): readonly PeerHeard[] {
    return [...this.#peers.values()]
      .reverse()
      .map(({ left, ...peer }) => ({ ...peer, role: this.#roleOf({ ...peer, left }, now) }));
  }

  #roleOf({ left, lastAdvertAt, cadence }: PeerEntry, now: Micros): PeerRole {
    // Nobody but who was heard by a bow-out alone has no pace.
    if (left || cadence === undefined) return 'left';
    const own = advertInterval(cadence) * INTERVALS_TO_QUIET;
    const patience = micros(Math.max(this.#patience(), own));
    return since(now, lastAdvertAt) > patience ? 'quiet' : 'master';
  }
}
