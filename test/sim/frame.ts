// What travels on the bus.
import type { Ipv4, Mac } from '../../src/base/addresses.ts';
import type { HeardAdvert } from '../../src/election/inputs.ts';

export interface AdvertFrame {
  readonly kind: 'advert';
  readonly mac: Mac;
  readonly from: Ipv4;
  readonly advert: HeardAdvert;
}

/** Also an RFC 5227 probe, and a gratuitous ARP, which asks for what its sender has. */
export interface ArpRequest {
  readonly kind: 'arp-request';
  readonly mac: Mac;
  /** 0.0.0.0 in a probe. */
  readonly from: Ipv4;
  readonly target: Ipv4;
  /** The sender says that the target is its own: a gratuitous ARP. */
  readonly gratuitous: boolean;
}

export interface ArpReply {
  readonly kind: 'arp-reply';
  readonly mac: Mac;
  readonly address: Ipv4;
  /** The station that asked; nobody else gets it. */
  readonly to: Mac;
}

/** Anything else that a client says to all. */
export interface Chatter {
  readonly kind: 'chatter';
  readonly mac: Mac;
}

export type Frame = AdvertFrame | ArpRequest | ArpReply | Chatter;
