// The next hops through one interface, as the routing table had them last: what the probe target
// `gateway` stands for. Read only where somebody wants them.
import { isDeepStrictEqual } from 'node:util';
import type { Ipv4 } from '../base/addresses.ts';
import type { Ports } from '../ports/ports.ts';

export interface GatewaysOptions extends Pick<Ports, 'readGateways'> {
  /** The name of the interface now. */
  readonly interfaceName: () => string;
  readonly onChanged: () => void;
  readonly onError: (error: unknown) => void;
}

/** Routes change without an event that reaches us; reading them is cheap. */
const REFRESH_TICKS = 10;

/** The next hops through one interface. */
export class Gateways {
  readonly #options: GatewaysOptions;
  #known: readonly Ipv4[] = [];
  #wanted = false;
  #reading = false;
  #ticks = 0;
  #closed = false;

  constructor(options: GatewaysOptions) {
    this.#options = options;
  }

  get known(): readonly Ipv4[] {
    return this.#known;
  }

  want(wanted: boolean): void {
    const before = this.#wanted;
    this.#wanted = wanted;
    if (wanted && !before) void this.#read();
  }

  /** Called every so often; looks again now and then. */
  refresh(): void {
    this.#ticks += 1;
    if (this.#wanted && this.#ticks % REFRESH_TICKS === 0) void this.#read();
  }

  close(): void {
    this.#closed = true;
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const { readGateways, interfaceName } = this.#options;
      const found = await readGateways(interfaceName());
      if (this.#closed || isDeepStrictEqual(found, this.#known)) return;
      this.#known = found;
      this.#options.onChanged();
    } catch (error) {
      if (!this.#closed) this.#options.onError(error);
    } finally {
      this.#reading = false;
    }
  }
}
