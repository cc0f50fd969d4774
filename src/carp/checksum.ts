// The Internet checksum (RFC 1071) that IPv4 headers and CARP headers bear.

/**
 * The ones' complement of the ones' complement sum of `bytes` as big-endian 16-bit words; an odd
 * last byte is padded with zero. Over data that includes a right checksum the result is 0.
 */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) {
    sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
