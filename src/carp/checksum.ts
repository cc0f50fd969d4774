// The Internet checksum (RFC 1071) that IPv4 headers and CARP headers bear.

/**
 * The ones' complement of the ones' complement sum of `bytes` as big-endian 16-bit words; an odd
 * last byte is padded with zero. Over data that includes a right checksum the result is 0.
 */
export function internetChecksum(bytes: Uint8Array): number {
  const sumOfBytes = (total: number, byte: number, index: number): number =>
    total + (index % 2 === 0 ? byte << 8 : byte);
  let sum = bytes.reduce(sumOfBytes, 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
