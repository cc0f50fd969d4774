// Everything an election wants done, as plain data; the driver carries effects out in their order.
import type { Ipv4 } from '../base/addresses.ts';
import type { HookName } from './inputs.ts';

/** INIT: cannot take part. HELD: hears but may not promote. BACKUP, MASTER: as in CARP. */
export type State = 'INIT' | 'HELD' | 'BACKUP' | 'MASTER';

/** Why a state changed, with what an operator should read into it. */
export const CAUSES = {
  'interface-ready': 'the interface is up and has its source address',
  'interface-missing': 'the interface does not exist',
  'not-ethernet': 'the interface is not an Ethernet device, so it cannot carry CARP',
  'interface-down': 'the interface is administratively down',
  'group-held': 'another process of this host serves the group on this interface',
  'no-socket': 'no socket could be opened on the interface, so nothing can be heard or sent',
  'no-source-address': 'the interface does not have the source address',
  'gate-opened': 'nothing keeps this node from becoming master any more',
  'gate-closed': 'the gate keeps this node from becoming master',
  'carrier-lost': 'the interface has lost its carrier',
  maintenance: 'an operator has put the node in maintenance',
  'vip-failed': 'the virtual IP could not be added or kept',
  'master-down': 'no master was heard for the dead interval',
  'bow-out': 'the master said that it is leaving',
  'peer-slow': 'the master advertises more slowly than the dead interval',
  'peer-demoted': 'the master says that it is demoted',
  preempt: 'this node is better than the master, and preempt is on',
  'better-advert': 'a better master was heard',
  'path-unconfirmed': 'another master was heard, and it may have served while our path was dark',
  'tie-lost': 'an equal master was heard, and its address wins the tie',
  handover: 'an operator asked for a handover',
  stopped: 'the daemon or the instance is stopping',
} as const;

export type Cause = keyof typeof CAUSES;

/** What keeps a node in HELD. */
export type HoldReason = 'gate-closed' | 'carrier-lost' | 'maintenance' | 'vip-failed';

/** Regular adverts keep a master; a farewell tells a better one that we heard it. */
export type AdvertKind = 'regular' | 'farewell' | 'bow-out';

/** What made an announcement due; bursts follow only where caches are likely to be wrong. */
export type AnnounceReason =
  | 'promotion'
  | 'delayed'
  | 'conflict'
  | 'contested'
  | 'refresh'
  | 'doubt-cleared'
  | 'path-trusted'
  | 'sends-recovered'
  | 'restored'
  | 'mac-changed';

export type Effect =
  | {
      readonly kind: 'send-advert';
      readonly advert: AdvertKind;
      readonly advbase: number;
      readonly advskew: number;
      readonly counter: bigint;
    }
  | {
      readonly kind: 'state-changed';
      readonly from: State;
      readonly to: State;
      readonly cause: Cause;
      /** Whose advert decided, where one did; otherwise the master last heard. */
      readonly peer: Ipv4 | undefined;
      readonly term: number;
    }
  /** Put the address on the interface, verify it, and report vip-claimed with this term. */
  | { readonly kind: 'claim-vip'; readonly term: number }
  /** Take the address off and report vip-released with this term. */
  | { readonly kind: 'release-vip'; readonly term: number }
  /** One gratuitous ARP at once, and the configured burst after it where `burst` is set. */
  | { readonly kind: 'announce'; readonly reason: AnnounceReason; readonly burst: boolean }
  /** Nothing that was planned to be announced may leave any more; a doubt begins, or the end. */
  | { readonly kind: 'stop-announcing' }
  /** Ask by ARP who has the address; an answer is a claim of somebody else. */
  | { readonly kind: 'ask-for-vip' }
  | { readonly kind: 'run-hook'; readonly hook: HookName; readonly term: number }
  /** A second master was heard while this one stays. */
  | {
      readonly kind: 'conflict-heard';
      readonly peer: Ipv4;
      readonly equal: boolean;
      /** The address is announced again for it. */
      readonly announces: boolean;
    }
  /** Sending fails, or works again: how we bid, not what we are. */
  | { readonly kind: 'demotion-changed'; readonly demoted: boolean }
  /**
   * The address could not be removed in time. `stays`: the node goes on as master, and the order
   * to step down has failed; else it bows out although the address is still there.
   */
  | { readonly kind: 'step-down-stuck'; readonly cause: Cause; readonly stays: boolean }
  /** Nothing more will come but the end of what is under way. */
  | { readonly kind: 'stopped' };
