// An Ethernet segment in memory: a switch that passes every frame on to all others, or to the one
// it is for. It takes a moment, and can be cut between two stations.
import type { Mac } from '../../src/base/addresses.ts';
import { micros, type Micros } from '../../src/base/time.ts';
import { readEthernet } from '../../src/carp/ethernet.ts';
import type { VirtualTime } from './time.ts';

/** What is plugged in. */
export interface Plug {
  readonly mac: Mac;
  /** Whether the kernel behind it answers for this IPv4 address. */
  has(address: string): boolean;
  /** A frame has come in. */
  receive(frame: Uint8Array): void;
}

/** What interfaces are plugged in to. */
export interface Medium {
  /** How many were plugged in so far. */
  readonly plugs: number;
  plug(plug: Plug): void;
  unplug(plug: Plug): void;
  /** Whose address this is. */
  macOf(address: string): Mac | undefined;
  send(from: Mac, frame: Uint8Array): void;
}

/** One network segment in memory. */
export class Wire implements Medium {
  /** How long a frame is under way. */
  delay: Micros = micros(50);
  /** Whether a frame gets from one station to another; all do if nobody says otherwise. */
  passes: (from: Mac, to: Mac, frame: Uint8Array) => boolean = () => true;
  /** Takes a frame to a station, by calling `deliver`. */
  carry: (to: Mac, deliver: () => void, frame: Uint8Array) => void = (_to, deliver) => {
    this.#time.after(this.delay, deliver);
  };
  readonly #time: VirtualTime;
  #plugs: readonly Plug[] = [];
  #everPlugged = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** How many were plugged in so far. */
  get plugs(): number {
    return this.#everPlugged;
  }

  plug(plug: Plug): void {
    this.#everPlugged += 1;
    this.#plugs = [...this.#plugs, plug];
  }

  unplug(plug: Plug): void {
    this.#plugs = this.#plugs.filter((one) => one !== plug);
  }

  /** Whose address this is. */
  macOf(address: string): Mac | undefined {
    return this.#plugs.find((plug) => plug.has(address))?.mac;
  }

  send(from: Mac, frame: Uint8Array): void {
    const bytes = Uint8Array.from(frame);
    const read = readEthernet(bytes);
    if (!read.ok) return;
    const { destination } = read.value;
    for (const to of this.#plugs) {
      const isFor = isGroup(destination) || to.mac === destination;
      if (to.mac === from || !isFor || !this.passes(from, to.mac, bytes)) continue;
      this.carry(to.mac, () => to.receive(bytes), bytes);
    }
  }
}

/** The lowest bit of the first byte. */
export function isGroup(mac: Mac): boolean {
  return '13579bdf'.includes(mac.charAt(1));
}
