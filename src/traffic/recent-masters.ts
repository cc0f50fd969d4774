// Whose adverts came in on one interface lately: those whom a flood must not drown.
import type { Ipv4 } from '../base/addresses.ts';
import { SENDERS_MAX } from '../linux/sockets/frame-filter.ts';

/** Half of what the kernel filter takes: the rest is for the peers that are configured. */
const MASTERS_MAX = SENDERS_MAX / 2;

/** Remembers them, last come last. */
export class RecentMasters {
  readonly #masters = new Set<Ipv4>();

  heard(from: Ipv4): void {
    this.#masters.delete(from);
    this.#masters.add(from);
    const [oldest] = this.#masters;
    if (this.#masters.size > MASTERS_MAX && oldest !== undefined) this.#masters.delete(oldest);
  }

  /** They and these peers, each once, in ascending order. */
  with(peers: readonly Ipv4[]): readonly Ipv4[] {
    return [...new Set([...this.#masters, ...peers])].sort((a, b) => a - b);
  }
}
