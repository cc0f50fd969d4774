// The HMAC-SHA1 that authenticates an advertisement (ucarp carp_hmac_prepare, OpenBSD
// carp_hmac_prepare_ctx). It covers version, type, vhid, the virtual IPs and the counter, but
// neither advbase nor advskew: whoever captures one advert can send it again with better timers.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { DIGEST_BYTES } from './advert.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { Vhid } from './group.ts';

/** What all members of a CARP group must share for their adverts to be believed. */
export interface GroupKey {
  /** 1 to 19 bytes; the zero fill to 20 that ucarp applies does not change the HMAC. */
  readonly passphrase: Uint8Array;
  readonly vhid: Vhid;
  /** The virtual IPs; hashed in ascending order, whatever order they are given in. */
  readonly addresses: readonly Ipv4[];
}

/** The digest of an advert with this counter; the constants 2 and 1 are version and type. */
export function advertDigest(key: GroupKey, counter: bigint): Uint8Array {
  const message = new Uint8Array(3 + 4 * key.addresses.length + 8);
  const view = new DataView(message.buffer);
  message.set([2, 1, key.vhid]);
  const ascending = [...key.addresses].sort((a, b) => a - b);
  ascending.forEach((address, index) => {
    view.setUint32(3 + 4 * index, address);
  });
  view.setBigUint64(message.length - 8, counter);
  return new Uint8Array(createHmac('sha1', key.passphrase).update(message).digest());
}

/** Compares in constant time: how many bytes of a forged digest were right must not show. */
export function digestMatches(expected: Uint8Array, received: Uint8Array): boolean {
  if (expected.length !== DIGEST_BYTES || received.length !== DIGEST_BYTES) return false;
  return timingSafeEqual(expected, received);
}
