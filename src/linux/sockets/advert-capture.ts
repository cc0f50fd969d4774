// Packets of IP protocol 112 as they pass an interface, those of this host included; ahead of the
// firewall, and without being in the multicast group that they are sent to.
import { ETHERTYPE_IPV4, ETHERTYPE_VLAN } from '../../base/ethertypes.ts';
import type { CarpdError } from '../../base/errors.ts';
import { accept, assemble, ifEqual, load } from './bpf.ts';
import type { Datagram } from './native.ts';
import { openPacketSocket } from './packet-socket.ts';

export interface AdvertCaptureOptions {
  readonly ifindex: number;
  /** `bytes` is an Ethernet frame without the tag that the kernel took out: that is `vlan`. */
  readonly onFrame: (frame: Datagram) => void;
  readonly onError: (error: CarpdError) => void;
}

const ALL_PROTOCOLS = 3;
const CARP_PROTOCOL = 112;
const KEPT_BYTES = 2_048;

/** Listens until it is closed by what it returns. Throws a CarpdError. */
export function openAdvertCapture({ ifindex, onFrame, onError }: AdvertCaptureOptions): () => void {
  const filter = protocolFilter();
  const socket = openPacketSocket({ ifindex, protocol: ALL_PROTOCOLS, filter, onFrame, onError });
  return () => socket.close();
}

/** IPv4 of protocol 112 in a frame with no tag in its bytes, or with one. */
function protocolFilter(): Uint8Array {
  return assemble([
    load(2, 12),
    ifEqual(ETHERTYPE_IPV4, { then: 'untagged' }),
    ifEqual(ETHERTYPE_VLAN, { else: 'refuse' }),
    load(2, 16),
    ifEqual(ETHERTYPE_IPV4, { else: 'refuse' }),
    load(1, 27),
    ifEqual(CARP_PROTOCOL, { then: 'take', else: 'refuse' }),
    { label: 'untagged' },
    load(1, 23),
    ifEqual(CARP_PROTOCOL, { then: 'take' }),
    { label: 'refuse' },
    accept(0),
    { label: 'take' },
    accept(KEPT_BYTES),
  ]);
}
