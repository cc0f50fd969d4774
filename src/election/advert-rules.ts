// What one advert means to a node, apart from what the node then does (ucarp carp.c packethandler,
// the switch over sc_state; OpenBSD carp_proto_input_c for the demote byte and the bow-out).
import type { Ipv4 } from '../base/addresses.ts';
import { isBowOut } from '../carp/advert.ts';
import { advertInterval, masterDownInterval, type Cadence } from './cadence.ts';
import type { Cause } from './effects.ts';
import type { HeardAdvert } from './inputs.ts';
import { winsTie } from './preference.ts';

/** The node an advert is judged by. */
export interface Self {
  readonly source: Ipv4;
  readonly cadence: Cadence;
  /** The skew this node bids with: its own, or a low bid (238 to 240) while it may not be fit. */
  readonly effectiveAdvskew: number;
  /** Its path may have been dark, and its bid says nothing of that. */
  readonly unconfirmed?: boolean;
}

/** What a MASTER makes of an advert. */
export type MasterVerdict =
  'yield-to-better' | 'yield-to-equal' | 'yield-unconfirmed' | 'conflict-equal' | 'conflict';

/**
 * Judges an advert as MASTER. A shorter interval wins, an equal one is settled by the addresses; a
 * peer that says it is demoted never wins (OpenBSD), whatever its interval. To a master that may
 * have served while our path was dark we yield, whatever it bids.
 */
export function judgeAsMaster(self: Self, from: Ipv4, advert: HeardAdvert): MasterVerdict {
  if (advert.demote > 0) return 'conflict';
  const own = ownInterval(self);
  const remote = advertInterval(advert);
  if (remote < own) return 'yield-to-better';
  if (remote === own && winsTie(from, self.source)) return 'yield-to-equal';
  if (self.unconfirmed === true && !isBowOut(advert)) return 'yield-unconfirmed';
  return remote > own ? 'conflict' : 'conflict-equal';
}

/** What a BACKUP makes of an advert. */
export type BackupVerdict =
  | 'promote-bow-out'
  | 'promote-peer-demoted'
  | 'promote-preempt'
  | 'promote-peer-slow'
  | 'ignore'
  | 'follow';

/** What a promotion on the spot is put down to. */
export const PROMOTION_CAUSES = {
  'promote-bow-out': 'bow-out',
  'promote-peer-demoted': 'peer-demoted',
  'promote-preempt': 'preempt',
  'promote-peer-slow': 'peer-slow',
} as const satisfies Record<Exclude<BackupVerdict, 'ignore' | 'follow'>, Cause>;

/** How a BACKUP stands to the sender and to promotion. */
export interface BackupView {
  /** The sender is the master last heard, or none was heard. */
  readonly fromMaster: boolean;
  /** The master that is followed is the only one that was heard for a dead interval. */
  readonly isAlone: boolean;
  /** Preemption is configured and nothing forbids it now. */
  readonly mayPreempt: boolean;
  /** This node's own sending works, so that it is fit to replace a demoted peer. */
  readonly sendsWell: boolean;
}

/**
 * Judges an advert as BACKUP. Bow-outs and adverts slower than our dead interval make us take over
 * only when the sender is the master we follow: a third node that leaves says nothing of the
 * master. A demoted one must have been the only master for a dead interval: the demote byte of
 * another node, or of an old advert that is sent again, says nothing of a healthy master.
 */
export function judgeAsBackup(self: Self, view: BackupView, advert: HeardAdvert): BackupVerdict {
  if (isBowOut(advert)) return view.fromMaster ? 'promote-bow-out' : 'ignore';
  const mayReplace = view.fromMaster && view.isAlone && view.sendsWell;
  if (advert.demote > 0 && mayReplace) return 'promote-peer-demoted';
  const remote = advertInterval(advert);
  if (view.mayPreempt && remote > ownInterval(self)) return 'promote-preempt';
  // With advbase 0 every ordinary peer would look slow (OpenBSD skips the rule there as well).
  const judgesPace = self.cadence.advbase > 0 && view.fromMaster;
  if (judgesPace && remote > masterDownInterval(self.cadence)) return 'promote-peer-slow';
  return 'follow';
}

function ownInterval(self: Self): number {
  return advertInterval({ advbase: self.cadence.advbase, advskew: self.effectiveAdvskew });
}
