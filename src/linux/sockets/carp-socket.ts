// Adverts in and out: one raw socket that hears IP protocol 112 on one interface, and one that only
// sends. Two, since in raw-socket's event handler a readable socket wins over a writable one: under
// a flood a send on the same socket would wait until the flood is over. Both lie above the host's
// firewall. The only importer of raw-socket, which is loaded when the first socket is opened.
import { isIPv4 } from 'node:net';
import type * as RawSocketModule from 'raw-socket';
import { CarpdError, messageOf } from '../../base/errors.ts';
import { keepDescriptorsFromChildren } from './native.ts';
import { errnoOf, socketError, SocketError } from './socket-error.ts';
import { carpReceiveOptions, carpSendOptions, membership, setOption } from './carp-options.ts';
import { CARP_PROTOCOL, SO_PROTOCOL, SOL_SOCKET, IPPROTO_RAW } from './carp-options.ts';
import { MEMINFO_BYTES, MEMINFO_DROPS, SO_MEMINFO } from './carp-options.ts';

/** The raw sockets of one interface. Held by this module until closed, whoever forgets them. */
export interface CarpSocket {
  /**
   * Sends an IPv4 packet with its header; only the kernel's own fields (total length and header
   * checksum) are filled in. Rejects with a CarpdError whose `errno` tells a firewall (EPERM) from
   * a full queue (ENOBUFS), a link that is down (ENETDOWN) and so on; within a second in any case,
   * and a packet whose time ran out is never sent late.
   */
  send(packet: Uint8Array, destination: string): Promise<void>;
  /** Joins a multicast group on this interface; nothing if it is joined already. */
  join(multicast: string): void;
  /** Leaves a group; nothing if it is not joined. */
  leave(multicast: string): void;
  /**
   * Hands out, now, the packets that wait in the socket; false if a bound left some there. For a
   * wake that is late: then timers are served before the packets that came in meanwhile.
   */
  drain(): boolean;
  /**
   * How many packets the kernel has dropped so far since the socket was full; undefined where the
   * kernel does not say (before 4.12).
   */
  readonly lost: number | undefined;
  /** Whether the receiving socket still is one; asks the kernel. */
  readonly alive: boolean;
  /** Closes both sockets and rejects the sends under way; the second time does nothing. */
  close(): void;
}

export interface CarpSocketOptions {
  readonly interfaceName: string;
  readonly ifindex: number;
  /** A packet from its IPv4 header on, in bytes of its own; called from the event loop. */
  readonly onPacket: (packet: Uint8Array) => void;
  /** The receiving socket failed: nothing more may come in until it is opened anew. */
  readonly onError: (error: CarpdError) => void;
}

