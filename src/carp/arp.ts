// ARP for IPv4 over Ethernet (RFC 826), address probes (RFC 5227) and ucarp's announcement.
//
//   offset 0    2 bytes: hardware type, 1 for Ethernet
//   offset 2    2 bytes: protocol type, 0x0800 for IPv4
//   offset 4    1 byte: hardware address length, 6
//   offset 5    1 byte: protocol address length, 4
//   offset 6    2 bytes: operation, 1 request, 2 reply
//   offset 8    6 bytes: sender hardware address
//   offset 14   4 bytes: sender protocol address
//   offset 18   6 bytes: target hardware address
//   offset 24   4 bytes: target protocol address
import {
  ANY_IPV4,
  BROADCAST_MAC,
  ZERO_MAC,
  ipv4,
  readMac,
  writeMac,
  type Ipv4,
  type Mac,
} from '../base/addresses.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../base/ethertypes.ts';
import { writeEthernet } from './ethernet.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** Bytes of a packet; what follows in a frame is padding. */
const ARP_BYTES = 28;

const HARDWARE_ETHERNET = 1;
const OPERATION_REQUEST = 1;
const OPERATION_REPLY = 2;

/** A request or a reply, for IPv4 over Ethernet. */
export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Mac;
  /** 0.0.0.0 in a probe. */
  readonly senderIp: Ipv4;
  /** What a request does not know, so usually zero; ucarp puts its own address here. */
  readonly targetMac: Mac;
  readonly targetIp: Ipv4;
}

/** Why bytes are no ARP packet that carpd understands. */
export type ArpFault = 'truncated' | 'other-hardware' | 'other-protocol' | 'other-operation';

/** Reads the payload of an ARP frame. Total: all bytes give a packet or a reason. */
export function readArp(bytes: Uint8Array): Result<ArpPacket, ArpFault> {
  if (bytes.length < ARP_BYTES) return fail('truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(0) !== HARDWARE_ETHERNET || view.getUint8(4) !== 6) {
    return fail('other-hardware');
  }
  if (view.getUint16(2) !== ETHERTYPE_IPV4 || view.getUint8(5) !== 4) return fail('other-protocol');
  const operation = view.getUint16(6);
  if (operation !== OPERATION_REQUEST && operation !== OPERATION_REPLY) {
    return fail('other-operation');
  }
  return ok({
    operation: operation === OPERATION_REQUEST ? 'request' : 'reply',
    senderMac: readMac(bytes, 8),
    senderIp: ipv4(view.getUint32(14)),
    targetMac: readMac(bytes, 18),
    targetIp: ipv4(view.getUint32(24)),
  });
}

/** The 28 bytes of a packet. */
export function writeArp(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, HARDWARE_ETHERNET);
  view.setUint16(2, ETHERTYPE_IPV4);
  view.setUint8(4, 6);
  view.setUint8(5, 4);
  view.setUint16(6, packet.operation === 'request' ? OPERATION_REQUEST : OPERATION_REPLY);
  writeMac(bytes, 8, packet.senderMac);
  view.setUint32(14, packet.senderIp);
  writeMac(bytes, 18, packet.targetMac);
  view.setUint32(24, packet.targetIp);
  return bytes;
}

/**
 * Whether the packet asks if an address is free without claiming it: a request from 0.0.0.0
 * (RFC 5227, section 1.1, "ARP Probe"). It says nothing about who holds the address.
 */
export function isProbe(packet: ArpPacket): boolean {
  return packet.operation === 'request' && packet.senderIp === ANY_IPV4;
}

/** Whether the packet claims an address for its sender unasked: sender and target are the same. */
export function isGratuitous(packet: ArpPacket): boolean {
  return packet.senderIp === packet.targetIp && packet.senderIp !== ANY_IPV4;
}

/**
 * The announcement of a virtual IP, byte for byte as ucarp's garp.c sends it: a broadcast request
 * for `vip` from `vip`, with the card's own MAC as the frame's source, sender and target. 42 bytes.
 */
export function gratuitousArp(mac: Mac, vip: Ipv4): Uint8Array {
  return broadcast({
    operation: 'request',
    senderMac: mac,
    senderIp: vip,
    targetMac: mac,
    targetIp: vip,
  });
}

/**
 * Asks whether anybody holds `target` without entering our own address in a neighbour's cache
 * (RFC 5227, section 2.1.1): sender 0.0.0.0, target MAC zero, broadcast. 42 bytes.
 */
export function arpProbe(mac: Mac, target: Ipv4): Uint8Array {
  return arpRequest(mac, ANY_IPV4, target);
}

/** Asks everybody for the MAC of `target` and names our own address, as a kernel does. 42 bytes. */
export function arpRequest(mac: Mac, source: Ipv4, target: Ipv4): Uint8Array {
  return broadcast({
    operation: 'request',
    senderMac: mac,
    senderIp: source,
    targetMac: ZERO_MAC,
    targetIp: target,
  });
}

function broadcast(packet: ArpPacket): Uint8Array {
  const header = {
    destination: BROADCAST_MAC,
    source: packet.senderMac,
    etherType: ETHERTYPE_ARP,
  };
  return writeEthernet(header, writeArp(packet));
}
