// Packets as the network should never bring them, made of an advert that was sent: each is refused
// for a reason of its own.
import { internetChecksum } from '../../../src/carp/checksum.ts';

const IP_AT = 14;
const IP_BYTES = 20;
const CARP_AT = IP_AT + IP_BYTES;
const AT = { length: 2, flags: 6, ttl: 8, checksum: 10 } as const;
const CARP = { version: 0, vhid: 1, checksum: 6, digest: 16 } as const;
const NOBODYS_VHID = 250;
const VRRP_BYTES = 20;

/** By the reason for which it is refused. */
export const SPOILS = {
  truncated: (frame) => frame.slice(0, IP_AT + 10),
  'not-ipv4': (frame) => set(frame, IP_AT, 0x65),
  'bad-ip-header': (frame) => set(frame, IP_AT, 0x44),
  fragment: (frame) => ipSummed(set(frame, IP_AT + AT.flags, 0x20)),
  'bad-ttl': (frame) => ipSummed(set(frame, IP_AT + AT.ttl, 64)),
  'bad-ip-checksum': (frame) => flip(frame, IP_AT + AT.checksum),
  'bad-length': (frame) => cut(frame, 10),
  'bad-version': (frame) => set(frame, CARP_AT + CARP.version, 0x51),
  vrrp: (frame) => vrrp(cut(frame, VRRP_BYTES)),
  'bad-checksum': (frame) => flip(frame, CARP_AT + CARP.checksum),
  'unknown-vhid': (frame) => summed(set(frame, CARP_AT + CARP.vhid, NOBODYS_VHID)),
  'bad-digest': (frame) => summed(flip(frame, CARP_AT + CARP.digest)),
  'own-packet': (frame) => frame,
} as const satisfies Readonly<Record<string, (frame: Uint8Array) => Uint8Array>>;

export type Spoil = keyof typeof SPOILS;

function set(frame: Uint8Array, at: number, value: number): Uint8Array {
  return frame.with(at, value);
}

function flip(frame: Uint8Array, at: number): Uint8Array {
  return frame.with(at, (frame[at] ?? 0) ^ 0xff);
}

/** With so many bytes behind the header of IPv4. */
function cut(frame: Uint8Array, payloadBytes: number): Uint8Array {
  const short = frame.slice(0, CARP_AT + payloadBytes);
  return ipSummed(set(short, IP_AT + AT.length + 1, IP_BYTES + payloadBytes));
}

function ipSummed(frame: Uint8Array): Uint8Array {
  return withSum(frame, { from: IP_AT, to: CARP_AT, at: IP_AT + AT.checksum });
}

function summed(frame: Uint8Array): Uint8Array {
  return withSum(frame, { from: CARP_AT, to: frame.length, at: CARP_AT + CARP.checksum });
}

/** VRRPv2 with one address and no authentication. */
function vrrp(frame: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(frame);
  bytes.set([0x21, 7, 100, 1, 0, 1, 0, 0, 10, 9, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0], CARP_AT);
  return withSum(bytes, { from: CARP_AT, to: bytes.length, at: CARP_AT + CARP.checksum });
}

function withSum(
  frame: Uint8Array,
  { from, to, at }: { readonly from: number; readonly to: number; readonly at: number },
): Uint8Array {
  const bytes = Uint8Array.from(frame);
  bytes.set([0, 0], at);
  const sum = internetChecksum(bytes.subarray(from, to));
  bytes.set([sum >>> 8, sum & 0xff], at);
  return bytes;
}
