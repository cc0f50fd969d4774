// IPv4 and MAC addresses: read once where they come in, and branded, so that no unchecked text or
// number gets further than the edge. They become text again where they go out.
import { invariant } from './assert.ts';

declare const ipv4Brand: unique symbol;
declare const macBrand: unique symbol;

/** An IPv4 address as an unsigned 32-bit number, first octet highest (10.0.0.1 is 0x0a000001). */
export type Ipv4 = number & { readonly [ipv4Brand]: true };

/** A 48-bit Ethernet address as lower-case text, "02:00:00:00:00:01". */
export type Mac = string & { readonly [macBrand]: true };

/** 0.0.0.0, the sender of an address probe (RFC 5227) and the mark of "no address". */
export const ANY_IPV4 = 0 as Ipv4;

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff' as Mac;
export const ZERO_MAC = '00:00:00:00:00:00' as Mac;

/** Brands a number from 0 to 2^32-1; anything else is a bug of the caller. */
export function ipv4(value: number): Ipv4 {
  invariant(Number.isInteger(value) && value >= 0 && value <= 0xffffffff, 'IPv4 is 32 bits');
  return value as Ipv4;
}

/**
 * Reads dotted-quad text the way inet_pton does: four decimal numbers of 0 to 255 without leading
 * zeros. Undefined for everything else ("10.1", "010.0.0.1", "10.0.0.1/24", "").
 */
export function parseIpv4(text: string): Ipv4 | undefined {
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const octets = text.split('.').map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  return ipv4(octets.reduce((value, octet) => value * 256 + octet, 0));
}

/** Dotted-quad text. */
export function formatIpv4(address: Ipv4): string {
  const [low, high] = [address & 0xffff, address >>> 16];
  return `${high >>> 8}.${high & 0xff}.${low >>> 8}.${low & 0xff}`;
}

/** Text of an address of either kind. */
export function formatAddress(address: Ipv4 | Mac): string {
  return typeof address === 'number' ? formatIpv4(address) : address;
}

/** Whether the address is an IPv4 multicast group (224.0.0.0/4). */
export function isMulticast(address: Ipv4): boolean {
  return address >>> 28 === 0xe;
}

/** Whether two addresses are in the same prefix of `prefixLength` (0 to 32) bits. */
export function samePrefix(a: Ipv4, b: Ipv4, prefixLength: number): boolean {
  if (prefixLength <= 0) return true;
  const mask = prefixLength >= 32 ? 0xffffffff : ~(0xffffffff >>> prefixLength);
  return (a & mask) === (b & mask);
}

/** Reads "aa:bb:cc:dd:ee:ff" in either case; undefined for everything else. */
export function parseMac(text: string): Mac | undefined {
  return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text) ? (text.toLowerCase() as Mac) : undefined;
}

/** The two digits of each byte, one after the other: they are asked for with every frame. */
const HEX = Array.from({ length: 0x100 }, (_, byte) => byte.toString(16).padStart(2, '0')).join('');

function hexOf(byte: number): string {
  return HEX.slice(2 * byte, 2 * byte + 2);
}

/** Whether it is one of a group, or of all: no station has such an address. */
export function isGroupMac(mac: Mac): boolean {
  return /^.[13579bdf]/.test(mac);
}

/** The address whose six bytes stand at `offset`. */
export function readMac(bytes: Uint8Array, offset: number): Mac {
  const six = bytes.subarray(offset, offset + 6);
  invariant(six.length === 6, 'a MAC address has six bytes');
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = six;
  const high = `${hexOf(a)}:${hexOf(b)}:${hexOf(c)}`;
  return `${high}:${hexOf(d)}:${hexOf(e)}:${hexOf(f)}` as Mac;
}

/** Writes the six bytes of `mac` at `offset`. */
export function writeMac(bytes: Uint8Array, offset: number, mac: Mac): void {
  for (let index = 0; index < 6; index += 1) {
    bytes[offset + index] = Number.parseInt(mac.slice(3 * index, 3 * index + 2), 16);
  }
}

/** The Ethernet address of an IPv4 multicast group: 01:00:5e and its low 23 bits (RFC 1112). */
export function multicastMac(multicast: Ipv4): Mac {
  const low = multicast & 0x7fffff;
  const bytes = [0x01, 0x00, 0x5e, low >>> 16, (low >>> 8) & 0xff, low & 0xff];
  return readMac(Uint8Array.from(bytes), 0);
}
