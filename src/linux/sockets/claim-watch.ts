// Hears what other hosts say by ARP of certain addresses, as long as it is open: a packet socket
// for ARP alone, so that the other frames of a busy interface cost nothing.
import { ETHERTYPE_ARP } from '../../base/ethertypes.ts';
import type { CarpdError } from '../../base/errors.ts';
import { claimFilter } from './claim-filter.ts';
import { openPacketSocket, type OpenPacketSocket } from './packet-socket.ts';
import { SocketError } from './socket-error.ts';

export interface ClaimWatchOptions {
  readonly ifindex: number;
  /** As unsigned numbers. */
  readonly addresses: Iterable<number>;
  /**
   * A frame of ARP that came in, from whomever, our own frames that a switch returns included. More
   * may come than is asked for: the filter spares work, it is no judge.
   */
  readonly onFrame: (bytes: Uint8Array) => void;
  /**
   * Reading failed. It stays open. That the interface went down (ENETDOWN, once) is not told here:
   * it is no failure, and the kernel's link events tell it.
   */
  readonly onError: (error: CarpdError) => void;
}

/** A packet socket that hears ARP for certain addresses until it is closed. */
export interface ClaimWatch {
  /** Watches for these from now on; throws a CarpdError. */
  setAddresses(addresses: Iterable<number>): void;
  /** The second time does nothing. */
  close(): void;
}

/** Opens it; throws a CarpdError. `open`: what opens its socket. */
export function openClaimWatch(
  { ifindex, addresses, onFrame, onError }: ClaimWatchOptions,
  open: OpenPacketSocket = openPacketSocket,
): ClaimWatch {
  const socket = open({
    ifindex,
    protocol: ETHERTYPE_ARP,
    filter: claimFilter(addresses),
    onFrame: ({ bytes }) => onFrame(bytes),
    onError: (error) => {
      if (!(error instanceof SocketError && error.errno === 'ENETDOWN')) onError(error);
    },
  });
  return {
    setAddresses: (wanted) => socket.setFilter(claimFilter(wanted)),
    close: () => socket.close(),
  };
}
