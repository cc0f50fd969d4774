// What a witnessed frame is worth: an advert for the acceptance checks, an ARP answer to us, a data
// frame of another station, or nothing. Pure; joins the codec with the judge of frames.
import { ANY_IPV4, ZERO_MAC, type Ipv4, type Mac, isGroupMac } from '../base/addresses.ts';
import { readArp, type ArpPacket } from '../carp/arp.ts';
import { CARP_PROTOCOL, readIpv4 } from '../carp/ipv4.ts';
import { classifyFrame, UNCOUNTED, type WitnessedFrame, type WitnessView } from '../carp/frame.ts';

/** Why a frame is worth nothing: what the judge of frames says, and faults of ARP replies. */
export const WITNESS_UNCOUNTED = {
  ...UNCOUNTED,
  'arp-own-sender': 'an ARP reply that says an address is at our own MAC',
  'arp-no-station': 'an ARP reply that says an address is at a group or at nobody',
} as const;

export type WitnessUncounted = keyof typeof WITNESS_UNCOUNTED;

/** How a frame is read that may be an answer. */
export interface AnswerView extends WitnessView {
  /** Lower-case text: of the interface and of all it stands on, one of which has asked. */
  readonly macs: ReadonlySet<Mac>;
}

/** `from` is the Ethernet source, lower-case text; all but "uncounted" are data frames as well. */
export type Seen =
  /** A whole IPv4 packet of protocol 112, still to be judged by `acceptPacket`. */
  | { readonly kind: 'advert-packet'; readonly packet: Uint8Array; readonly from: Mac }
  /** An answer to a question of ours: `mac` says that it has `address`. */
  | {
      readonly kind: 'arp-reply';
      readonly address: Ipv4;
      readonly mac: Mac;
      readonly from: Mac;
    }
  | {
      readonly kind: 'frame';
      readonly from: Mac;
      /** The address that the sender of an ARP packet says to have: a station that can be asked. */
      readonly station: Ipv4 | undefined;
    }
  | { readonly kind: 'uncounted'; readonly reason: WitnessUncounted };

/**
 * Reads a frame as the witness caught it. Total: every sequence of bytes has a reading.
 *
 * An ARP reply is an answer only if its target is a MAC of this interface: replies to others, and
 * those that are sent unasked to everybody, come in on a link whose sending side is dead as well.
 * They are but frames, and so is an answer for 0.0.0.0. Whether the MAC in the packet is the
 * Ethernet source is not asked: routers with a virtual MAC, and switches and access points that
 * answer in place of a silent host, differ there and are right. An answer in the name of our own
 * MAC is an echo or a forgery, and one in the name of a group leads nowhere: neither counts at
 * all.
 */
export function readWitnessed(frame: WitnessedFrame, view: AnswerView): Seen {
  const counted = classifyFrame(frame, view);
  if (!counted.ok) return { kind: 'uncounted', reason: counted.reason };
  const { from, protocol, payload } = counted.value;
  if (protocol === 'arp') {
    const arp = readArp(payload);
    return arp.ok ? readArpPacket(arp.value, from, view) : anyFrame(from);
  }
  if (protocol === 'ipv4' && isWholeCarpPacket(payload)) {
    return { kind: 'advert-packet', packet: payload, from };
  }
  return anyFrame(from);
}

function anyFrame(from: Mac, station?: Ipv4): Seen {
  return { kind: 'frame', from, station };
}

function readArpPacket(arp: ArpPacket, from: Mac, { macs, ownMacs }: AnswerView): Seen {
  const { operation, senderMac: mac, senderIp: address, targetMac } = arp;
  // A probe bears none.
  const station = address === ANY_IPV4 ? undefined : address;
  if (operation !== 'reply') return anyFrame(from, station);
  if (ownMacs.has(mac)) return { kind: 'uncounted', reason: 'arp-own-sender' };
  if (isGroupMac(mac) || mac === ZERO_MAC) return { kind: 'uncounted', reason: 'arp-no-station' };
  if (station === undefined || !macs.has(targetMac)) return anyFrame(from, station);
  return { kind: 'arp-reply', address: station, mac, from };
}

/** Fragments and packets that contradict themselves are no adverts, and not worth a complaint. */
function isWholeCarpPacket(payload: Uint8Array): boolean {
  const packet = readIpv4(payload);
  return packet.ok && packet.value.protocol === CARP_PROTOCOL && !packet.value.fragment;
}
