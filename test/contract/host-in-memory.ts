// Hosts in memory: their segment and interfaces, for the suites that hold them to the real ones.
import type { CarpSocket, CarpSocketOptions } from '../../src/linux/sockets/carp-socket.ts';
import type { LinkWatch, LinkWatchOptions } from '../../src/linux/links/link-watch.ts';
import { FakeHost } from '../fakes/host.ts';
import { FakeProcess } from '../fakes/host-process.ts';
import { VirtualTime } from '../fakes/time.ts';
import { Wire } from '../fakes/wire.ts';

/** To 224.0.0.18. */
const HEAD = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x02, 0, 0, 0, 0, 0x99, 0x08, 0x00];

/** Two hosts on a wire, "va" and "vb", whose time passes by itself. */
export class MemorySegment {
  readonly #time = new VirtualTime();
  readonly #stop = this.#time.flow();
  readonly #wire = new Wire(this.#time);
  readonly #ends = { va: new FakeHost('a', this.#time), vb: new FakeHost('b', this.#time) };
  readonly #indexes = {
    va: this.#ends.va.plug('va', this.#wire, '10.99.0.1/24'),
    vb: this.#ends.vb.plug('vb', this.#wire, '10.99.0.9/24'),
  };

  async open(end: 'va' | 'vb', handlers: Partial<CarpSocketOptions> = {}): Promise<CarpSocket> {
    const { openCarpSocket } = new FakeProcess(this.#ends[end]).ports();
    const fails = (error: unknown): never => {
      throw error;
    };
    const own = { interfaceName: end, ifindex: this.#indexes[end], onPacket: fails };
    const socket = await openCarpSocket({ ...own, onError: fails, ...handlers });
    const send = socket.send.bind(socket);
    return Object.assign(socket, {
      // This wire takes a moment, and a pair of veths none.
      send: async (bytes: Uint8Array, to: string) => {
        await send(bytes, to);
        await new Promise<void>((resolve) => void this.#time.startTimer(1, resolve));
      },
    });
  }

  inject(packet: Uint8Array): void {
    this.#ends.va.sendFrame(this.#indexes.va, Uint8Array.from([...HEAD, ...packet]));
  }

  close(): Promise<void> {
    this.#stop();
    return Promise.resolve();
  }
}

/** The interfaces of a host, changed as by `ip`. */
export class MemoryLinks {
  readonly #time = new VirtualTime();
  readonly #wire = new Wire(this.#time);
  readonly #host = new FakeHost('host', this.#time);

  open(options: LinkWatchOptions): Promise<LinkWatch> {
    return this.#time.settled(new FakeProcess(this.#host).ports().openLinkWatch(options));
  }

  add(name: string): Promise<void> {
    this.#host.plug(name, this.#wire);
    return this.setUp(name, false);
  }

  setUp(name: string, up: boolean): Promise<void> {
    this.#host.admin(name, up);
    return this.#told();
  }

  rename(name: string, newName: string): Promise<void> {
    this.#host.set(name, { name: newName });
    return this.#told();
  }

  addAddress(name: string, address: string, prefixLength: number): Promise<void> {
    this.#host.meddle(`addr add ${address}/${prefixLength} dev ${name}`);
    return this.#told();
  }

  removeAddress(name: string, address: string, prefixLength: number): Promise<void> {
    this.#host.meddle(`addr del ${address}/${prefixLength} dev ${name}`);
    return this.#told();
  }

  async remove(name: string): Promise<void> {
    this.#host.unplug(name);
    await this.#told();
  }

  #told(): Promise<void> {
    return this.#time.pass(1);
  }
}
