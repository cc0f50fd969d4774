// Which frames prove that a link carries data: an allow-list, since even a switch port that
// forwards nothing emits frames of its own (spanning tree, LACP, LLDP, and multicast reports were
// seen).
import { isGroupMac, readMac, ZERO_MAC, type Mac } from '../base/addresses.ts';
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_MIN,
  VLAN_TAG_TYPES,
} from '../base/ethertypes.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** A frame as the witness socket got it. */
export interface WitnessedFrame {
  /** From the destination address on. */
  readonly bytes: Uint8Array;
  /** The VLAN id of a tag that the kernel took out of the bytes; undefined: there was none. */
  readonly vlan: number | undefined;
  /** This host sent it: a packet socket sees that as well. */
  readonly outgoing: boolean;
}

/** Where the frame was caught. */
export interface WitnessView {
  /** Of all interfaces of this host. */
  readonly ownMacs: ReadonlySet<Mac>;
  /** The VLAN ids of the interface where it was caught, outermost first; empty: untagged. */
  readonly ownVlans: readonly number[];
}

/** A frame that counts. */
export interface CountedFrame {
  readonly from: Mac;
  readonly protocol: 'arp' | 'ipv4' | 'ipv6';
  /** From the ARP or IP header on; the frame may have been padded. */
  readonly payload: Uint8Array;
}

/** Why a frame does not count. */
export const UNCOUNTED = {
  truncated: 'too short to tell what it is',
  outgoing: 'sent by this host',
  'own-source': 'our own frame, reflected',
  'group-source': 'its source is no station',
  'other-vlan': 'of another VLAN',
  'link-local': 'meant for the next bridge only (spanning tree, LACP, LLDP, pause, EAPOL)',
  'not-ethernet-ii': 'an IEEE 802.3 frame (spanning tree, CDP and its kin)',
  'other-protocol': 'neither ARP nor IP (loopback test, LACP, LLDP and others)',
  igmp: 'multicast membership, which switches emit themselves',
  mld: 'IPv6 multicast membership, which switches emit themselves',
  'router-solicitation': 'an IPv6 router solicitation, which ports emit on coming up',
  'unspecified-source': 'from the IPv6 address ::, as ports do on coming up',
} as const;

export type UncountedReason = keyof typeof UNCOUNTED;

const MAC_BYTES = 6;
const TYPE_OFFSET = 12;
const TAG_BYTES = 4;
const VLAN_ID_MASK = 0x0fff;
/** 01:80:c2:00:00:00 to 0f: no bridge forwards them (IEEE 802.1D, 7.12.6). */
const LINK_LOCAL = /^01:80:c2:00:00:0[0-9a-f]$/;

/** Total: every sequence of bytes either counts or has a reason why not. */
export function classifyFrame(
  frame: WitnessedFrame,
  view: WitnessView,
): Result<CountedFrame, UncountedReason> {
  if (frame.outgoing) return fail('outgoing');
  const { bytes } = frame;
  if (bytes.length < TYPE_OFFSET + 2) return fail('truncated');
  const from = readMac(bytes, MAC_BYTES);
  if (view.ownMacs.has(from)) return fail('own-source');
  if (isGroupMac(from) || from === ZERO_MAC) return fail('group-source');
  if (LINK_LOCAL.test(readMac(bytes, 0))) return fail('link-local');
  const read = readTags(frame);
  if (read === undefined) return fail('truncated');
  if (!sameVlans(read.vlans, view.ownVlans)) return fail('other-vlan');
  const payload = bytes.subarray(read.payloadAt);
  const protocol = protocolOf(read.etherType, payload);
  return protocol.ok ? ok({ from, protocol: protocol.value, payload }) : protocol;
}

interface Tags {
  /** Outermost first; tags that only bear a priority are left out. */
  readonly vlans: readonly number[];
  readonly etherType: number;
  readonly payloadAt: number;
}

function readTags({ bytes, vlan }: WitnessedFrame): Tags | undefined {
  const view = viewOf(bytes);
  const vlans = [vlan ?? 0];
  let typeAt = TYPE_OFFSET;
  let etherType = view.getUint16(typeAt);
  while (VLAN_TAG_TYPES.includes(etherType)) {
    if (bytes.length < typeAt + TAG_BYTES + 2) return undefined;
    vlans.push(view.getUint16(typeAt + 2) & VLAN_ID_MASK);
    typeAt += TAG_BYTES;
    etherType = view.getUint16(typeAt);
  }
  return { vlans: vlans.filter((id) => id !== 0), etherType, payloadAt: typeAt + 2 };
}

