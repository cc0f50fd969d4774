// A datagram socket of the addon: told when there is something to read, read at once or at any
// other time.
import type { CarpdError } from '../../base/errors.ts';
import { native, type Datagram } from './native.ts';
import { socketError, SocketError } from './socket-error.ts';

export interface DatagramSocketOptions {
  /** What is opened, for error messages: "packet socket on interface 3". */
  readonly what: string;
  /** Opens the socket in the addon; may throw what the addon throws. */
  readonly open: () => number;
  /** False: it only sends, and nothing is ever read. */
  readonly listens: boolean;
  readonly onDatagram: (datagram: Datagram) => void;
  /** An error that receiving met; the socket stays open. */
  readonly onError: (error: CarpdError) => void;
}

/** Datagrams read before others get their turn; the rest comes with the next wake-up. */
const BATCH_MAX = 256;

/** One socket from its opening to `close`. */
export class DatagramSocket {
  readonly #options: DatagramSocketOptions;
  readonly #fd: number;
  #closed = false;

  /** Throws a CarpdError where the socket can't be opened. */
  constructor(options: DatagramSocketOptions) {
    this.#options = options;
    try {
      this.#fd = options.open();
    } catch (error) {
      throw socketError(`open ${options.what}`, 'open', error);
    }
    if (!options.listens) return;
    try {
      this.#watch();
    } catch (error) {
      this.close();
      throw socketError(`watch ${options.what}`, 'open', error);
    }
  }

  /** Sends one datagram now, or throws a CarpdError. */
  send(bytes: Uint8Array): void {
    const operation = `send on ${this.#options.what}`;
    if (this.#closed) {
      const detail = { errno: 'EBADF' };
      throw new SocketError('CARPD_SOCKET', operation, 'the socket is closed', detail);
    }
    try {
      native().send(this.#fd, bytes);
    } catch (error) {
      throw socketError(operation, 'use', error);
    }
  }

  /**
   * Netlink sockets: sends a request on another thread, since the kernel may make it wait; calls
   * back with a CarpdError or nothing when it was sent. Never throws; no call after `close`.
   */
  request(bytes: Uint8Array, onSent: (error: CarpdError | undefined) => void): void {
    const operation = `send on ${this.#options.what}`;
    const done = (error: unknown): void => {
      if (this.#closed) return;
      onSent(error === undefined ? undefined : socketError(operation, 'use', error));
    };
    if (this.#closed) return;
    try {
      native().request(this.#fd, bytes, done);
    } catch (error) {
      queueMicrotask(() => done(error));
    }
  }

  /** Packet sockets: replaces the filter, or throws what the addon throws. */
  setFilter(filter: Uint8Array): void {
    // The number may be another socket's by now.
    if (this.#closed) throw Object.assign(new Error('the socket is closed'), { code: 'EBADF' });
    native().attachFilter(this.#fd, filter);
  }

  /** Packet sockets: joins a multicast group of the link layer, or throws what the addon throws. */
  joinLinkGroup(address: Uint8Array): void {
    if (this.#closed) throw Object.assign(new Error('the socket is closed'), { code: 'EBADF' });
    native().joinLinkGroup(this.#fd, address);
  }

  /** Reads what is queued, up to a bound; false if the bound left something there. */
  drain(): boolean {
    for (let count = 0; count < BATCH_MAX; count += 1) {
      // Closed by what the last datagram brought about, perhaps.
      if (this.#closed) return true;
      let datagram: Datagram | undefined;
      try {
        datagram = native().receive(this.#fd);
      } catch (error) {
        // Reading an error takes it off the socket; what is behind it is still there.
        this.#options.onError(socketError(`receive on ${this.#options.what}`, 'use', error));
        continue;
      }
      if (datagram === undefined) return true;
      this.#options.onDatagram(datagram);
    }
    return false;
  }

  /** The second time does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().close(this.#fd);
  }

  /**
   * One batch in each turn of the event loop. Node serves the wake-ups of an addon without leaving
   * the turn as long as new ones come, up to a thousand: under a flood timers would wait for all.
   */
  #watch(): void {
    native().watch(this.#fd, () => {
      this.drain();
      if (this.#closed) return;
      native().unwatch(this.#fd);
      setImmediate(() => {
        if (!this.#closed) this.#watch();
      });
    });
  }
}
