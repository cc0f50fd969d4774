// A host as the segment sees it: its card, its addresses, and its kernel, which answers ARP whether
// or not any process of it still runs.
import { readMac, type Ipv4, type Mac } from '../../src/base/addresses.ts';
import type { Bus } from './bus.ts';
import type { VirtualClock } from '../fakes/clock.ts';
import type { ArpRequest, Frame } from './frame.ts';
import { Uplink, type UplinkKind } from './uplink.ts';

export interface StationOptions {
  readonly name: string;
  readonly address: Ipv4;
  readonly vip: Ipv4;
  readonly uplink: UplinkKind;
}

/** A host that keeps its own addresses, and answers for them. */
export interface Kernel {
  readonly holdsVip: boolean;
}

export class Station {
  readonly name: string;
  readonly address: Ipv4;
  readonly uplink: Uplink;
  /** The host runs. */
  up = false;
  /** Its own address is on the interface. */
  addressed = true;
  /** What its host is, where that is more than this. */
  kernel: Kernel | undefined;
  #holdsVip = false;
  /** What its process makes of a frame that bears these tags where it comes in. */
  onFrame: ((frame: Frame, tags: readonly number[]) => void) | undefined;
  /** Frames of others that came in since its path last changed: what really proves that path. */
  framesOnPath = 0;
  readonly #vip: Ipv4;
  readonly #bus: Bus;

  constructor(clock: VirtualClock, bus: Bus, options: StationOptions) {
    this.#bus = bus;
    this.name = options.name;
    this.address = options.address;
    this.#vip = options.vip;
    this.uplink = new Uplink(clock, options.uplink, macOf(options.address));
    bus.attach(this);
  }

  get holdsVip(): boolean {
    return this.kernel?.holdsVip ?? this.#holdsVip;
  }

  set holdsVip(holdsVip: boolean) {
    this.#holdsVip = holdsVip;
  }

  get mac(): Mac {
    return this.uplink.mac;
  }

  /** Whether frames pass between it and the segment. */
  get onLine(): boolean {
    return this.up && this.uplink.passes;
  }

  /** Whom its kernel has spoken with, be they there or not. */
  get neighbours(): readonly Ipv4[] {
    const others = this.#bus.stations.filter((other) => other !== this);
    return others.map(({ address }) => address);
  }

  /** What it hangs on comes up with it. */
  boot(): void {
    this.uplink.boot();
  }

  send(frame: Frame): void {
    this.#bus.send(this, frame);
  }

  /** Asks who has an address. */
  ask(target: Ipv4): void {
    this.send({
      kind: 'arp-request',
      mac: this.mac,
      from: this.address,
      target,
      gratuitous: false,
    });
  }

  /** Tells everybody who has the virtual IP. */
  announce(): void {
    if (!this.holdsVip) return;
    const [from, target] = [this.#vip, this.#vip];
    this.send({ kind: 'arp-request', mac: this.mac, from, target, gratuitous: true });
  }

  /** A frame comes out of the wire. */
  receive(frame: Frame): void {
    this.framesOnPath += 1;
    if (frame.kind === 'arp-request' && this.kernel === undefined) this.#answer(frame);
    this.onFrame?.(frame, this.uplink.tags);
  }

  /** A kernel answers nobody whose source address is its own (arp_process, fib_validate_source). */
  #answer({ mac, target, gratuitous }: ArpRequest): void {
    if (gratuitous) return;
    const own = target === this.address && this.addressed;
    if (!own && !(target === this.#vip && this.holdsVip)) return;
    this.send({ kind: 'arp-reply', mac: this.mac, address: target, to: mac });
  }
}

/** A MAC address that follows from the address. */
export function macOf(address: Ipv4, generation = 0): Mac {
  const octets = [2, generation, address >>> 24, address >>> 16, address >>> 8, address];
  return readMac(Uint8Array.from(octets), 0);
}
