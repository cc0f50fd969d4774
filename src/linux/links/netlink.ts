// The few rtnetlink messages that carpd reads (linux/rtnetlink.h, linux/if_link.h,
// linux/if_addr.h), in the byte order of the machine. Pure; total on any bytes.
//
//   nlmsghdr   4 length, 2 type, 2 flags, 4 sequence, 4 port
//   ifinfomsg  1 family, 1 pad, 2 type, 4 index, 4 flags, 4 change
//   ifaddrmsg  1 family, 1 prefix length, 1 flags, 1 scope, 4 index
//   rtattr     2 length, 2 type, data, padded to 4
import { endianness } from 'node:os';
import type { Mac } from '../../base/addresses.ts';
import { readTagProtocol, readVlanTable, type VlanRange } from './bridge-vlans.ts';
import {
  readAttributeList,
  readAttributes,
  readMacAttribute,
  readUnsigned,
} from './netlink-attributes.ts';

const LITTLE_ENDIAN = endianness() === 'LE';

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const NLM_F_MULTI = 0x2;
const NLM_F_DUMP_INTR = 0x10;
const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_BRIDGE = 7;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_AF_SPEC = 26;
const IFLA_CARRIER = 33;
const IFLA_LINK_NETNSID = 37;
const IFLA_CARRIER_DOWN_COUNT = 48;
const IFLA_PROP_LIST = 52;
const IFLA_ALT_IFNAME = 53;
const IFLA_BRPORT_STATE = 1;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_RT_PRIORITY = 9;

const NLMSG_HEADER_BYTES = 16;
const IFINFO_BYTES = 16;
const IFADDR_BYTES = 8;
/** INFINITY_LIFE_TIME. */
const FOR_EVER = 0xffffffff;

/** What a link message says; what it leaves out is undefined. */
export interface LinkMessage {
  readonly ifindex: number;
  /** ARPHRD_*. */
  readonly type: number;
  /** IFF_*. */
  readonly flags: number;
  readonly name: string | undefined;
  /** Other names that it goes by. */
  readonly altNames: readonly string[];
  readonly mac: Mac | undefined;
  readonly master: number | undefined;
  readonly link: number | undefined;
  /** The interface that `link` names is in another network namespace. */
  readonly linkElsewhere: boolean;
  /**
   * IF_OPER_*; undefined in the short messages of wireless events, which tell of the flags only.
   */
  readonly operstate: number | undefined;
  readonly carrier: boolean | undefined;
  /** How often the carrier was lost since the interface was made. */
  readonly carrierDownCount: number | undefined;
  readonly kind: string | undefined;
  /** Attributes of the kind, unread: of a bond, say. */
  readonly data: Uint8Array | undefined;
  /** The kind of the master, of whose port this message tells. */
  readonly slaveKind: string | undefined;
  readonly slaveData: Uint8Array | undefined;
  /** Of a port of a bridge: BR_STATE_* of linux/if_bridge.h; 3 forwards. */
  readonly portState: number | undefined;
  /** Of a bridge that filters VLANs: the EtherType of its tags. */
  readonly tagProtocol: number | undefined;
}

/** What a bridge says of a port of it, or of itself. */
export interface PortMessage {
  readonly ifindex: number;
  /** IFF_* of the interface. */
  readonly flags: number;
  /** BR_STATE_*; undefined: it says nothing of that. */
  readonly portState: number | undefined;
  /** The VLANs that it carries; undefined: there are none, or it says nothing of them. */
  readonly vlans: readonly VlanRange[] | undefined;
  /** A card speaks of its own switch, and no bridge. */
  readonly isOther: boolean;
}

/** The address brought no route to its prefix along. */
export const IFA_F_NOPREFIXROUTE = 0x200;

/** What an address message says. */
export interface AddressMessage {
  readonly ifindex: number;
  /** The interface's own address. */
  readonly address: string;
  /** The far end of a point-to-point link; else the same as `address`. */
  readonly peer: string;
  readonly prefixLength: number;
  /** RT_SCOPE_*. */
  readonly scope: number;
  /** IFA_F_*; IFA_F_SECONDARY is 0x01. */
  readonly flags: number;
  readonly label: string | undefined;
  readonly broadcast: string | undefined;
  /** Seconds left to it; undefined: for ever. */
  readonly validS: number | undefined;
  readonly preferredS: number | undefined;
  /** The metric of the route to its prefix; undefined: the usual one. */
  readonly metric: number | undefined;
}

