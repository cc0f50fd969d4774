// The frame witness: sees the frames of other stations where they come in, at the bottom of what an
// interface stands on, and below the host's firewall. What a frame proves is not decided here.
import type { CarpdError } from '../../base/errors.ts';
import type { WitnessedFrame } from '../../carp/frame.ts';
import type { Datagram } from './native.ts';
import { openPacketSocket, type OpenPacketSocket, type PacketSocket } from './packet-socket.ts';
import { witnessFilter, type WitnessMode } from './frame-filter.ts';
import { TwinFrames } from './twin-frames.ts';

export type { WitnessMode } from './frame-filter.ts';

/** An interface at the bottom of what the watched one stands on. */
export interface WitnessUplink {
  readonly ifindex: number;
  readonly name: string;
  /** The VLAN ids of a frame for the watched interface when it is caught here, outermost first. */
  readonly vlans: readonly number[];
  /** Only what is caught on this one as well counts, and bears `vlans` there. */
  readonly above?: { readonly ifindex: number; readonly name: string } | undefined;
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
 * the caller has to ask again what the interface stands on. `open`: what opens the sockets.
 */
export function openFrameWitness(
  options: FrameWitnessOptions,
  open: OpenPacketSocket = openPacketSocket,
): FrameWitness {
  const witness = new PacketWitness(options, open);
  try {
    witness.open();
  } catch (error) {
    witness.close();
    throw error;
  }
  return witness;
}

/** One of the sockets; the uplinks come before the bridges above them. */
interface Catch {
  readonly socket: PacketSocket;
  readonly vlans: readonly number[] | 'any';
}

/** How a frame came in. */
interface Entrance {
  readonly uplink: WitnessUplink;
  readonly cameBy: number;
}

class PacketWitness implements FrameWitness {
  readonly #options: FrameWitnessOptions;
  readonly #openSocket: OpenPacketSocket;
  readonly #catches: Catch[] = [];
  /** Undefined after a change that failed half-way. */
  #mode: WitnessMode | undefined;
  #closed = false;

  constructor(options: FrameWitnessOptions, open: OpenPacketSocket) {
    this.#options = options;
    this.#openSocket = open;
  }

  open(): void {
    const { mode, uplinks, onFrame } = this.#options;
    this.#mode = mode;
    const bridges = new Map<string, readonly WitnessUplink[]>();
    for (const uplink of uplinks) {
      const { above, vlans } = uplink;
      if (above === undefined) {
        this.#catch(uplink, uplink.ifindex, vlans, (datagram) => {
          onFrame(witnessed(datagram), uplink, datagram.ifindex ?? uplink.ifindex);
        });
        continue;
      }
      const key = [above.ifindex, ...vlans].join(' ');
      bridges.set(key, [...(bridges.get(key) ?? []), uplink]);
    }
    for (const below of bridges.values()) this.#catchTwice(below);
  }

  /** The ports of one bridge: what comes in by them, and then once more above. */
  #catchTwice(uplinks: readonly WitnessUplink[]): void {
    const twins = new TwinFrames<Entrance>();
    const below: PacketSocket[] = [];
    for (const uplink of uplinks) {
      const { ifindex } = uplink;
      const socket = this.#catch(uplink, ifindex, 'any', (datagram) => {
        twins.came(witnessed(datagram), { uplink, cameBy: datagram.ifindex ?? ifindex });
      });
      below.push(socket);
    }
    const [first] = uplinks;
    if (first?.above === undefined) return;
    this.#catch(first, first.above.ifindex, first.vlans, (datagram) => {
      // The kernel has queued the one below first.
      for (const socket of below) isEmptied(socket);
      const frame = witnessed(datagram);
      const twin = this.#closed ? undefined : twins.take(frame);
      if (twin !== undefined) this.#options.onFrame(frame, twin.uplink, twin.cameBy);
    });
  }

  #catch(
    uplink: WitnessUplink,
    ifindex: number,
    vlans: Catch['vlans'],
    onFrame: (datagram: Datagram) => void,
  ): PacketSocket {
    const { mode, senders, onError } = this.#options;
    const socket = this.#openSocket({
      ifindex,
      protocol: ALL_PROTOCOLS,
      filter: witnessFilter(mode, vlans, senders),
      ignoreOutgoing: true,
      onFrame,
      onError: (error) => {
        if (!this.#closed) onError(error, uplink);
      },
    });
    this.#catches.push({ socket, vlans });
    return socket;
  }

  setMode(mode: WitnessMode, senders?: readonly number[]): void {
    if (this.#closed || (mode === this.#mode && senders === undefined)) return;
    this.#mode = undefined;
    for (const { socket, vlans } of this.#catches) {
      socket.setFilter(witnessFilter(mode, vlans, senders));
    }
    // With other senders next time the same mode is another filter.
    this.#mode = senders === undefined ? mode : undefined;
  }

  drain(): boolean {
    return this.#catches.map(({ socket }) => isEmptied(socket)).every(Boolean);
  }

  close(): void {
    this.#closed = true;
    for (const { socket } of this.#catches) socket.close();
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
