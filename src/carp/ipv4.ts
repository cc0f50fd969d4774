// The IPv4 header in front of an advertisement.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |Version|  IHL  |      TOS      |         Total length          |
//  |        Identification         |Flags|     Fragment offset     |
//  |      TTL      |   Protocol    |        Header checksum        |
//  |                        Source address                         |
//  |                      Destination address                      |
import { ipv4, type Ipv4 } from '../base/addresses.ts';
import { internetChecksum } from './checksum.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** IP protocol number of CARP; VRRP has the same (IANA 112). */
export const CARP_PROTOCOL = 112;

/** The only TTL an advertisement may arrive with: it never crossed a router (ucarp CARP_DFLTTL). */
export const CARP_TTL = 255;

/** IPTOS_LOWDELAY, as ucarp's carp_send_ad sets it. */
const TOS_LOW_DELAY = 0x10;

const HEADER_BYTES = 20;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS_AND_OFFSET = 0x3fff;

/** What a receiver needs to know of a packet's IPv4 header. */
export interface Ipv4Packet {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
  readonly ttl: number;
  /** True unless the packet is whole: a fragment can't be checked, and adverts are never split. */
  readonly fragment: boolean;
  /** False when the header's own checksum is wrong. */
  readonly checksumRight: boolean;
  /** What follows the header, cut to the packet's total length (Ethernet pads short frames). */
  readonly payload: Uint8Array;
}

export type Ipv4Fault = 'truncated' | 'not-ipv4' | 'bad-ip-header';

/** Reads a packet that starts at its IPv4 header. Total: all bytes give a packet or a reason. */
export function readIpv4(bytes: Uint8Array): Result<Ipv4Packet, Ipv4Fault> {
  const [first] = bytes;
  if (first === undefined) return fail('truncated');
  if (first >>> 4 !== 4) return fail('not-ipv4');
  if (bytes.length < HEADER_BYTES) return fail('truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = (view.getUint8(0) & 0x0f) * 4;
  const totalLength = view.getUint16(2);
  if (headerBytes < HEADER_BYTES || totalLength < headerBytes) return fail('bad-ip-header');
  if (totalLength > bytes.length) return fail('truncated');
  return ok({
    source: ipv4(view.getUint32(12)),
    destination: ipv4(view.getUint32(16)),
    protocol: view.getUint8(9),
    ttl: view.getUint8(8),
    fragment: (view.getUint16(6) & MORE_FRAGMENTS_AND_OFFSET) !== 0,
    checksumRight: internetChecksum(bytes.subarray(0, headerBytes)) === 0,
    payload: bytes.subarray(headerBytes, totalLength),
  });
}

/** What of an outgoing header is not fixed by the protocol. */
export interface Ipv4Address {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  /** The identification field, 0 to 65535; ucarp draws it at random for each packet. */
  readonly identification: number;
}

/** A whole advertisement packet: the header ucarp sends (TOS 0x10, DF, TTL 255) and `payload`. */
export function writeCarpPacket(address: Ipv4Address, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint8(1, TOS_LOW_DELAY);
  view.setUint16(2, packet.length);
  view.setUint16(4, address.identification);
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint8(8, CARP_TTL);
  view.setUint8(9, CARP_PROTOCOL);
  view.setUint32(12, address.source);
  view.setUint32(16, address.destination);
  view.setUint16(10, internetChecksum(packet.subarray(0, HEADER_BYTES)));
  packet.set(payload, HEADER_BYTES);
  return packet;
}