/** What every message bears. */
export interface NetlinkHeader {
  /** That of the request it answers; for an event that of whoever caused it, so any number. */
  readonly sequence: number;
  /** The port of whoever asked or caused it; 0 is the kernel itself. */
  readonly port: number;
  /** Part of a dump, not an event. */
  readonly dumped: boolean;
  /** The dump was taken while things changed, and must be asked for again. */
  readonly interrupted: boolean;
}

/** A message that was understood. */
export type NetlinkEvent = NetlinkHeader &
  (
    | { readonly kind: 'link'; readonly link: LinkMessage }
    | { readonly kind: 'link-gone'; readonly link: LinkMessage }
    /** Of a bridge, about one of its ports or itself. */
    | { readonly kind: 'port'; readonly bridgePort: PortMessage }
    | { readonly kind: 'address'; readonly address: AddressMessage }
    | { readonly kind: 'address-gone'; readonly address: AddressMessage }
    /** The end of a dump; `error` is a negative errno, or 0. */
    | { readonly kind: 'done'; readonly error: number }
    /** A refusal, with its negative errno. */
    | { readonly kind: 'error'; readonly error: number }
  );

/** Reads all messages of a datagram; what is cut short or not known is passed over. */
export function readNetlink(datagram: Uint8Array): NetlinkEvent[] {
  const events: NetlinkEvent[] = [];
  const view = viewOf(datagram);
  let offset = 0;
  while (offset + NLMSG_HEADER_BYTES <= datagram.length) {
    const length = view.getUint32(offset, LITTLE_ENDIAN);
    if (length < NLMSG_HEADER_BYTES || length > datagram.length - offset) break;
    const body = datagram.subarray(offset + NLMSG_HEADER_BYTES, offset + length);
    const flags = view.getUint16(offset + 6, LITTLE_ENDIAN);
    const header = {
      sequence: view.getUint32(offset + 8, LITTLE_ENDIAN),
      port: view.getUint32(offset + 12, LITTLE_ENDIAN),
      dumped: (flags & NLM_F_MULTI) !== 0,
      interrupted: (flags & NLM_F_DUMP_INTR) !== 0,
    };
    const event = readMessage(view.getUint16(offset + 4, LITTLE_ENDIAN), header, body);
    if (event !== undefined) events.push(event);
    offset += align(length);
  }
  return events;
}

function readMessage(
  type: number,
  header: NetlinkHeader,
  body: Uint8Array,
): NetlinkEvent | undefined {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      // Bridges tell of their ports in messages of their own family: a port that leaves is not
      // gone, and the interface itself tells that it has left.
      if (body[0] === AF_BRIDGE) return type === RTM_NEWLINK ? readPort(header, body) : undefined;
      const link = readLink(body);
      const kind = type === RTM_NEWLINK ? 'link' : 'link-gone';
      return link === undefined ? undefined : { ...header, kind, link };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = readAddress(body);
      const kind = type === RTM_NEWADDR ? 'address' : 'address-gone';
      return address === undefined ? undefined : { ...header, kind, address };
    }
    case NLMSG_DONE:
      return { ...header, kind: 'done', error: readErrno(body) };
    case NLMSG_ERROR: {
      const error = readErrno(body);
      // An acknowledgement is an error of number 0.
      return error === 0 ? undefined : { ...header, kind: 'error', error };
    }
    default:
      return undefined;
  }
}

function readErrno(body: Uint8Array): number {
  return body.length < 4 ? 0 : viewOf(body).getInt32(0, LITTLE_ENDIAN);
}

