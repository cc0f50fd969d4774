// The VLAN tables of a bridge that filters VLANs: which of them its ports and the host's own end
// carry, and in which form. From linux/if_bridge.h and net/bridge/br_netlink.c. Pure; total on any
// bytes.
import { ETHERTYPE_VLAN } from '../../base/ethertypes.ts';
import { readAttributes, readAttributeList, readUnsigned } from './netlink-attributes.ts';

/** VLANs next to each other that are treated alike; both ends included. */
export interface VlanRange {
  readonly first: number;
  readonly last: number;
  /** What comes in without a tag belongs to it. */
  readonly pvid: boolean;
  /** It leaves without its tag. */
  readonly untagged: boolean;
}

const IFLA_BRIDGE_FLAGS = 0;
const IFLA_BRIDGE_VLAN_INFO = 2;
const IFLA_BR_VLAN_FILTERING = 7;
const IFLA_BR_VLAN_PROTOCOL = 8;
const BRIDGE_FLAGS_SELF = 2;
const VLAN_INFO_PVID = 0x02;
const VLAN_INFO_UNTAGGED = 0x04;
const VLAN_INFO_RANGE_BEGIN = 0x08;

/** Of IFLA_INFO_DATA of a bridge: the EtherType of its tags; undefined: it does not filter. */
export function readTagProtocol(data: Uint8Array | undefined): number | undefined {
  if (data === undefined) return undefined;
  const attributes = readAttributes(data);
  if ((readUnsigned(attributes.get(IFLA_BR_VLAN_FILTERING), 1) ?? 0) === 0) return undefined;
  return readEtherType(attributes.get(IFLA_BR_VLAN_PROTOCOL)) ?? ETHERTYPE_VLAN;
}

/** An EtherType as attributes have it, in the byte order of the network. */
export function readEtherType(bytes: Uint8Array | undefined): number | undefined {
  const [high, low, ...more] = bytes ?? [];
  if (high === undefined || low === undefined || more.length > 0) return undefined;
  return high * 256 + low;
}

/**
 * Of IFLA_AF_SPEC of a message of the bridge family. Undefined: it is not the bridge that speaks,
 * but a card that switches by itself.
 */
export function readVlanTable(afSpec: Uint8Array): readonly VlanRange[] | undefined {
  const ranges: VlanRange[] = [];
  let begun: number | undefined;
  for (const [type, bytes] of readAttributeList(afSpec)) {
    const flags = readUnsigned(bytes.subarray(0, 2), 2);
    if (type === IFLA_BRIDGE_FLAGS && ((flags ?? 0) & BRIDGE_FLAGS_SELF) !== 0) return undefined;
    const vid = readUnsigned(bytes.subarray(2, 4), 2);
    if (type !== IFLA_BRIDGE_VLAN_INFO || flags === undefined || vid === undefined) continue;
    if ((flags & VLAN_INFO_RANGE_BEGIN) !== 0) {
      begun = vid;
      continue;
    }
    const first = begun ?? vid;
    begun = undefined;
    const pvid = (flags & VLAN_INFO_PVID) !== 0;
    ranges.push({ first, last: vid, pvid, untagged: (flags & VLAN_INFO_UNTAGGED) !== 0 });
  }
  return ranges;
}

/** How the VLAN is carried; undefined: it is not. */
export function vlanEntry(table: readonly VlanRange[], vid: number): VlanRange | undefined {
  return table.find(({ first, last }) => first <= vid && vid <= last);
}

/** The VLAN of what comes in without a tag; undefined: that is dropped. */
export function pvidOf(table: readonly VlanRange[]): VlanRange | undefined {
  return table.find(({ pvid }) => pvid);
}
