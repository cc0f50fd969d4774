// The frames of the world as bytes, and back: what a host in memory has to do with.
import { writeAdvert, readAdvert } from '../../src/carp/advert.ts';
import {
  ANY_IPV4,
  BROADCAST_MAC,
  ipv4,
  multicastMac,
  type Ipv4,
} from '../../src/base/addresses.ts';
import { CARP_MULTICAST, parseVhid } from '../../src/carp/group.ts';
import { arpRequest, gratuitousArp, isGratuitous, readArp, writeArp } from '../../src/carp/arp.ts';
import { advertDigest, type GroupKey } from '../../src/carp/digest.ts';
import { readEthernet, writeEthernet, type EthernetFrame } from '../../src/carp/ethernet.ts';
import { CARP_PROTOCOL, readIpv4, writeCarpPacket } from '../../src/carp/ipv4.ts';
import { invariant } from '../../src/base/assert.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../../src/base/ethertypes.ts';
import type { Frame } from './frame.ts';

const NETWORK = 0x0a4d0000;
export const VIP = ipv4(NETWORK + 0x8001);
export const VHID = 7;
export const PASSPHRASE = 'in the same world';

const vhid = parseVhid(VHID);
invariant(vhid !== undefined, 'a vhid');
const KEY: GroupKey = { passphrase: Buffer.from(PASSPHRASE), vhid, addresses: [VIP] };
/** To all, of a protocol that nobody minds: the header of IPv4 and nothing behind it. */
const CHATTER = writeCarpPacket(
  { source: ipv4(NETWORK + 0x8003), destination: ipv4(0xffffffff), identification: 0 },
  new Uint8Array(26),
);
const PROTOCOL_AT = 9;
CHATTER[PROTOCOL_AT] = 17;

/** One frame goes to many. */
const written = new WeakMap<Frame, Uint8Array>();

/** The bytes of a frame. */
export function bytesOf(frame: Frame): Uint8Array {
  const known = written.get(frame);
  if (known !== undefined) return known;
  const bytes = write(frame);
  written.set(frame, bytes);
  return bytes;
}

/** The frame that these bytes are; undefined: none that anybody in the world minds. */
export function frameOf(bytes: Uint8Array): Frame | undefined {
  const read = readEthernet(bytes);
  if (!read.ok) return undefined;
  const frame =
    read.value.etherType === ETHERTYPE_ARP ? readQuestion(read.value) : readPacket(read.value);
  if (frame !== undefined) written.set(frame, bytes);
  return frame;
}

function write(frame: Frame): Uint8Array {
  const { mac } = frame;
  switch (frame.kind) {
    case 'advert': {
      const { advbase, advskew, demote, counter } = frame.advert;
      const digest = advertDigest(KEY, counter);
      const advert = writeAdvert({ vhid: KEY.vhid, advbase, advskew, demote, counter, digest });
      const ends = { source: frame.from, destination: CARP_MULTICAST, identification: 0 };
      const header = { destination: multicastMac(CARP_MULTICAST), source: mac };
      return writeEthernet({ ...header, etherType: ETHERTYPE_IPV4 }, writeCarpPacket(ends, advert));
    }
    case 'arp-request':
      if (frame.gratuitous) return gratuitousArp(mac, frame.target);
      return arpRequest(mac, frame.from, frame.target);
    case 'arp-reply': {
      const ends = { senderMac: mac, senderIp: frame.address, targetIp: ANY_IPV4 };
      const reply = writeArp({ operation: 'reply', ...ends, targetMac: frame.to });
      const header = { destination: frame.to, source: mac, etherType: ETHERTYPE_ARP };
      return writeEthernet(header, reply);
    }
    case 'chatter': {
      const header = { destination: BROADCAST_MAC, source: mac, etherType: ETHERTYPE_IPV4 };
      return writeEthernet(header, CHATTER);
    }
  }
}

function readQuestion({ source, destination, payload }: EthernetFrame): Frame | undefined {
  const read = readArp(payload);
  if (!read.ok) return undefined;
  const { operation, senderIp, targetIp, senderMac } = read.value;
  if (operation === 'reply') {
    return { kind: 'arp-reply', mac: senderMac, address: senderIp, to: destination };
  }
  const gratuitous = isGratuitous(read.value);
  return { kind: 'arp-request', mac: source, from: senderIp, target: targetIp, gratuitous };
}

function readPacket({ source, payload }: EthernetFrame): Frame | undefined {
  const packet = readIpv4(payload);
  if (!packet.ok || packet.value.protocol !== CARP_PROTOCOL) return undefined;
  const advert = readAdvert(packet.value.payload);
  if (!advert.ok) return undefined;
  const { advbase, advskew, demote, counter } = advert.value;
  const from: Ipv4 = packet.value.source;
  return { kind: 'advert', mac: source, from, advert: { advbase, advskew, demote, counter } };
}