function readLink(body: Uint8Array): LinkMessage | undefined {
  if (body.length < IFINFO_BYTES || body[0] !== AF_UNSPEC) return undefined;
  const view = viewOf(body);
  const attributes = readAttributes(body.subarray(IFINFO_BYTES));
  const info = readAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array());
  const carrier = attributes.get(IFLA_CARRIER)?.[0];
  const kind = text(info.get(IFLA_INFO_KIND));
  const data = info.get(IFLA_INFO_DATA);
  const slaveKind = text(info.get(IFLA_INFO_SLAVE_KIND));
  const slaveData = info.get(IFLA_INFO_SLAVE_DATA);
  return {
    ifindex: view.getInt32(4, LITTLE_ENDIAN),
    type: view.getUint16(2, LITTLE_ENDIAN),
    flags: view.getUint32(8, LITTLE_ENDIAN),
    name: text(attributes.get(IFLA_IFNAME)),
    altNames: readAltNames(attributes.get(IFLA_PROP_LIST)),
    mac: readMacAttribute(attributes.get(IFLA_ADDRESS)),
    master: readUnsigned(attributes.get(IFLA_MASTER), 4),
    link: readUnsigned(attributes.get(IFLA_LINK), 4),
    linkElsewhere: attributes.has(IFLA_LINK_NETNSID),
    operstate: attributes.get(IFLA_OPERSTATE)?.[0],
    carrier: carrier === undefined ? undefined : carrier !== 0,
    carrierDownCount: readUnsigned(attributes.get(IFLA_CARRIER_DOWN_COUNT), 4),
    kind,
    data,
    slaveKind,
    slaveData,
    portState: slaveKind === 'bridge' ? readPortState(slaveData) : undefined,
    tagProtocol: kind === 'bridge' ? readTagProtocol(data) : undefined,
  };
}

/** The same attributes stand in IFLA_PROTINFO and in IFLA_INFO_SLAVE_DATA (br_port_fill_attrs). */
function readPortState(attributes: Uint8Array | undefined): number | undefined {
  if (attributes === undefined) return undefined;
  return readUnsigned(readAttributes(attributes).get(IFLA_BRPORT_STATE), 1);
}

function readPort(header: NetlinkHeader, body: Uint8Array): NetlinkEvent | undefined {
  if (body.length < IFINFO_BYTES) return undefined;
  const view = viewOf(body);
  const attributes = readAttributes(body.subarray(IFINFO_BYTES));
  const afSpec = attributes.get(IFLA_AF_SPEC);
  const vlans = afSpec === undefined ? undefined : readVlanTable(afSpec);
  const bridgePort = {
    ifindex: view.getInt32(4, LITTLE_ENDIAN),
    flags: view.getUint32(8, LITTLE_ENDIAN),
    portState: readPortState(attributes.get(IFLA_PROTINFO)),
    vlans,
    isOther: afSpec !== undefined && vlans === undefined,
  };
  return { ...header, kind: 'port', bridgePort };
}

/** A property of one type for each name (rtnl_fill_prop_list in net/core/rtnetlink.c). */
function readAltNames(properties: Uint8Array | undefined): readonly string[] {
  return [...readAttributeList(properties ?? new Uint8Array())].flatMap(([type, bytes]) =>
    type === IFLA_ALT_IFNAME ? (text(bytes) ?? []) : [],
  );
}

function readAddress(body: Uint8Array): AddressMessage | undefined {
  if (body.length < IFADDR_BYTES || body[0] !== AF_INET) return undefined;
  const view = viewOf(body);
  const attributes = readAttributes(body.subarray(IFADDR_BYTES));
  const peer = dottedQuad(attributes.get(IFA_ADDRESS));
  const address = dottedQuad(attributes.get(IFA_LOCAL)) ?? peer;
  if (address === undefined) return undefined;
  return {
    ifindex: view.getInt32(4, LITTLE_ENDIAN),
    address,
    peer: peer ?? address,
    prefixLength: view.getUint8(1),
    scope: view.getUint8(3),
    flags: readUnsigned(attributes.get(IFA_FLAGS), 4) ?? view.getUint8(2),
    label: text(attributes.get(IFA_LABEL)),
    broadcast: dottedQuad(attributes.get(IFA_BROADCAST)),
    ...readLifetimes(attributes.get(IFA_CACHEINFO)),
    metric: readUnsigned(attributes.get(IFA_RT_PRIORITY), 4),
  };
}

/** struct ifa_cacheinfo begins with the preferred and the valid lifetime. */
function readLifetimes(
  bytes: Uint8Array | undefined,
): Pick<AddressMessage, 'validS' | 'preferredS'> {
  const secondsAt = (offset: number): number | undefined => {
    const seconds = readUnsigned(bytes?.subarray(offset, offset + 4), 4);
    return seconds === FOR_EVER ? undefined : seconds;
  };
  return { preferredS: secondsAt(0), validS: secondsAt(4) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Of lengths that were checked against the datagram, so far below 2^31. */
function align(length: number): number {
  return (length + 3) & ~3;
}

function dottedQuad(bytes: Uint8Array | undefined): string | undefined {
  return bytes?.length === 4 ? bytes.join('.') : undefined;
}

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes).replace(/\0.*$/s, '');
}
