// A CARP segment in memory: sockets that hear each other as those of
// linux/sockets/carp-socket.ts do.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CarpSocket, CarpSocketOptions } from '../../src/linux/sockets/carp-socket.ts';
import { SocketError } from '../../src/linux/sockets/socket-error.ts';

/** Joins the sockets that were opened on it; a packet reaches all but its sender. */
export class FakeSegment {
  readonly #sockets = new Set<FakeCarpSocket>();
  /** Set to make every send fail with this errno. */
  sendErrno: string | undefined;

  /** In the place of openCarpSocket. */
  open(options: CarpSocketOptions): Promise<FakeCarpSocket> {
    const socket = new FakeCarpSocket(options, this);
    this.#sockets.add(socket);
    return Promise.resolve(socket);
  }

  /** Puts a packet on the wire, from outside or from `sender`. */
  transmit(packet: Uint8Array, destination: string, sender?: FakeCarpSocket): void {
    for (const socket of this.#sockets) {
      if (socket !== sender) socket.queue(packet, destination);
    }
  }

  forget(socket: FakeCarpSocket): void {
    this.#sockets.delete(socket);
  }
}

export class FakeCarpSocket implements CarpSocket {
  readonly #options: CarpSocketOptions;
  readonly #segment: FakeSegment;
  readonly #groups = new Set<string>();
  readonly #waiting: Uint8Array[] = [];
  #closed = false;

  constructor(options: CarpSocketOptions, segment: FakeSegment) {
    this.#options = options;
    this.#segment = segment;
  }

  /** So many packets were dropped since the socket was full. */
  lost = 0;

  get alive(): boolean {
    return !this.#closed;
  }

  async send(packet: Uint8Array, destination: string): Promise<void> {
    this.#refuseIfClosed();
    const copy = Uint8Array.from(packet);
    await nextTurn();
    this.#refuseIfClosed();
    const errno = this.#segment.sendErrno;
    if (errno !== undefined) {
      throw new SocketError('CARPD_SOCKET', 'send', `refused (${errno})`, { errno });
    }
    this.#segment.transmit(copy, destination, this);
  }

  join(group: string): void {
    this.#refuseIfClosed();
    this.#groups.add(group);
  }

  leave(group: string): void {
    this.#groups.delete(group);
  }

  drain(): boolean {
    this.#handOut();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#segment.forget(this);
  }

  queue(packet: Uint8Array, destination: string): void {
    if (!this.#groups.has(destination)) return;
    this.#waiting.push(Uint8Array.from(packet));
    setImmediate(() => this.#handOut());
  }

  #handOut(): void {
    for (const packet of this.#waiting.splice(0)) this.#options.onPacket(packet);
  }

  #refuseIfClosed(): void {
    if (!this.#closed) return;
    throw new SocketError('CARPD_SOCKET', 'send', 'the socket is closed', { errno: 'EBADF' });
  }
}
