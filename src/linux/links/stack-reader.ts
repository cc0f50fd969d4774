// What one interface stands on, as the kernel last told of it: its bond, its bridge, their ports.
import { isDeepStrictEqual } from 'node:util';
import { resolveStack, type LinkStack } from './link-facts.ts';
import type { LinkWatch } from './link-watch.ts';
import { bondsOf } from '../../readiness/facts.ts';
import type { FactsRead } from '../../segment/inputs.ts';

export interface StackReaderOptions {
  readonly interfaceName: string;
  readonly links: LinkWatch;
  /** Why the stack can't be followed to its end, at every look. */
  readonly onFaults: (faults: LinkStack['faults']) => void;
}

/** Looks at the stack of one interface, and has the kernel tell what it tells only when asked. */
export class StackReader {
  readonly #options: StackReaderOptions;
  #stack: LinkStack | undefined;
  /** The version of the links by which the stack was seen to be as it is. */
  #seenAt: number | undefined;
  /** Those that all instances together name. */
  #uplinks: 'auto' | readonly string[] = 'auto';

  constructor(options: StackReaderOptions) {
    this.#options = options;
  }

  /** As at the last look; undefined: there was none yet. */
  get stack(): LinkStack | undefined {
    return this.#stack;
  }

  /** These uplinks count from now on. True: what was seen does not hold for them. */
  useUplinks(uplinks: 'auto' | readonly string[]): boolean {
    const isNew = this.#stack === undefined || !isDeepStrictEqual(uplinks, this.#uplinks);
    this.#uplinks = uplinks;
    if (isNew) this.#seenAt = undefined;
    return isNew;
  }

  /** Looks, and returns what the readiness has to know of it. */
  read(): FactsRead {
    const stack = this.#resolve();
    this.#stack = stack;
    this.#seenAt = this.#options.links.version;
    this.#options.onFaults(stack.faults);
    return { facts: stack.facts, hasGuests: stack.hasGuests };
  }

  /** Whether a look would find something else than the last one. */
  isStale(): boolean {
    const { version } = this.#options.links;
    // It is asked some times a second, and to look takes long.
    if (version === this.#seenAt) return false;
    if (!isDeepStrictEqual(this.#resolve(), this.#stack)) return true;
    this.#seenAt = version;
    return false;
  }

  /** Asks the kernel for what raises no event: the state of LACP and of the ports of a bridge. */
  ask(): void {
    const { facts, polled, hasBridge } = this.#stack ?? {};
    const hasBond = bondsOf(facts?.lower).length > 0;
    if (hasBond || hasBridge === true) this.#options.links.ask(polled ?? []);
  }

  /** The same of the VLANs of a bridge that filters them. */
  askVlans(): void {
    if (this.#stack?.filtersVlans === true) this.#options.links.askVlans();
  }

  /** Whether a change of this one may change what the interface stands on, or what proves it. */
  concerns(ifindex: number): boolean {
    if (this.#stack === undefined) return false;
    const { polled, isWhole, ownMacs } = this.#stack;
    const { master, mac } = this.#options.links.byIndex(ifindex) ?? {};
    // Whatever it is, what it sends is not of another station.
    if (mac !== undefined && !ownMacs.has(mac)) return true;
    const isPart = polled.includes(ifindex) || (master !== undefined && polled.includes(master));
    return isPart || !isWhole || this.#uplinks !== 'auto';
  }

  /** The index, if a port of the bond has it. */
  portOf(ifindex: number): number | undefined {
    const { lower } = this.#stack?.facts ?? {};
    if (lower?.kind !== 'bond') return undefined;
    return lower.ports.some((port) => port.ifindex === ifindex) ? ifindex : undefined;
  }

  #resolve(): LinkStack {
    const { links, interfaceName } = this.#options;
    return resolveStack(links, interfaceName, this.#uplinks);
  }
}
