// The frame witness: sees the frames of other stations where they come in, at the bottom of what an
// interface stands on, and below the host's firewall. What a frame proves is not decided here.
import type { CarpdError } from '../base/errors.ts';
import type { WitnessedFrame } from '../readiness/frame.ts';
import type { Datagram } from './native.ts';
import { openPacketSocket, type PacketSocket } from './packet-socket.ts';
import { witnessFilter, type WitnessMode } from './frame-filter.ts';

export type { WitnessMode } from './frame-filter.ts';

/** An interface at the bottom of what the watched one stands on. */
export interface WitnessUplink {
  readonly ifindex: number;
  readonly name: string;
  /** The VLAN ids of a frame for the watched interface when it is caught here, outermost first. */
  readonly vlans: readonly number[];
}

export interface FrameWitnessOptions {
  /** None: nothing is ever seen. */
  readonly uplinks: readonly WitnessUplink[];
  readonly mode: WitnessMode;
  /** Of the mode "adverts": only those of these IPv4 addresses; undefined: all. */
  readonly senders?: readonly number[] | undefined;
  /**
   * A frame that may count, in bytes of its own, cut at 2048. Not only what the mode asks for: a
   * filter spares work, it is no judge. May close the witness or change its mode. `cameBy`: the
   * index of the interface by which it reached this host; of a port, where the uplink is a bond.
   */
  readonly onFrame: (frame: WitnessedFrame, uplink: WitnessUplink, cameBy: number) => void;
  /**
   * Reading failed: ENETDOWN once when the uplink goes down or away. The witness stays open, and
   * sees frames again when the uplink comes up again; for one that was made anew, open another.
   */
  readonly onError: (error: CarpdError, uplink: WitnessUplink) => void;
}

/** The sockets of one interface. */
export interface FrameWitness {
  /**
   * Changes what is let through, in place: no frame is lost, and frames that the old mode let
   * through may still be queued. Throws a CarpdError; some uplinks may have the old mode then.
   */
  setMode(mode: WitnessMode, senders?: readonly number[]): void;
  /** Hands out, now, the frames that wait; false if a bound left some there. */
  drain(): boolean;
  /** No frame and no error is told of after it; the second time does nothing. */
  close(): void;
}

/** ETH_P_ALL: a socket for one EtherType would sit above the firewall's netdev ingress hook. */
const ALL_PROTOCOLS = 3;
const PACKET_OUTGOING = 4;
const VLAN_ID_MASK = 0x0fff;
/** Each of up to 256 frames; an ordinary receive buffer holds no more. */
const DRAIN_BATCHES_MAX = 4;

/**
 * Opens one socket for each uplink. Nothing is seen that came in before. Throws a CarpdError if any
 * of them can't be opened, and leaves none open: an uplink that vanished is no uplink any more, so
 * the caller has to ask again what the interface stands on.
 */
export function openFrameWitness(options: FrameWitnessOptions): FrameWitness {
  const witness = new PacketWitness(options);
  try {
    witness.open();
  } catch (error) {
    witness.close();
    throw error;
  }
  return witness;
}

class PacketWitness implements FrameWitness {
  readonly #options: FrameWitnessOptions;
  readonly #sockets: { readonly uplink: WitnessUplink; readonly socket: PacketSocket }[] = [];
  /** Undefined after a change that failed half-way. */
  #mode: WitnessMode | undefined;
  #closed = false;

  constructor(options: FrameWitnessOptions) {
    this.#options = options;
  }

  open(): void {
    const { mode, senders } = this.#options;
    this.#mode = mode;
    for (const uplink of this.#options.uplinks) {
      const socket = openPacketSocket({
        ifindex: uplink.ifindex,
        protocol: ALL_PROTOCOLS,
        filter: witnessFilter(mode, uplink.vlans, senders),
        ignoreOutgoing: true,
        onFrame: (datagram) => {
          const cameBy = datagram.ifindex ?? uplink.ifindex;
          this.#options.onFrame(witnessed(datagram), uplink, cameBy);
        },
        onError: (error) => {
          if (!this.#closed) this.#options.onError(error, uplink);
        },
      });
      this.#sockets.push({ uplink, socket });
    }
  }

  setMode(mode: WitnessMode, senders?: readonly number[]): void {
    if (this.#closed || (mode === this.#mode && senders === undefined)) return;
    this.#mode = undefined;
    for (const { uplink, socket } of this.#sockets) {
      socket.setFilter(witnessFilter(mode, uplink.vlans, senders));
    }
    // With other senders next time the same mode is another filter.
    this.#mode = senders === undefined ? mode : undefined;
  }

  drain(): boolean {
    return this.#sockets.map(({ socket }) => isEmptied(socket)).every(Boolean);
  }

  close(): void {
    this.#closed = true;
    for (const { socket } of this.#sockets) socket.close();
  }
}

function isEmptied(socket: PacketSocket): boolean {
  for (let batch = 0; batch < DRAIN_BATCHES_MAX; batch += 1) if (socket.drain()) return true;
  return false;
}

function witnessed({ bytes, vlan, packetType }: Datagram): WitnessedFrame {
  return {
    bytes,
    vlan: vlan === undefined ? undefined : vlan & VLAN_ID_MASK,
    outgoing: packetType === PACKET_OUTGOING,
  };
}
