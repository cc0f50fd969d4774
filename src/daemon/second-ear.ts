// Adverts come in twice: by the CARP socket, which lies behind the host's firewall, and, while it
// is open, by the frame witness before it. Each is delivered once, and it is known by which ear.
import { readIpv4 } from '../carp/ipv4.ts';

/** How an advert came in. */
export interface Heard {
  /** The link epoch of the socket that it came from, which may have ended since. */
  readonly epoch: number;
  /** witness: the CARP socket did not get it. */
  readonly by: 'socket' | 'witness';
}

export interface SecondEarOptions {
  /** The link epoch now. */
  readonly epoch: () => number;
  readonly deliver: (packet: Uint8Array, heard: Heard) => void;
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
}

interface Witnessed {
  readonly packet: Uint8Array;
  readonly epoch: number;
  readonly timer: NodeJS.Timeout;
}

/** The CARP socket gets its copy of a packet within the same moment, unless the process stalls. */
const GRACE_MS = 50;
const REMEMBERED_MAX = 256;

/** See the head of this file. */
export class SecondEar {
  readonly #options: SecondEarOptions;
  /** What the socket has heard lately, in case the witness comes second. */
  readonly #heard = new Set<string>();
  readonly #witnessed = new Map<string, Witnessed>();
  #socketEpoch: number;

  constructor(options: SecondEarOptions) {
    this.#options = options;
    this.#socketEpoch = options.epoch();
  }

  /** A packet of the CARP socket. */
  heard(packet: Uint8Array): void {
    const key = keyOf(packet);
    this.#forget(key);
    this.#heard.add(key);
    for (const oldest of this.#heard)
      if (this.#heard.size > REMEMBERED_MAX) this.#heard.delete(oldest);
    this.#options.deliver(packet, { epoch: this.#socketEpoch, by: 'socket' });
  }

  /** A packet of the frame witness; delivered only if the socket does not get it as well. */
  witnessed(packet: Uint8Array, epoch: number): void {
    const key = keyOf(packet);
    if (this.#heard.has(key) || this.#witnessed.has(key)) return;
    if (this.#witnessed.size >= REMEMBERED_MAX) return;
    const timer = setTimeout(() => this.#options.post(() => this.#deliver(key)), GRACE_MS);
    this.#witnessed.set(key, { packet, epoch, timer });
  }

  /** The socket has been read to its end: what it has not heard by now, it will not hear. */
  flush(): void {
    for (const key of [...this.#witnessed.keys()]) this.#deliver(key);
  }

  /** All packets that the socket got before this epoch have been read. */
  freshFrom(epoch: number): void {
    this.#socketEpoch = epoch;
  }

  close(): void {
    for (const key of [...this.#witnessed.keys()]) this.#forget(key);
  }

  #deliver(key: string): void {
    const witnessed = this.#witnessed.get(key);
    if (witnessed === undefined) return;
    this.#forget(key);
    this.#options.deliver(witnessed.packet, { epoch: witnessed.epoch, by: 'witness' });
  }

  #forget(key: string): void {
    clearTimeout(this.#witnessed.get(key)?.timer);
    this.#witnessed.delete(key);
  }
}

/** The same for both ears: padding and what a firewall may rewrite in the header are left out. */
function keyOf(packet: Uint8Array): string {
  const ip = readIpv4(packet);
  if (!ip.ok) return Buffer.from(packet).toString('latin1');
  const { source, payload } = ip.value;
  return `${String(source)} ${Buffer.from(payload).toString('latin1')}`;
}