/** Opens the sockets; rejects with a CarpdError. What was queued before is not handed out. */
export async function openCarpSocket(options: CarpSocketOptions): Promise<CarpSocket> {
  const raw = await loadRawSocket();
  const socket = new OpenCarpSocket(raw, options);
  try {
    socket.start();
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

type Raw = typeof RawSocketModule;
type RawSocket = RawSocketModule.Socket;

const SEND_MS_MAX = 1_000;
const SEND_ATTEMPTS_MAX = 3;
/** Packets read before others get their turn; the rest comes in the next one. */
const BATCH_MAX = 256;
/** Some 4,000 packets: no flood may hold those who only want what came in before. */
const DRAIN_BATCHES_MAX = 16;
/** No IPv4 packet is longer. */
const PACKET_BYTES_MAX = 65_535;
/** For one packet at a time, which is copied at once. */
const scratch = Buffer.alloc(PACKET_BYTES_MAX);

/** raw-socket closes a socket when its object is collected, without a word: these are not. */
const openSockets = new Set<OpenCarpSocket>();

/** Loads the package; rejects with a CarpdError that says what to do. */
export async function loadRawSocket(): Promise<Raw> {
  try {
    return await import('raw-socket');
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    const remedy = 'run "npm rebuild raw-socket" in the package directory, with a C++ compiler';
    throw new CarpdError('CARPD_NATIVE', 'load raw-socket', `${reason}; ${remedy}`, error);
  }
}

/** A send under way; `settle` acts once, and nothing is sent after it. */
interface PendingSend {
  readonly transmit: (sender: RawSocket) => void;
  readonly settle: (error?: CarpdError) => void;
  attempts: number;
}

class OpenCarpSocket implements CarpSocket {
  readonly #raw: Raw;
  readonly #options: CarpSocketOptions;
  readonly #pending = new Set<PendingSend>();
  readonly #joined = new Set<string>();
  #receiver: RawSocket | undefined;
  #sender: RawSocket | undefined;
  /** raw-socket has closed the receiver: to read it would make another one, bound to nothing. */
  #receiverGone = false;
  #accepting = false;
  #closed = false;

  constructor(raw: Raw, options: CarpSocketOptions) {
    this.#raw = raw;
    this.#options = options;
    openSockets.add(this);
  }

  start(): void {
    try {
      this.#openReceiver();
      this.#openSender();
    } catch (error) {
      throw socketError(this.#operation('open the CARP socket'), 'open', error);
    }
    // Between its making and its being bound the socket heard every interface of the host.
    this.drain();
    this.#accepting = true;
  }

  get alive(): boolean {
    const value = Buffer.alloc(4);
    try {
      this.#receiver?.getOption(SOL_SOCKET, SO_PROTOCOL, value, value.length);
    } catch {
      return false;
    }
    return new Int32Array(value.buffer, value.byteOffset, 1)[0] === CARP_PROTOCOL;
  }

  async send(packet: Uint8Array, destination: string): Promise<void> {
    const operation = this.#operation(`send to ${destination}`);
    if (this.#closed) throw closedError(operation);
    if (!isIPv4(destination)) {
      throw new SocketError('CARPD_SOCKET', operation, 'not an IPv4 address');
    }
    await this.#send(Buffer.from(packet), destination, operation);
  }

  join(multicast: string): void {
    if (this.#joined.has(multicast)) return;
    const operation = this.#operation(`join ${multicast}`);
    if (this.#receiver === undefined) throw closedError(operation);
    if (!isIPv4(multicast)) throw new SocketError('CARPD_SOCKET', operation, 'not an IPv4 address');
    try {
      setOption(this.#receiver, membership('join', multicast, this.#options.ifindex));
    } catch (error) {
      throw socketError(operation, 'open', error);
    }
    this.#joined.add(multicast);
  }

  leave(multicast: string): void {
    if (!this.#joined.delete(multicast) || this.#receiver === undefined) return;
    try {
      setOption(this.#receiver, membership('leave', multicast, this.#options.ifindex));
    } catch {
      // With its interface the membership has gone already; nothing else can be wrong here.
    }
  }

  get lost(): number | undefined {
    const value = Buffer.alloc(MEMINFO_BYTES);
    try {
      const length = this.#receiver?.getOption(SOL_SOCKET, SO_MEMINFO, value, value.length) ?? 0;
      const counts = new Uint32Array(value.buffer, value.byteOffset, Math.floor(length / 4));
      return counts[MEMINFO_DROPS];
    } catch {
      return undefined;
    }
  }

  drain(): boolean {
    for (let batch = 0; batch < DRAIN_BATCHES_MAX; batch += 1) {
      if (this.#readBatch()) return true;
    }
    return false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    openSockets.delete(this);
    const error = closedError(this.#operation('send'));
    for (const { settle } of [...this.#pending]) settle(error);
    this.#receiver?.close();
    this.#sender?.close();
    this.#receiver = undefined;
    this.#sender = undefined;
  }

  #operation(what: string): string {
    return `${what} on ${this.#options.interfaceName}`;
  }

  #openReceiver(): void {
    const receiver = this.#raw.createSocket({
      protocol: CARP_PROTOCOL,
      bufferSize: PACKET_BYTES_MAX,
    });
    keepDescriptorsFromChildren();
    this.#receiver = receiver;
    receiver.on('error', (error) => this.#receiveFailed(error));
    receiver.on('close', () => (this.#receiverGone = true));
    receiver.on('message', (view) => {
      this.#received(view);
      // raw-socket itself reads one packet in a turn of the event loop: a flood would win.
      this.#readBatch();
    });
    for (const option of carpReceiveOptions(this.#options)) setOption(receiver, option);
  }

  /** Reads what waits, up to a bound; false if the bound left something there. */
  #readBatch(): boolean {
    for (let count = 0; count < BATCH_MAX; count += 1) {
      const receiver = this.#receiver;
      // Closed by what the last packet brought about, perhaps.
      if (receiver === undefined || this.#receiverGone) return true;
      let bytes = 0;
      try {
        receiver.wrap.recv(scratch, (_buffer, length) => (bytes = length));
      } catch (error) {
        if (errnoOf(error) !== 'EAGAIN') this.#receiveFailed(error);
        return true;
      }
      this.#received(scratch.subarray(0, bytes));
    }
    return false;
  }

  #received(view: Buffer): void {
    if (!this.#accepting || this.#closed) return;
    // The next packet is read into the same memory.
    const packet = Uint8Array.from(view);
    try {
      this.#options.onPacket(packet);
    } catch (error) {
      // raw-socket would hand it back as an error of the socket; it is a fault of carpd.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #receiveFailed(error: unknown): void {
    // Readable, and yet nothing to read: a packet whose checksum proved wrong.
    if (this.#closed || errnoOf(error) === 'EAGAIN') return;
    this.#options.onError(socketError(this.#operation('receive'), 'use', error));
  }

  /** The sending socket; made anew for the next packet when it has failed. */
  #openSender(): RawSocket {
    if (this.#sender !== undefined) return this.#sender;
    // A socket of this protocol is given no packets, so none pile up in it.
    const sender = this.#raw.createSocket({ protocol: IPPROTO_RAW, bufferSize: 1 });
    keepDescriptorsFromChildren();
    sender.pauseRecv();
    sender.on('error', (error) => this.#senderFailed(sender, error));
    try {
      for (const option of carpSendOptions(this.#options)) setOption(sender, option);
    } catch (error) {
      sender.close();
      throw error;
    }
    this.#sender = sender;
    return sender;
  }

  /**
   * raw-socket gives a socket up when its error queue has something, as after a packet that was too
   * long or an ICMP error, which anybody can forge. What it has not sent yet goes out on another.
   */
  #senderFailed(sender: RawSocket, error: Error): void {
    if (this.#sender !== sender) return;
    this.#sender = undefined;
    const fault = socketError(this.#operation('send'), 'use', error);
    for (const pending of [...this.#pending]) {
      if (pending.attempts < SEND_ATTEMPTS_MAX) this.#attempt(pending);
      else pending.settle(fault);
    }
  }

  #attempt(pending: PendingSend): void {
    pending.attempts += 1;
    try {
      pending.transmit(this.#openSender());
    } catch (error) {
      pending.settle(socketError(this.#operation('send'), 'use', error));
    }
  }

  #send(packet: Buffer, destination: string, operation: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending: PendingSend = {
        attempts: 0,
        transmit: (sender) => {
          const beforeSend = (): void => {
            const wanted = this.#pending.has(pending) && this.#sender === sender;
            if (!wanted) throw new Error('its time ran out');
          };
          sender.send(packet, 0, packet.length, destination, beforeSend, (error) => {
            pending.settle(error === null ? undefined : socketError(operation, 'use', error));
          });
        },
        settle: (error) => {
          if (!this.#pending.delete(pending)) return;
          clearTimeout(timer);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      const timer = setTimeout(() => {
        const why = 'the process got no turn to send, or the queue of the interface is full';
        const reason = `not sent within ${SEND_MS_MAX} ms: ${why}`;
        pending.settle(new SocketError('CARPD_SOCKET', operation, reason));
      }, SEND_MS_MAX);
      this.#pending.add(pending);
      this.#attempt(pending);
    });
  }
}

function closedError(operation: string): CarpdError {
  return new SocketError('CARPD_SOCKET', operation, 'the socket is closed', { errno: 'EBADF' });
}
