// Whose claim of the virtual IP it is that a master hears: that of another master of its group, of
// a node of the group that should not have it, or of a stranger. Pure.
import { since, type Micros } from '../base/time.ts';
import type { Ipv4, Mac } from '../base/addresses.ts';
import type { PeerHeard } from './peers-heard.ts';

/** Who claims the virtual IP of a master by ARP, as far as that is known, with what it means. */
export const CLAIMANTS = {
  rival: 'another master of the group: there are two for a moment, and the election decides',
  peer: 'a node of the group that is not heard advertising but has the address',
  stranger: 'a host that is not a known node of the group',
} as const;

/** `address`: the node's own; a stranger has none that is known. */
export type Claimant =
  { readonly kind: 'rival' | 'peer'; readonly address: Ipv4 } | { readonly kind: 'stranger' };

export interface ClaimantView {
  /** The nodes of the group that were heard advertising. */
  readonly heard: readonly PeerHeard[];
  /** Those that the configuration names. */
  readonly configured: readonly Ipv4[];
  /** The MAC address with which a host answered us; undefined: nobody asked it. */
  readonly macOf: (host: Ipv4) => Mac | undefined;
  /** Who was heard advertising, or bowing out, no longer ago than this may be master beside us. */
  readonly deadInterval: Micros;
  readonly now: Micros;
}

/**
 * Tells whose claim it is. An advert does not say what MAC address its sender has, so while another
 * master is heard that nobody has asked for it, a claim is taken for that one's.
 */
export function judgeClaimant(mac: Mac, view: ClaimantView): Claimant {
  const { heard, configured, macOf, deadInterval, now } = view;
  const rivals = heard
    .filter(({ lastAdvertAt }) => since(now, lastAdvertAt) < deadInterval)
    .map(({ address }) => address);
  const nodes = [...rivals, ...heard.map(({ address }) => address), ...configured];
  const known = nodes.find((address) => macOf(address) === mac);
  if (known !== undefined)
    return { kind: rivals.includes(known) ? 'rival' : 'peer', address: known };
  const likely = rivals.find((address) => macOf(address) === undefined);
  return likely === undefined ? { kind: 'stranger' } : { kind: 'rival', address: likely };
}
