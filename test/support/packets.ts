// Adverts as packets, to be sent as they are or broken on purpose: the worked vector of ucarp 1.5.2
// (source 10.77.0.1, vhid 42, passphrase "mypassword", virtual IP 10.77.0.100, advskew 5).
import assert from 'node:assert/strict';
import {
  acceptPacket,
  type AcceptedAdvert,
  type DroppedPacket,
  type CarpGroup,
  type AdvertListener,
} from '../../src/carp/accept.ts';
import { writeAdvert, type Advert } from '../../src/carp/advert.ts';
import { parseIpv4, parseMac, type Ipv4, type Mac } from '../../src/base/addresses.ts';
import { CARP_MULTICAST, parseVhid, type Vhid } from '../../src/carp/group.ts';
import { internetChecksum } from '../../src/carp/checksum.ts';
import { advertDigest, type GroupKey } from '../../src/carp/digest.ts';
import { writeCarpPacket } from '../../src/carp/ipv4.ts';
import type { Result } from '../../src/base/result.ts';

/** Bytes of hexadecimal text; blanks are for the reader. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

/** Hexadecimal text of bytes. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The address written in `text`. */
export function address(text: string): Ipv4 {
  const value = parseIpv4(text);
  assert.ok(value !== undefined, `${text} is an IPv4 address`);
  return value;
}

/** The MAC address written in `text`. */
export function mac(text: string): Mac {
  const value = parseMac(text);
  assert.ok(value !== undefined, `${text} is a MAC address`);
  return value;
}

/** The virtual host id `value`. */
export function virtualHostId(value: number): Vhid {
  const vhid = parseVhid(value);
  assert.ok(vhid !== undefined, `${String(value)} is a vhid`);
  return vhid;
}

export const SOURCE = address('10.77.0.1');
export const OWN_SOURCE = address('10.77.0.2');
export const VIP = address('10.77.0.100');
export const COUNTER = 0x0102030405060708n;
export const IDENTIFICATION = 0x1450;

/** The packet as it was captured, without its Ethernet header. */
export const CAPTURED =
  '4510003814504000ff707c950a4d0001e0000012' +
  '212a05070001a9cd01020304050607087ffb76d2bc4e6e1f70fb0bdb6237b52b379632e0';

/** The Ethernet header it was captured with: multicast from CARP's virtual MAC. */
export const CAPTURED_ETHERNET = '01005e00001200005e00002a0800';

export const KEY: GroupKey = {
  passphrase: Buffer.from('mypassword'),
  vhid: virtualHostId(42),
  addresses: [VIP],
};

export const GROUP: CarpGroup = { key: KEY, destination: CARP_MULTICAST };

/** Listens as 10.77.0.2 for the vector's group only. */
export const LISTENER: AdvertListener<CarpGroup> = {
  ownSources: new Set([OWN_SOURCE]),
  members: (vhid) => (vhid === KEY.vhid ? [GROUP] : []),
};

/** Judges a packet as the node 10.77.0.2. */
export function accept(packet: Uint8Array): Result<AcceptedAdvert<CarpGroup>, DroppedPacket> {
  return acceptPacket(packet, LISTENER);
}

/** The vector's advert with other fields and the digest that fits them. */
export function signedAdvert(fields: Partial<Advert> = {}, key: GroupKey = KEY): Advert {
  const counter = fields.counter ?? COUNTER;
  return {
    vhid: key.vhid,
    advskew: 5,
    advbase: 1,
    demote: 0,
    counter,
    digest: advertDigest(key, counter),
    ...fields,
  };
}

/** A whole packet around `payload`, from the vector's source. */
export function packetAround(
  payload: Uint8Array,
  ends: { source?: Ipv4; destination?: Ipv4 } = {},
): Uint8Array {
  const to = {
    source: SOURCE,
    destination: CARP_MULTICAST,
    identification: IDENTIFICATION,
    ...ends,
  };
  return writeCarpPacket(to, payload);
}

/** The packet of an advert. */
export function advertPacket(fields: Partial<Advert> = {}, key: GroupKey = KEY): Uint8Array {
  return packetAround(writeAdvert(signedAdvert(fields, key)));
}

/** A copy with `changes` (offset to byte) made; sums are left as they were. */
export function changed(packet: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array {
  const copy = Uint8Array.from(packet);
  for (const [offset, byte] of Object.entries(changes)) copy[Number(offset)] = byte;
  return copy;
}

/** A copy whose IPv4 header sum and, where there is one, CARP sum are right again. */
export function summed(packet: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packet);
  const view = new DataView(copy.buffer);
  const headerBytes = (view.getUint8(0) & 0x0f) * 4;
  view.setUint16(10, 0);
  view.setUint16(10, internetChecksum(copy.subarray(0, headerBytes)));
  if (copy.length < headerBytes + 36) return copy;
  view.setUint16(headerBytes + 6, 0);
  view.setUint16(headerBytes + 6, internetChecksum(copy.subarray(headerBytes, headerBytes + 36)));
  return copy;
}

/** A VRRPv2 payload without authentication (RFC 3768, section 5.1). */
export function vrrp2(addresses: number, router = 42): Uint8Array {
  const bytes = new Uint8Array(16 + 4 * addresses);
  bytes.set([0x21, router, 100, addresses, 0, 1]);
  for (let index = 0; index < addresses; index += 1)
    bytes.set([10, 0, 0, index + 1], 8 + 4 * index);
  new DataView(bytes.buffer).setUint16(6, internetChecksum(bytes));
  return bytes;
}
