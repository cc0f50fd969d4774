// What one packet of protocol 112 says: an advert and whether its digest is right, VRRP that shares
// the protocol number, or something that no receiver would believe, with the reason. Pure.
import { isBowOut, isVrrp, readAdvert, type Advert } from '../carp/advert.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import type { DropReason } from '../carp/accept.ts';
import { advertDigest, digestMatches, type GroupKey } from '../carp/digest.ts';
import { CARP_PROTOCOL, CARP_TTL, readIpv4, type Ipv4Packet } from '../carp/ipv4.ts';
import { findIpv4 } from './link-layer.ts';
import type { CapturedPacket } from './pcap.ts';

/** A group of the configuration that an advert may belong to. */
export interface KnownGroup {
  /** Of the instance. */
  readonly name: string;
  readonly key: GroupKey;
  readonly destination: Ipv4;
}

/** good: `instance` signs like that; other-group: it does, but sends to another destination. */
export type DigestVerdict =
  | { readonly digest: 'good' | 'other-group'; readonly instance: string }
  | { readonly digest: 'bad' | 'unknown-vhid' | 'not-checked' };

/** Where and when a packet was seen. */
interface Seen {
  /** Unix time in microseconds. */
  readonly timeUs: number;
  readonly source: string;
  readonly destination: string;
  readonly mac: string | undefined;
  readonly vlanIds: readonly number[];
}

export type Observation = Seen &
  (
    | {
        readonly kind: 'advert';
        readonly vhid: number;
        readonly advbase: number;
        readonly advskew: number;
        readonly demote: number;
        readonly counter: bigint;
        readonly bowOut: boolean;
        readonly verdict: DigestVerdict;
      }
    | {
        readonly kind: 'vrrp';
        readonly version: number;
        readonly vrid: number;
        readonly priority: number;
      }
    | { readonly kind: 'refused'; readonly reason: Refusal }
  );

/** Why no receiver would take it; cut: the capture kept too little of it to tell. */
export type Refusal =
  | Extract<
      DropReason,
      | 'truncated'
      | 'bad-ip-header'
      | 'bad-ip-checksum'
      | 'fragment'
      | 'bad-ttl'
      | 'bad-length'
      | 'bad-version'
      | 'bad-checksum'
    >
  | 'cut';

/** Undefined: it is no packet of protocol 112. `groups` undefined: digests are not checked. */
export function observe(
  captured: CapturedPacket,
  groups: readonly KnownGroup[] | undefined,
): Observation | undefined {
  const found = findIpv4(captured);
  if (found === undefined || found.packet[9] !== CARP_PROTOCOL) return undefined;
  const { mac, vlanIds } = found;
  const ip = readIpv4(found.packet);
  if (!ip.ok) {
    if (ip.reason === 'not-ipv4') return undefined;
    const reason = ip.reason === 'truncated' && captured.isCut ? 'cut' : ip.reason;
    const [source, destination] = addresses(found.packet);
    const seen = { timeUs: captured.timeUs, source, destination, mac, vlanIds };
    return { ...seen, kind: 'refused', reason };
  }
  const seen: Seen = {
    timeUs: captured.timeUs,
    source: formatIpv4(ip.value.source),
    destination: formatIpv4(ip.value.destination),
    mac,
    vlanIds,
  };
  return { ...seen, ...read(ip.value, groups) };
}

type Content = Observation extends infer Each
  ? Each extends Seen
    ? Omit<Each, keyof Seen>
    : never
  : never;

function read(ip: Ipv4Packet, groups: readonly KnownGroup[] | undefined): Content {
  const { payload, ttl, fragment, checksumRight } = ip;
  if (!checksumRight) return { kind: 'refused', reason: 'bad-ip-checksum' };
  if (fragment) return { kind: 'refused', reason: 'fragment' };
  const advert = readAdvert(payload);
  if (!advert.ok) {
    if (advert.reason === 'vrrp') return vrrp(payload);
    return { kind: 'refused', reason: advert.reason };
  }
  const verdict = judge(advert.value, ip.destination, groups);
  // Who can't be believed may be VRRP whose bytes happen to make a CARP header.
  if (verdict.digest !== 'good' && isVrrp(payload)) return vrrp(payload);
  if (ttl !== CARP_TTL) return { kind: 'refused', reason: 'bad-ttl' };
  const { vhid, advbase, advskew, demote, counter } = advert.value;
  const bowOut = isBowOut(advert.value);
  return { kind: 'advert', vhid, advbase, advskew, demote, counter, bowOut, verdict };
}

function judge(
  advert: Advert,
  destination: Ipv4,
  groups: readonly KnownGroup[] | undefined,
): DigestVerdict {
  if (groups === undefined) return { digest: 'not-checked' };
  const sameVhid = groups.filter(({ key }) => key.vhid === advert.vhid);
  if (sameVhid.length === 0) return { digest: 'unknown-vhid' };
  const signing = sameVhid.filter(({ key }) =>
    digestMatches(advertDigest(key, advert.counter), advert.digest),
  );
  const [first] = signing;
  if (first === undefined) return { digest: 'bad' };
  const fitting = signing.find((group) => group.destination === destination);
  if (fitting !== undefined) return { digest: 'good', instance: fitting.name };
  return { digest: 'other-group', instance: first.name };
}

/** The first bytes are the same in VRRP versions 2 and 3 (RFC 3768 5.1, RFC 5798 5.1). */
function vrrp(payload: Uint8Array): Content {
  const [versionAndType = 0, vrid = 0, priority = 0] = payload;
  return { kind: 'vrrp', version: versionAndType >>> 4, vrid, priority };
}

/** As far as they are there. */
function addresses(packet: Uint8Array): readonly [string, string] {
  const at = (offset: number): string =>
    packet.length < offset + 4 ? '?' : packet.subarray(offset, offset + 4).join('.');
  return [at(12), at(16)];
}
