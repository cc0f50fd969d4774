// Ethernet frames of every kind that is seen at a switch port, for tests.
import { OWN_MAC, PEER_MAC } from './readiness-rig.ts';

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const STP = '01:80:c2:00:00:00';

const bytesOf = (text: string): number[] =>
  text.split(':').map((byte) => Number.parseInt(byte, 16));
export const word = (value: number): number[] => [value >> 8, value & 0xff];

export interface Header {
  readonly to?: string;
  readonly from?: string;
  /** Words between the addresses and the type. */
  readonly tags?: readonly number[];
  readonly type: number;
}

/** A frame, by default from the peer to everybody. */
export function frame(header: Header, payload: readonly number[]): Uint8Array {
  const { to = BROADCAST, from = PEER_MAC, tags = [], type } = header;
  const head = [...bytesOf(to), ...bytesOf(from), ...tags.flatMap(word), ...word(type)];
  return Uint8Array.from([...head, ...payload]);
}

/** The body of an ARP packet of the peer, operation 1 (request) or 2 (reply), for itself. */
export function arpBody(operation = 1, mac: string = PEER_MAC): number[] {
  const addresses = [...bytesOf(mac), 10, 9, 0, 20, ...bytesOf(OWN_MAC), 10, 9, 0, 10];
  return [...word(1), ...word(0x0800), 6, 4, ...word(operation), ...addresses];
}

export function ipv4(protocol: number, version = 0x45): number[] {
  return [version, 0, 0, 28, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 9, 0, 20, 10, 9, 0, 10, 0, 0, 0];
}

const LINK_LOCAL_IPV6 = [0xfe, 0x80, ...Array<number>(13).fill(0), 2];
export const NO_IPV6 = Array<number>(16).fill(0);

export function ipv6(next: number, upper: readonly number[], source = LINK_LOCAL_IPV6): number[] {
  return [0x60, 0, 0, 0, 0, upper.length, next, 255, ...source, ...LINK_LOCAL_IPV6, ...upper];
}

/** A hop-by-hop option with the router alert, as multicast reports bear it. */
export const hopByHop = (next: number): number[] => [next, 0, 5, 2, 0, 0, 1, 0];
export const icmp = (type: number): number[] => [type, 0, 0, 0, 0, 0, 0, 0];
