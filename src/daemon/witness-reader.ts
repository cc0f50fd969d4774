// What a witnessed frame is: an advert, an answer to our ARP, another frame that counts, or none.
import { unreachable } from '../base/assert.ts';
import type { Ipv4 } from '../carp/addresses.ts';
import { readArp } from '../carp/arp.ts';
import { CARP_PROTOCOL, readIpv4 } from '../carp/ipv4.ts';
import {
  classifyFrame,
  type UncountedReason,
  type WitnessedFrame,
  type WitnessView,
} from '../readiness/frame.ts';

/** `from` and `mac` are MAC addresses as lower-case text. */
export type Seen =
  /** The IPv4 packet, not yet judged by carp/accept.ts, perhaps padded. */
  | { readonly kind: 'advert-packet'; readonly packet: Uint8Array; readonly from: string }
  | { readonly kind: 'arp-reply'; readonly address: Ipv4; readonly mac: string }
  | { readonly kind: 'frame'; readonly from: string }
  | { readonly kind: 'uncounted'; readonly reason: UncountedReason | 'own-answer' };

/** Total: all bytes are something. */
export function readWitnessed(frame: WitnessedFrame, view: WitnessView): Seen {
  const counted = classifyFrame(frame, view);
  if (!counted.ok) return { kind: 'uncounted', reason: counted.reason };
  const { from, protocol, payload } = counted.value;
  switch (protocol) {
    case 'ipv4': {
      const ip = readIpv4(payload);
      const isAdvert = ip.ok && ip.value.protocol === CARP_PROTOCOL;
      return isAdvert ? { kind: 'advert-packet', packet: payload, from } : { kind: 'frame', from };
    }
    case 'arp':
      return readAnswer(payload, from, view);
    case 'ipv6':
      return { kind: 'frame', from };
    default:
      return unreachable(protocol);
  }
}

/**
 * The answer names its station itself: a proxy, or a bond that balances by ARP, sends it from
 * another address than it gives, and it is the one that it gives which has the IP address. Our own
 * in there is a reflection of what we said, whoever sends it.
 */
function readAnswer(payload: Uint8Array, from: string, { ownMacs }: WitnessView): Seen {
  const arp = readArp(payload);
  if (!arp.ok || arp.value.operation !== 'reply') return { kind: 'frame', from };
  const mac = arp.value.senderMac;
  if (ownMacs.has(mac)) return { kind: 'uncounted', reason: 'own-answer' };
  return { kind: 'arp-reply', address: arp.value.senderIp, mac };
}
