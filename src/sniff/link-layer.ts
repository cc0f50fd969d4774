// From a captured packet to the IPv4 packet in it, whatever the link type. Pure.
import { ETHERTYPE_IPV4 } from '../base/ethertypes.ts';
import { readEthernet } from '../carp/ethernet.ts';
import type { CapturedPacket } from './pcap.ts';

/** The IPv4 packet in a captured one, from its header on. */
export interface Found {
  readonly packet: Uint8Array;
  /** Who sent the frame; undefined where the capture does not say. */
  readonly mac: string | undefined;
  readonly vlanIds: readonly number[];
}

/** Offsets in Linux cooked captures (tcpdump.org/linktypes, LINKTYPE_LINUX_SLL and SLL2). */
const SLL = { protocolAt: 14, headerBytes: 16 } as const;
const SLL2 = { protocolAt: 0, headerBytes: 20 } as const;

/** Undefined where there is no IPv4 in it. */
export function findIpv4({ linkType, bytes }: CapturedPacket): Found | undefined {
  switch (linkType) {
    case 'ethernet': {
      const frame = readEthernet(bytes);
      if (!frame.ok || frame.value.etherType !== ETHERTYPE_IPV4) return undefined;
      const { payload, source, vlanIds } = frame.value;
      return { packet: payload, mac: source, vlanIds };
    }
    case 'raw':
    case 'ipv4': {
      const [first] = bytes;
      if (first === undefined || first >>> 4 !== 4) return undefined;
      return { packet: bytes, mac: undefined, vlanIds: [] };
    }
    case 'linux-sll':
      return cooked(bytes, SLL);
    case 'linux-sll2':
      return cooked(bytes, SLL2);
  }
}

function cooked(
  bytes: Uint8Array,
  { protocolAt, headerBytes }: typeof SLL | typeof SLL2,
): Found | undefined {
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(protocolAt) !== ETHERTYPE_IPV4) return undefined;
  return { packet: bytes.subarray(headerBytes), mac: undefined, vlanIds: [] };
}
