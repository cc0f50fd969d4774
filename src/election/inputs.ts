// Everything that can happen to an election, as plain data: what is recorded can be replayed.
import type { Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { ChangeableSettings } from './settings.ts';

/** An advert that passed every check of carp/accept. */
export interface HeardAdvert {
  readonly advbase: number;
  readonly advskew: number;
  readonly demote: number;
  readonly counter: bigint;
}

/** Why an instance can't take part at all. */
export type InterfaceFault =
  | 'interface-missing'
  | 'not-ethernet'
  | 'interface-down'
  | 'group-held'
  | 'no-socket'
  | 'no-source-address';

/**
 * How far the path may be trusted. unconfirmed: a master that is heard is yielded to, since it may
 * have served meanwhile. unheard, dark: this node bids low instead.
 */
export type PathTrust = 'trusted' | 'unconfirmed' | 'unheard' | 'dark';

export type HookName = 'up' | 'down';

export type Input =
  /** Once, before everything else. */
  | { readonly kind: 'started' }
  /** The interface is there, up, and has the source address; also when that address changes. */
  | { readonly kind: 'interface-ready'; readonly source: Ipv4 }
  | { readonly kind: 'interface-lost'; readonly cause: InterfaceFault }
  /** Lower layers up or not; never sent down where the link state is to be ignored. */
  | { readonly kind: 'carrier-changed'; readonly up: boolean }
  /** The verdict of the readiness gate: closed holds off promotion, and nothing else. */
  | { readonly kind: 'gate-changed'; readonly open: boolean }
  /** A master whose path may be dead keeps the address but bids low and announces nothing. */
  | { readonly kind: 'doubt-changed'; readonly inDoubt: boolean }
  /** What the readiness of the link says of the path. */
  | { readonly kind: 'path-changed'; readonly trust: PathTrust }
  | {
      readonly kind: 'advert-heard';
      readonly from: Ipv4;
      readonly advert: HeardAdvert;
      /** The link has proved itself towards this sender, so that it may be preempted. */
      readonly proved: boolean;
    }
  /**
   * The process woke so much later than it wanted. Until `lateBy` is undefined, what is heard has
   * waited in the sockets: others have acted on it since, and what they say waits behind it.
   */
  | { readonly kind: 'catching-up'; readonly lateBy: Micros | undefined }
  /** What was sent before `until` may be lost, as in a flood: its silence proves nothing. */
  | { readonly kind: 'unheard'; readonly until: Micros }
  /** What became of the last regular advert that was to be sent. */
  | { readonly kind: 'advert-sent'; readonly ok: boolean }
  /** The address is on the interface, verified, or could not be put or kept there. */
  | { readonly kind: 'vip-claimed'; readonly term: number; readonly ok: boolean }
  /** The address is off, or all that could be done to take it off was done. */
  | { readonly kind: 'vip-released'; readonly term: number }
  /**
   * The address could not be removed so far, which goes on being tried; `shown`: the interface
   * shows it, so that this host still answers for it.
   */
  | { readonly kind: 'vip-stuck'; readonly term: number; readonly shown: boolean }
  /** Somebody had removed the address from this master; it was put back. */
  | { readonly kind: 'vip-restored'; readonly term: number }
  /** The interface has another MAC address, and no other master was heard. */
  | { readonly kind: 'mac-changed' }
  /** Another host was seen to say, by ARP, that the address is its own. */
  | { readonly kind: 'vip-contested' }
  /** A hook ended, however it ended; one that is not configured ends at once. */
  | { readonly kind: 'hook-finished'; readonly hook: HookName; readonly term: number }
  | { readonly kind: 'handover-requested' }
  /** The configuration has changed in what needs no new start; it holds from now on. */
  | { readonly kind: 'reconfigured'; readonly settings: ChangeableSettings }
  | { readonly kind: 'maintenance-changed'; readonly on: boolean }
  | { readonly kind: 'stop-requested' }
  /** A reload wants it to end: as a stop, but a master whose address can't go stays. */
  | { readonly kind: 'retire-requested' }
  /**
   * A deadline may have come; too early is harmless. `along`: another master on the interface sends
   * its advert now, and one that is due soon goes out with it.
   */
  | { readonly kind: 'woken'; readonly along?: true };
