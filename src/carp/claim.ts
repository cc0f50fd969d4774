// What an ARP packet says of who has an address, as a host that holds the address reads it
// (RFC 5227, section 2.4).
import { ANY_IPV4, type Ipv4, type Mac } from '../base/addresses.ts';
import { isGratuitous, isProbe, type ArpPacket } from './arp.ts';

/** In what form another host says that an address is, or may soon be, its own. */
export const CLAIM_FORMS = {
  announcement: 'a gratuitous ARP: it tells everybody that the address is its own',
  reply: 'an ARP reply: it answers for the address',
  request: 'an ARP request for something else that names the address as its sender',
  probe: 'an ARP probe: it asks whether the address is free, and may want to take it',
} as const;

export type ClaimForm = keyof typeof CLAIM_FORMS;

export interface Claim {
  readonly address: Ipv4;
  readonly form: ClaimForm;
}

/** What another host said of an address. */
export interface ForeignClaim {
  readonly form: ClaimForm;
  /** Who says that it has the address, or asks for it. */
  readonly mac: Mac;
  /** How often it was said, 1 or more. */
  readonly frames: number;
}

/** Undefined: the packet says nothing of its sender's address. */
export function readClaim(packet: ArpPacket): Claim | undefined {
  const { operation, senderIp, targetIp } = packet;
  if (isProbe(packet)) return { address: targetIp, form: 'probe' };
  if (senderIp === ANY_IPV4) return undefined;
  if (isGratuitous(packet)) return { address: senderIp, form: 'announcement' };
  return { address: senderIp, form: operation };
}