function sameVlans(seen: readonly number[], own: readonly number[]): boolean {
  return seen.length === own.length && seen.every((id, index) => id === own[index]);
}

function protocolOf(
  etherType: number,
  payload: Uint8Array,
): Result<CountedFrame['protocol'], UncountedReason> {
  if (etherType < ETHERTYPE_MIN) return fail('not-ethernet-ii');
  const reason = payloadFault(etherType, payload);
  if (reason !== undefined) return fail(reason);
  if (etherType === ETHERTYPE_ARP) return ok('arp');
  return ok(etherType === ETHERTYPE_IPV4 ? 'ipv4' : 'ipv6');
}

function payloadFault(etherType: number, payload: Uint8Array): UncountedReason | undefined {
  switch (etherType) {
    case ETHERTYPE_ARP:
      return payload.length < ARP_BYTES ? 'truncated' : undefined;
    case ETHERTYPE_IPV4:
      return ipv4Fault(payload);
    case ETHERTYPE_IPV6:
      return ipv6Fault(payload);
    default:
      return 'other-protocol';
  }
}

const ARP_BYTES = 28;

const IPV4_HEADER_BYTES = 20;
const IPV4_PROTOCOL_OFFSET = 9;
const PROTOCOL_IGMP = 2;

function ipv4Fault(packet: Uint8Array): UncountedReason | undefined {
  if (packet.length < IPV4_HEADER_BYTES) return 'truncated';
  if (ipVersion(packet) !== 4) return 'other-protocol';
  return packet[IPV4_PROTOCOL_OFFSET] === PROTOCOL_IGMP ? 'igmp' : undefined;
}

const IPV6_HEADER_BYTES = 40;
const IPV6_NEXT_HEADER_OFFSET = 6;
const IPV6_SOURCE_OFFSET = 8;
const IPV6_ADDRESS_BYTES = 16;

const PROTOCOL_ICMPV6 = 58;
const ICMPV6_ROUTER_SOLICITATION = 133;
/** Query, report and done of version 1, and the report of version 2 (RFC 2710, RFC 3810). */
const ICMPV6_MLD: readonly number[] = [130, 131, 132, 143];

function ipv6Fault(packet: Uint8Array): UncountedReason | undefined {
  if (packet.length < IPV6_HEADER_BYTES) return 'truncated';
  if (ipVersion(packet) !== 6) return 'other-protocol';
  const source = packet.subarray(IPV6_SOURCE_OFFSET, IPV6_SOURCE_OFFSET + IPV6_ADDRESS_BYTES);
  if (source.every((byte) => byte === 0)) return 'unspecified-source';
  return upperFault(packet);
}

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const EXTENSIONS: readonly number[] = [
  HOP_BY_HOP,
  ROUTING,
  FRAGMENT,
  AUTHENTICATION,
  DESTINATION_OPTIONS,
];

/** Looks past the extension headers: multicast reports always stand behind a hop-by-hop option. */
function upperFault(packet: Uint8Array): UncountedReason | undefined {
  let next = viewOf(packet).getUint8(IPV6_NEXT_HEADER_OFFSET);
  let at = IPV6_HEADER_BYTES;
  while (EXTENSIONS.includes(next)) {
    const [following, length] = packet.subarray(at, at + 2);
    if (following === undefined || length === undefined) return 'truncated';
    at += extensionBytes(next, length);
    next = following;
  }
  if (next !== PROTOCOL_ICMPV6) return undefined;
  const type = packet[at];
  if (type === undefined) return 'truncated';
  if (ICMPV6_MLD.includes(type)) return 'mld';
  return type === ICMPV6_ROUTER_SOLICITATION ? 'router-solicitation' : undefined;
}

/** Each kind of header counts its length in its own way (RFC 8200, section 4; RFC 4302). */
function extensionBytes(kind: number, length: number): number {
  if (kind === FRAGMENT) return 8;
  return kind === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
}

function ipVersion(packet: Uint8Array): number {
  return viewOf(packet).getUint8(0) >> 4;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
