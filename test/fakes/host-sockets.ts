// The sockets of a process on a host in memory. What comes in waits in them until the process is
// told, or drains them; what they let through is decided by the real filters.
import type { Datagram } from '../../src/linux/sockets/native.ts';
import type { CarpSocket, CarpSocketOptions } from '../../src/linux/sockets/carp-socket.ts';
import type { PacketSocket, PacketSocketOptions } from '../../src/linux/sockets/packet-socket.ts';
import { SocketError } from '../../src/linux/sockets/socket-error.ts';
import { runFilter } from '../support/bpf.ts';

/** What a socket wants of the host below it. */
export interface Below {
  /** Tells the process, in its turn, that there is something to read. */
  readable(read: () => void): void;
  /** Sends a frame of this interface; throws a SocketError. */
  sendFrame(ifindex: number, frame: Uint8Array): void;
  /** Sends an IPv4 packet; throws a SocketError. */
  sendPacket(ifindex: number, packet: Uint8Array, destination: string): void;
  /** The process reads no socket now, though it is asked to. */
  readsNothing(): boolean;
  /** Nothing comes in by it any more. */
  closed(socket: object): void;
  /** The next turn of the process. */
  turn(): Promise<void>;
}

/** A frame as the kernel has it where a socket sees it. */
export interface CaughtFrame {
  readonly bytes: Uint8Array;
  readonly packetType: number;
  readonly etherType: number;
  /** The tag that was taken out of the bytes. */
  readonly vlanTag: number | undefined;
  /** The index of the interface by which it reached the host. */
  readonly cameBy: number;
}

const ALL_PROTOCOLS = 3;

export class FakePacketSocket implements PacketSocket {
  readonly ifindex: number;
  readonly #options: PacketSocketOptions;
  readonly #below: Below;
  #filter: Uint8Array | undefined;
  #waiting: Datagram[] = [];
  #closed = false;

  constructor(options: PacketSocketOptions, below: Below) {
    this.ifindex = options.ifindex;
    this.#options = options;
    this.#filter = options.filter;
    this.#below = below;
  }

  /** A frame that came in by its interface; false: it is not for this socket. */
  came({ bytes, packetType, etherType, vlanTag, cameBy }: CaughtFrame): boolean {
    const { protocol = 0 } = this.#options;
    if (protocol === 0 || (protocol !== ALL_PROTOCOLS && protocol !== etherType)) return false;
    const length =
      this.#filter === undefined
        ? bytes.length
        : runFilter(this.#filter, { bytes, packetType, vlanTag });
    if (length === 0) return false;
    const cut = Uint8Array.from(bytes.subarray(0, length));
    const tag = vlanTag === undefined ? {} : { vlan: vlanTag };
    const known = { packetType, ifindex: cameBy, protocol: etherType, ...tag };
    this.#waiting.push({ bytes: cut, truncated: false, ...known });
    this.#below.readable(() => this.drain());
    return true;
  }

  send(frame: Uint8Array): void {
    if (this.#closed) throw closedError();
    this.#below.sendFrame(this.ifindex, frame);
  }

  setFilter(filter: Uint8Array): void {
    this.#filter = filter;
  }

  takeAddress(): void {
    // Every card of such a host takes in all groups.
  }

  drain(): boolean {
    if (this.#below.readsNothing()) return true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#options.onFrame?.(next);
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#below.closed(this);
  }
}

export class HostCarpSocket implements CarpSocket {
  readonly ifindex: number;
  lost = 0;
  readonly #options: CarpSocketOptions;
  readonly #below: Below;
  readonly #groups = new Set<string>();
  #waiting: Uint8Array[] = [];
  #closed = false;

  constructor(options: CarpSocketOptions, below: Below) {
    this.ifindex = options.ifindex;
    this.#options = options;
    this.#below = below;
  }

  get alive(): boolean {
    return !this.#closed;
  }

  /**
   * A packet of protocol 112 that came in by its interface; `isLocal`: for this host alone. False:
   * it is not for this socket.
   */
  came(packet: Uint8Array, destination: string, isLocal: boolean): boolean {
    if (!isLocal && !this.#groups.has(destination)) return false;
    this.#waiting.push(Uint8Array.from(packet));
    this.#below.readable(() => this.drain());
    return true;
  }

  /** The receiving side breaks. */
  fail(error: SocketError): void {
    this.#options.onError(error);
  }

  async send(packet: Uint8Array, destination: string): Promise<void> {
    this.#refuseIfClosed();
    const copy = Uint8Array.from(packet);
    await this.#below.turn();
    this.#refuseIfClosed();
    this.#below.sendPacket(this.ifindex, copy, destination);
  }

  join(group: string): void {
    this.#refuseIfClosed();
    this.#groups.add(group);
  }

  leave(group: string): void {
    this.#groups.delete(group);
  }

  drain(): boolean {
    if (this.#below.readsNothing()) return true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#options.onPacket(next);
    }
    return true;
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw closedError();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#below.closed(this);
  }
}

function closedError(): SocketError {
  return new SocketError('CARPD_SOCKET', 'send', 'the socket is closed', { errno: 'EBADF' });
}
