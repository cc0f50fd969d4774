// Which of two masters keeps the address. Both sides must reach the same answer from the same two
// adverts, and the other side may be a stock ucarp: where ucarp is odd, the oddity is the protocol.
import type { Ipv4 } from '../base/addresses.ts';

/**
 * Whether `a` wins a tie against `b`. ucarp compares `s_addr` words as they lie in memory, which on
 * x86 and arm64 orders addresses by their last octet first, then the third, second and first; this
 * holds on a host of any endianness, since the peers are little-endian.
 */
export function winsTie(a: Ipv4, b: Ipv4): boolean {
  return littleEndian(a) < littleEndian(b);
}

function littleEndian(address: Ipv4): number {
  const octets = [address & 0xff, (address >>> 8) & 0xff, (address >>> 16) & 0xff, address >>> 24];
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}
