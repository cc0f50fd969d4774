// What the election wishes of a virtual IP, what comes of each wish, and what happens beside that.
import { unreachable } from '../base/assert.ts';
import type { VipFault } from './ip-outcome.ts';
import type { Attempt, KeeperNotice } from './keeper.ts';

/** What the election wants; `term` only comes back with the outcome. */
export interface VipWish {
  readonly term: number;
  readonly present: boolean;
}

/**
 * What became of a wish; each has exactly one outcome, never from within `want`. `superseded`: a
 * newer wish came first, and the address is not known to be as this one wanted it.
 */
export type VipOutcome =
  | { readonly kind: 'claimed'; readonly term: number }
  | { readonly kind: 'claim-failed'; readonly term: number; readonly fault: VipFault }
  | { readonly kind: 'released'; readonly term: number }
  | { readonly kind: 'release-failed'; readonly term: number; readonly fault: VipFault }
  | { readonly kind: 'superseded'; readonly term: number; readonly present: boolean };

/** What cleaning at the start found: an address that an earlier run left (`removed`), or none. */
export type StaleOutcome =
  | { readonly kind: 'absent' }
  | { readonly kind: 'removed' }
  | { readonly kind: 'failed'; readonly fault: VipFault }
  | { readonly kind: 'superseded' };

/**
 * What happens beside the outcomes. `restored`: the claimed address had been removed by somebody,
 * or had gone with its interface, which was `replaced`; it is back, and wants announcing. `lost`:
 * it was removed and can't be put back so far, or is removed again and again; which goes on being
 * tried. `released-late`: a release that was reported as failed has worked in the end. `unwanted`:
 * somebody had put the address there while it was not wanted; it is off again, or `fault` says why
 * not so far, which goes on being tried.
 */
export type VipNotice =
  | KeeperNotice
  | { readonly kind: 'restored'; readonly term: number; readonly replaced: boolean }
  | { readonly kind: 'lost'; readonly term: number; readonly fault: VipFault }
  | { readonly kind: 'released-late'; readonly term: number }
  | { readonly kind: 'unwanted'; readonly fault: VipFault | undefined };

/** What came of a wish by this attempt, the one that counts for it. */
export function outcomeOf(wish: VipWish, attempt: Attempt): VipOutcome {
  const { term, present } = wish;
  switch (attempt.kind) {
    case 'reached':
      return { kind: present ? 'claimed' : 'released', term };
    case 'interrupted':
      return { kind: 'superseded', term, present };
    case 'fault':
      return { kind: present ? 'claim-failed' : 'release-failed', term, fault: attempt.fault };
    default:
      return unreachable(attempt);
  }
}

/** The same of cleaning at the start; `wasThere`: the address was on the interface before. */
export function staleOutcomeOf(wasThere: boolean, attempt: Attempt): StaleOutcome {
  switch (attempt.kind) {
    case 'reached':
      return { kind: wasThere ? 'removed' : 'absent' };
    case 'interrupted':
      return { kind: 'superseded' };
    case 'fault':
      return { kind: 'failed', fault: attempt.fault };
    default:
      return unreachable(attempt);
  }
}
