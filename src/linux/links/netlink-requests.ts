// The few requests that carpd makes by rtnetlink, in the byte order of the machine; netlink.ts has
// the form of a message, and reads the answers. Pure.
import { endianness } from 'node:os';

const LITTLE_ENDIAN = endianness() === 'LE';

const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_GETADDR = 22;
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_DUMP = 0x300;
const RTEXT_FILTER_BRVLAN_COMPRESSED = 0x4;
const RTEXT_FILTER_SKIP_STATS = 0x8;
const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_BRIDGE = 7;
const IFLA_AF_SPEC = 26;
const IFLA_EXT_MASK = 29;
const IFLA_INET_CONF = 1;

const NLMSG_HEADER_BYTES = 16;
const IFINFO_BYTES = 16;
const IFADDR_BYTES = 8;
const ATTRIBUTE_HEADER_BYTES = 4;
const MASK_ATTRIBUTE_BYTES = ATTRIBUTE_HEADER_BYTES + 4;
const LINK_REQUEST_BYTES = NLMSG_HEADER_BYTES + IFINFO_BYTES + MASK_ATTRIBUTE_BYTES;

/** Multicast groups as a bind() mask (RTMGRP_LINK, RTMGRP_IPV4_IFADDR). */
export const LINK_AND_IPV4_ADDRESS_GROUPS = 0x1 | 0x10;

/** Asks for all links. */
export function dumpLinks(sequence: number): Uint8Array {
  return dumpRequest(RTM_GETLINK, sequence, IFINFO_BYTES, AF_UNSPEC);
}

/** Asks for the ports of all bridges, and the bridges themselves, with their tables of VLANs. */
export function dumpVlans(sequence: number): Uint8Array {
  const plain = dumpRequest(RTM_GETLINK, sequence, IFINFO_BYTES, AF_BRIDGE);
  const mask = new Uint8Array(Uint32Array.of(RTEXT_FILTER_BRVLAN_COMPRESSED).buffer);
  const bytes = Uint8Array.from([...plain, ...attribute(IFLA_EXT_MASK, mask)]);
  viewOf(bytes).setUint32(0, bytes.length, LITTLE_ENDIAN);
  return bytes;
}

/** Asks for all IPv4 addresses. */
export function dumpAddresses(sequence: number): Uint8Array {
  return dumpRequest(RTM_GETADDR, sequence, IFADDR_BYTES, AF_INET);
}

/**
 * Asks for these links, one after the other, in one datagram. Each is answered by a message of its
 * own, or by an error if there is none of that index.
 */
export function requestLinks(ifindexes: readonly number[], sequence: number): Uint8Array {
  const bytes = new Uint8Array(ifindexes.length * LINK_REQUEST_BYTES);
  ifindexes.forEach((ifindex, place) => {
    const view = viewOf(bytes.subarray(place * LINK_REQUEST_BYTES));
    view.setUint32(0, LINK_REQUEST_BYTES, LITTLE_ENDIAN);
    view.setUint16(4, RTM_GETLINK, LITTLE_ENDIAN);
    view.setUint16(6, NLM_F_REQUEST, LITTLE_ENDIAN);
    view.setUint32(8, sequence, LITTLE_ENDIAN);
    view.setInt32(NLMSG_HEADER_BYTES + 4, ifindex, LITTLE_ENDIAN);
    const attributeAt = NLMSG_HEADER_BYTES + IFINFO_BYTES;
    view.setUint16(attributeAt, MASK_ATTRIBUTE_BYTES, LITTLE_ENDIAN);
    view.setUint16(attributeAt + 2, IFLA_EXT_MASK, LITTLE_ENDIAN);
    view.setUint32(attributeAt + 4, RTEXT_FILTER_SKIP_STATS, LITTLE_ENDIAN);
  });
  return bytes;
}

/** Sets an IPv4 setting of an interface (IPV4_DEVCONF_* of linux/ip.h), with an acknowledgement. */
export function setLinkConf(ifindex: number, setting: number, value: number): Uint8Array {
  const number = new Uint8Array(Uint32Array.of(value).buffer);
  const conf = attribute(IFLA_INET_CONF, attribute(setting, number));
  const body = attribute(IFLA_AF_SPEC, attribute(AF_INET, conf));
  const bytes = new Uint8Array(NLMSG_HEADER_BYTES + IFINFO_BYTES + body.length);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length, LITTLE_ENDIAN);
  view.setUint16(4, RTM_SETLINK, LITTLE_ENDIAN);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_ACK, LITTLE_ENDIAN);
  view.setInt32(NLMSG_HEADER_BYTES + 4, ifindex, LITTLE_ENDIAN);
  bytes.set(body, NLMSG_HEADER_BYTES + IFINFO_BYTES);
  return bytes;
}

function dumpRequest(
  type: number,
  sequence: number,
  bodyBytes: number,
  family: number,
): Uint8Array {
  const bytes = new Uint8Array(NLMSG_HEADER_BYTES + bodyBytes);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length, LITTLE_ENDIAN);
  view.setUint16(4, type, LITTLE_ENDIAN);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, LITTLE_ENDIAN);
  view.setUint32(8, sequence, LITTLE_ENDIAN);
  view.setUint8(NLMSG_HEADER_BYTES, family);
  return bytes;
}

/** An attribute whose data is a multiple of four bytes long. */
function attribute(type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ATTRIBUTE_HEADER_BYTES + data.length);
  const view = viewOf(bytes);
  view.setUint16(0, bytes.length, LITTLE_ENDIAN);
  view.setUint16(2, type, LITTLE_ENDIAN);
  bytes.set(data, ATTRIBUTE_HEADER_BYTES);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
