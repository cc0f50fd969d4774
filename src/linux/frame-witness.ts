// Sees the frames of other stations where they come in: at the uplinks at the bottom of what an
// interface stands on, before the host's firewall (packet sockets take all protocols before its
// ingress hooks do).
import type { CarpdError } from '../base/errors.ts';
import type { WitnessedFrame } from '../readiness/frame.ts';
import { witnessFilter, type WitnessMode } from './frame-filter.ts';
import { openPacketSocket, type PacketSocket } from './packet-socket.ts';

/** An interface to listen on. */
export interface WitnessedUplink {
  readonly ifindex: number;
  readonly name: string;
}

export interface FrameWitnessOptions<Uplink extends WitnessedUplink> {
  readonly uplinks: readonly Uplink[];
  readonly mode: WitnessMode;
  /** Called from within the socket, so it may only queue. */
  readonly onFrame: (frame: WitnessedFrame, uplink: Uplink) => void;
  /** Receiving failed, ENETDOWN if an uplink went down; the sockets stay open. */
  readonly onError: (error: CarpdError) => void;
}

export interface FrameWitness {
  /**
   * Lets through something else from now on; what waits in the sockets already still comes. Throws
   * a CarpdError, having closed nothing.
   */
  setMode(mode: WitnessMode): void;
  /** Hands out the frames that wait, now. */
  drain(): void;
  /** The second time does nothing. */
  close(): void;
}

/** All EtherTypes. */
const ETH_P_ALL = 3;
/** PACKET_OUTGOING: where the kernel can't leave such frames out, they are marked. */
const OUTGOING = 4;
const VLAN_ID_MASK = 0x0fff;

/** Opens a socket on each uplink; throws a CarpdError if one can't be opened, having closed all. */
export function openFrameWitness<Uplink extends WitnessedUplink>(
  options: FrameWitnessOptions<Uplink>,
): FrameWitness {
  const sockets: PacketSocket[] = [];
  const close = (): void => {
    for (const socket of sockets) socket.close();
  };
  try {
    for (const uplink of options.uplinks) sockets.push(openOn(uplink, options));
  } catch (error) {
    close();
    throw error;
  }
  return {
    setMode: (mode) => {
      const filter = witnessFilter(mode);
      for (const socket of sockets) socket.setFilter(filter);
    },
    drain: () => {
      for (const socket of sockets) socket.drain();
    },
    close,
  };
}

function openOn<Uplink extends WitnessedUplink>(
  uplink: Uplink,
  { mode, onFrame, onError }: FrameWitnessOptions<Uplink>,
): PacketSocket {
  return openPacketSocket({
    ifindex: uplink.ifindex,
    protocol: ETH_P_ALL,
    filter: witnessFilter(mode),
    ignoreOutgoing: true,
    onFrame: ({ bytes, vlan, packetType }) => {
      const id = vlan === undefined ? undefined : vlan & VLAN_ID_MASK;
      onFrame({ bytes, vlan: id, outgoing: packetType === OUTGOING }, uplink);
    },
    onError,
  });
}
