// The Ethernet II header, with 802.1Q and 802.1ad tags in front of the type where there are any.
//
//   offset 0    6 bytes: destination address
//   offset 6    6 bytes: source address
//   offset 12   for each tag 2 bytes: 0x8100 or 0x88a8, and 2 bytes: priority, DEI, VLAN id
//   then        2 bytes: type, 0x0600 or more
import { readMac, writeMac, type Mac } from '../base/addresses.ts';
import { invariant } from '../base/assert.ts';
import { ETHERTYPE_MIN, VLAN_TAG_TYPES } from '../base/ethertypes.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** Bytes of a header without tags, as every frame that carpd sends has it. */
const ETHERNET_HEADER_BYTES = 14;

/** Of one tag, customer's (802.1Q) or service's (802.1ad). */
const TAG_BYTES = 4;
const TAGS_MAX = 2;
const VLAN_ID_MASK = 0x0fff;

/** A frame as it was read. */
export interface EthernetFrame {
  readonly destination: Mac;
  readonly source: Mac;
  /** The VLAN ids of the tags, outermost first; 0 is a tag that only bears a priority. */
  readonly vlanIds: readonly number[];
  /** What the payload is, past the tags; 0x0600 to 0xffff. */
  readonly etherType: number;
  /** A view of the frame's own bytes, padding included. */
  readonly payload: Uint8Array;
}

/**
 * Why bytes are no Ethernet II frame. `not-ethernet-ii`: an IEEE 802.3 length stands where the type
 * should (spanning tree does so); `too-many-tags`: more than two VLAN tags.
 */
export type EthernetFault = 'truncated' | 'not-ethernet-ii' | 'too-many-tags';

/** Reads a frame from its first byte. Total: all bytes give a frame or a reason. */
export function readEthernet(bytes: Uint8Array): Result<EthernetFrame, EthernetFault> {
  if (bytes.length < ETHERNET_HEADER_BYTES) return fail('truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vlanIds: number[] = [];
  let typeAt = ETHERNET_HEADER_BYTES - 2;
  let etherType = view.getUint16(typeAt);
  while (VLAN_TAG_TYPES.includes(etherType)) {
    if (vlanIds.length === TAGS_MAX) return fail('too-many-tags');
    if (bytes.length < typeAt + TAG_BYTES + 2) return fail('truncated');
    vlanIds.push(view.getUint16(typeAt + 2) & VLAN_ID_MASK);
    typeAt += TAG_BYTES;
    etherType = view.getUint16(typeAt);
  }
  if (etherType < ETHERTYPE_MIN) return fail('not-ethernet-ii');
  return ok({
    destination: readMac(bytes, 0),
    source: readMac(bytes, 6),
    vlanIds,
    etherType,
    payload: bytes.subarray(typeAt + 2),
  });
}

/** The header of an outgoing frame; the kernel tags it where the interface is a VLAN. */
export interface EthernetHeader {
  readonly destination: Mac;
  readonly source: Mac;
  /** 0x0600 to 0xffff. */
  readonly etherType: number;
}

/** An untagged frame, not padded: network cards fill up to the 60 bytes of the wire. */
export function writeEthernet(header: EthernetHeader, payload: Uint8Array): Uint8Array {
  const { etherType } = header;
  invariant(etherType >= ETHERTYPE_MIN && etherType <= 0xffff, 'an EtherType is 0x0600 to 0xffff');
  const frame = new Uint8Array(ETHERNET_HEADER_BYTES + payload.length);
  writeMac(frame, 0, header.destination);
  writeMac(frame, 6, header.source);
  new DataView(frame.buffer).setUint16(12, etherType);
  frame.set(payload, ETHERNET_HEADER_BYTES);
  return frame;
}
