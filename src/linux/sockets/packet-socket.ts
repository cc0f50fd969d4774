// Whole Ethernet frames of one interface, through the native addon; below the host's firewall.
import type { CarpdError } from '../../base/errors.ts';
import { DatagramSocket } from './datagram-socket.ts';
import { native, type Datagram } from './native.ts';
import { errnoOf, socketError } from './socket-error.ts';

/** A packet socket. */
export interface PacketSocket {
  /** Sends a frame at once, or throws a CarpdError with the `errno`. */
  send(frame: Uint8Array): void;
  /** Replaces the filter; what the old one let through stays queued. Throws a CarpdError. */
  setFilter(filter: Uint8Array): void;
  /**
   * Has the interface take in frames to a multicast MAC address until the socket is closed: a card
   * drops those that nobody asked for. Throws a CarpdError.
   */
  takeAddress(address: Uint8Array): void;
  /** Hands out the frames that wait in the socket, now; false if a bound left some there. */
  drain(): boolean;
  /** The second time does nothing. */
  close(): void;
}

export interface PacketSocketOptions {
  readonly ifindex: number;
  /** The EtherType to receive, 3 (ETH_P_ALL) for all; 0, the default, for sending only. */
  readonly protocol?: number;
  /** Classic BPF, an array of struct sock_filter, in force before the first frame comes in. */
  readonly filter?: Uint8Array;
  /** Leave out the frames that this host sends itself (where the kernel can, from 4.20 on). */
  readonly ignoreOutgoing?: boolean;
  /** `bytes` begins with the destination address and lacks a VLAN tag the kernel took out. */
  readonly onFrame?: (frame: Datagram) => void;
  /** Receiving failed, ENETDOWN if the interface went down; the socket stays open. */
  readonly onError?: (error: CarpdError) => void;
}

export type OpenPacketSocket = (options: PacketSocketOptions) => PacketSocket;

/** Opens a packet socket; throws a CarpdError. */
export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  const { ifindex, protocol = 0, filter, ignoreOutgoing = false, onFrame, onError } = options;
  const socket = new DatagramSocket({
    what: `packet socket on interface ${ifindex}`,
    open: () => {
      try {
        return native().openPacket(ifindex, protocol, filter, ignoreOutgoing);
      } catch (error) {
        throw filter !== undefined && isRefusal(error) ? refusedFilter(ifindex, error) : error;
      }
    },
    listens: protocol !== 0,
    onDatagram: (frame) => onFrame?.(frame),
    onError: (error) => onError?.(error),
  });
  return {
    send: (frame) => socket.send(frame),
    setFilter: (program) => {
      try {
        socket.setFilter(program);
      } catch (error) {
        throw refusedFilter(ifindex, error);
      }
    },
    takeAddress: (address) => {
      try {
        socket.joinLinkGroup(address);
      } catch (error) {
        throw socketError(`join a group on interface ${ifindex}`, 'open', error);
      }
    },
    drain: () => socket.drain(),
    close: () => socket.close(),
  };
}

/** With a right interface and a right protocol nothing but the filter brings these about. */
function isRefusal(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'EINVAL' || errno === 'ENOMEM';
}

function refusedFilter(ifindex: number, error: unknown): CarpdError {
  return socketError(`attach a packet filter on interface ${ifindex}`, 'filter', error);
}
