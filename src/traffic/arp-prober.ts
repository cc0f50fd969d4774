// Asks hosts on one interface by ARP, and remembers who answered with which MAC address.
import { messageOf } from '../base/errors.ts';
import type { Ipv4, Mac } from '../base/addresses.ts';
import { arpProbe, arpRequest } from '../carp/arp.ts';

export interface ArpProberOptions {
  /** The card's own MAC address; throws where there is none. */
  readonly mac: () => Mac;
  /** Sends a whole Ethernet frame, or throws. */
  readonly sendFrame: (frame: Uint8Array) => void;
  readonly onError: (reason: string) => void;
}

/** The MAC addresses of so many hosts are remembered. */
const MACS_MAX = 64;

/** Sends the questions; `answered` gets the answers. */
export class ArpProber {
  readonly #options: ArpProberOptions;
  readonly #listeners = new Set<(host: Ipv4) => void>();
  /** Who answered lately, last come last. */
  readonly #macs = new Map<Ipv4, Mac>();

  constructor(options: ArpProberOptions) {
    this.#options = options;
  }

  /**
   * Asks whether anybody has one of `vips`, in the name of nobody, and asks `hosts` for their MAC
   * addresses, in the name of `source`; without one they are not asked.
   */
  ask(hosts: readonly Ipv4[], vips: readonly Ipv4[], source: Ipv4 | undefined): void {
    const { mac, sendFrame, onError } = this.#options;
    try {
      const own = mac();
      for (const vip of vips) sendFrame(arpProbe(own, vip));
      if (source === undefined) return;
      for (const host of hosts) sendFrame(arpRequest(own, source, host));
    } catch (error) {
      onError(messageOf(error));
    }
  }

  /** A host answers us. */
  answered(host: Ipv4, mac: Mac): void {
    this.#macs.delete(host);
    this.#macs.set(host, mac);
    const [oldest] = this.#macs.keys();
    if (this.#macs.size > MACS_MAX && oldest !== undefined) this.#macs.delete(oldest);
    for (const listener of [...this.#listeners]) listener(host);
  }

  /** The MAC address with which this host answered last; undefined: it did not. */
  macOf(host: Ipv4): Mac | undefined {
    return this.#macs.get(host);
  }

  /** Calls the listener with every host that answers; returns how to stop that. */
  onAnswer(listener: (host: Ipv4) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
