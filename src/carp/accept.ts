// Which packets of protocol 112 count. Every packet ends as an advert of one group or under one
// named reason. The checks are those of ucarp's packethandler in its order, but that the CARP
// header must be sound before its vhid is believed, and that fragments are refused.
import { isVrrp, readAdvert, type Advert, type AdvertFault } from './advert.ts';
import type { Ipv4 } from '../base/addresses.ts';
import { advertDigest, digestMatches, type GroupKey } from './digest.ts';
import { CARP_PROTOCOL, CARP_TTL, readIpv4, type Ipv4Fault } from './ipv4.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** Every reason for which a packet is dropped, with what an operator should make of it. */
export const DROP_REASONS = {
  truncated: 'the packet ends before its headers do',
  'not-ipv4': 'the packet is not IPv4',
  'bad-ip-header': 'the IPv4 header contradicts itself',
  fragment: 'the packet is a fragment; an advert is never split',
  'other-protocol': 'the packet is not of IP protocol 112',
  'own-packet':
    'the packet has our source address: there is a loop, or a second host has the address',
  'bad-ttl': 'the TTL is not 255: the packet crossed a router, or was not sent by CARP',
  'bad-ip-checksum': 'the IPv4 header checksum is wrong',
  'bad-length': 'the payload is shorter than a CARP header',
  'bad-version': 'the version is not 2',
  vrrp: 'the packet is VRRP, which shares protocol number and group with CARP',
  'bad-checksum': 'the CARP checksum is wrong',
  'unknown-vhid': 'no instance on this interface has this vhid',
  'other-group': 'the packet went to another group or address than the instance uses',
  'bad-digest': 'passphrase or virtual IP differ from ours, or the advert is forged',
} as const;

export type DropReason = keyof typeof DROP_REASONS;

/** What an instance is willing to believe. */
export interface CarpGroup {
  readonly key: GroupKey;
  /** The destination adverts must bear, exactly (ucarp `mcastip`). */
  readonly destination: Ipv4;
}

/** An advert that passed every check, and whose it is. */
export interface AcceptedAdvert<Member extends CarpGroup> {
  readonly member: Member;
  readonly from: Ipv4;
  readonly advert: Advert;
}

/** A packet that was dropped, with as much as could be read of it. */
export interface DroppedPacket {
  readonly reason: DropReason;
  readonly from: Ipv4 | undefined;
  readonly vhid: number | undefined;
}

/** What one interface listens for. */
export interface AdvertListener<Member extends CarpGroup> {
  /** Our own source addresses on this interface; packets that bear one are ours or a conflict. */
  readonly ownSources: ReadonlySet<Ipv4>;
  /** The instances with this vhid; more than one where they send to different addresses. */
  readonly members: (vhid: number) => readonly Member[];
}

/** Judges one packet that starts at its IPv4 header. Total: all bytes give an advert or a drop. */
export function acceptPacket<Member extends CarpGroup>(
  packet: Uint8Array,
  listener: AdvertListener<Member>,
): Result<AcceptedAdvert<Member>, DroppedPacket> {
  const ip = readIpv4(packet);
  if (!ip.ok) return drop(ip.reason, undefined, undefined);
  const { source, payload } = ip.value;
  const reason = headerFault(ip.value, listener.ownSources);
  if (reason !== undefined) return drop(reason, source, undefined);
  const advert = readAdvert(payload);
  // The sender's vhid is worth naming even where the rest can't be believed.
  if (!advert.ok) return drop(advert.reason, source, payload[1]);
  const { vhid } = advert.value;
  const sameVhid = listener.members(vhid);
  const member = sameVhid.find((candidate) => candidate.destination === ip.value.destination);
  if (member !== undefined && isSigned(member.key, advert.value)) {
    return ok({ member, from: source, advert: advert.value });
  }
  if (isVrrp(payload)) return drop('vrrp', source, vhid);
  if (sameVhid.length === 0) return drop('unknown-vhid', source, vhid);
  return drop(member === undefined ? 'other-group' : 'bad-digest', source, vhid);
}

function isSigned(key: GroupKey, advert: Advert): boolean {
  return digestMatches(advertDigest(key, advert.counter), advert.digest);
}

function headerFault(
  ip: { source: Ipv4; protocol: number; fragment: boolean; ttl: number; checksumRight: boolean },
  ownSources: ReadonlySet<Ipv4>,
): DropReason | undefined {
  if (ip.protocol !== CARP_PROTOCOL) return 'other-protocol';
  if (!ip.checksumRight) return 'bad-ip-checksum';
  if (ip.fragment) return 'fragment';
  if (ownSources.has(ip.source)) return 'own-packet';
  if (ip.ttl !== CARP_TTL) return 'bad-ttl';
  return undefined;
}

function drop(
  reason: DropReason | Ipv4Fault | AdvertFault,
  from: Ipv4 | undefined,
  vhid: number | undefined,
): { readonly ok: false; readonly reason: DroppedPacket } {
  return fail({ reason, from, vhid });
}
