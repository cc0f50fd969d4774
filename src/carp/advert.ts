// The 36-byte CARP header, version 2 (ucarp ip_carp.h `struct carp_header`).
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |Version| Type  |     vhid      |    advskew    |    authlen    |
//  |    demote     |    advbase    |           checksum            |
//  |                       counter (8 bytes)                       |
//  |                  HMAC-SHA1 digest (20 bytes)                  |
import { internetChecksum } from './checksum.ts';
import { fail, ok, type Result } from '../base/result.ts';

export const ADVERT_BYTES = 36;
export const DIGEST_BYTES = 20;

const VERSION = 2;
const TYPE_ADVERTISEMENT = 1;
/** 32-bit words of authentication data: two of counter, five of digest. */
const AUTH_WORDS = 7;
const DIGEST_OFFSET = 16;

/** Both advbase and advskew at this value: "I am leaving, take over" (OpenBSD `sc_bow_out`). */
export const BOW_OUT = 255;

/** The fields of an advertisement that are not fixed by the protocol. */
export interface Advert {
  /** 0 to 255; 0 is no group's number but can stand on the wire. */
  readonly vhid: number;
  /** 1/256 seconds added to the interval, 0 to 255. */
  readonly advskew: number;
  /** Whole seconds of the interval, 0 to 255. */
  readonly advbase: number;
  /** OpenBSD's demotion count; ucarp and FreeBSD always send 0 here. */
  readonly demote: number;
  /** 64 bits that the digest covers; not a replay defence, since OpenBSD never changes it. */
  readonly counter: bigint;
  /** HMAC-SHA1, 20 bytes. */
  readonly digest: Uint8Array;
}

/** Writes the header with its checksum. */
export function writeAdvert(advert: Advert): Uint8Array {
  const bytes = new Uint8Array(ADVERT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (VERSION << 4) | TYPE_ADVERTISEMENT);
  view.setUint8(1, advert.vhid);
  view.setUint8(2, advert.advskew);
  view.setUint8(3, AUTH_WORDS);
  view.setUint8(4, advert.demote);
  view.setUint8(5, advert.advbase);
  view.setBigUint64(8, advert.counter);
  bytes.set(advert.digest.subarray(0, DIGEST_BYTES), DIGEST_OFFSET);
  view.setUint16(6, internetChecksum(bytes));
  return bytes;
}

export type AdvertFault = 'bad-length' | 'bad-version' | 'bad-checksum' | 'vrrp';

/** Whether an advert is the farewell of a master that steps down. */
export function isBowOut(advert: Pick<Advert, 'advbase' | 'advskew'>): boolean {
  return advert.advbase === BOW_OUT && advert.advskew === BOW_OUT;
}

/**
 * Reads the payload of an IP packet of protocol 112. As ucarp's packethandler, accepts any type,
 * authlen and trailing bytes: BSD and ucarp differ there, and none of them is decisive. VRRP shares
 * the protocol number and the group; it is named where the bytes are no CARP header (see isVrrp).
 */
export function readAdvert(payload: Uint8Array): Result<Advert, AdvertFault> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const fault = advertFault(view, payload);
  if (fault !== undefined) return fail(isVrrp(payload) ? 'vrrp' : fault);
  return ok({
    vhid: view.getUint8(1),
    advskew: view.getUint8(2),
    advbase: view.getUint8(5),
    demote: view.getUint8(4),
    counter: view.getBigUint64(8),
    // A copy: a Buffer's own slice would share the memory of a packet that is reused.
    digest: new Uint8Array(payload.subarray(DIGEST_OFFSET, ADVERT_BYTES)),
  });
}

/**
 * Whether a payload looks like VRRP: by its version 3, or as version 2 by its own length rule (RFC
 * 3768 5.3: 16 bytes and four an address) and checksum. The checksum of VRRPv2 with five to seven
 * addresses is right for CARP too, so ask this also of an advert that nobody here can believe, and
 * not of one whose digest is right: ucarp takes an advert with any authlen and trailing bytes.
 */
export function isVrrp(payload: Uint8Array): boolean {
  const [versionAndType, , , addresses] = payload;
  if (versionAndType === undefined || addresses === undefined) return false;
  if (versionAndType >>> 4 === 3) return true;
  const asLongAsVrrp2 = addresses > 0 && payload.length === 16 + 4 * addresses;
  return versionAndType === 0x21 && asLongAsVrrp2 && internetChecksum(payload) === 0;
}

function advertFault(view: DataView, payload: Uint8Array): AdvertFault | undefined {
  if (payload.length < ADVERT_BYTES) return 'bad-length';
  if (view.getUint8(0) >>> 4 !== VERSION) return 'bad-version';
  if (internetChecksum(payload.subarray(0, ADVERT_BYTES)) !== 0) return 'bad-checksum';
  return undefined;
}
