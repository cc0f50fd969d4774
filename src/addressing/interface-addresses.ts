// The IPv4 addresses of one interface, as the keeper of the interface wants to see them.
import { parseIpv4, type Ipv4 } from '../base/addresses.ts';
import type { AddressEvent, Link, LinkAddress, LinkWatch } from '../linux/links/link-watch.ts';
import { IFA_F_NOPREFIXROUTE, type AddressMessage } from '../linux/links/netlink.ts';
import type { AddressNotice, AddressRecord, AddressView, ObservedAddress } from '../vip/ports.ts';

export interface InterfaceAddressesOptions {
  readonly links: Pick<LinkWatch, 'drain'>;
  /** The interface as it is now, by whatever name; undefined: it is not there. */
  readonly link: () => Link | undefined;
}

/** Shows the keeper the addresses of one interface. Whoever has the watch passes on its events. */
export class InterfaceAddresses implements AddressView {
  readonly #options: InterfaceAddressesOptions;
  readonly #changeListeners = new Set<() => void>();
  readonly #noticeListeners = new Set<(notice: AddressNotice) => void>();
  /** What `#observed` was made of: the watch makes another list for each change. */
  #source: Link['addresses'] | undefined;
  #observed: readonly ObservedAddress[] = [];

  constructor(options: InterfaceAddressesOptions) {
    this.#options = options;
  }

  current(): Link | undefined {
    return this.#options.link();
  }

  drain(): void {
    this.#options.links.drain();
  }

  observe(): readonly ObservedAddress[] {
    const source = this.current()?.addresses ?? [];
    if (source === this.#source) return this.#observed;
    this.#source = source;
    this.#observed = source.flatMap((one) => observeOnce(one) ?? []);
    return this.#observed;
  }

  onChanged(listener: () => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  onNotice(listener: (notice: AddressNotice) => void): () => void {
    this.#noticeListeners.add(listener);
    return () => this.#noticeListeners.delete(listener);
  }

  /** Something about the interface is not as it was. */
  changed(): void {
    for (const listener of [...this.#changeListeners]) listener();
  }

  /** The kernel told of an address; returns it where it is one of another interface. */
  addressChanged(event: AddressEvent): Ipv4 | undefined {
    if (event.kind !== 'gap' && event.address.ifindex !== this.current()?.ifindex) {
      return parseIpv4(event.address.address);
    }
    const notice = noticeOf(event);
    if (notice === undefined) return undefined;
    for (const listener of [...this.#noticeListeners]) listener(notice);
    this.changed();
    return undefined;
  }
}

const observed = new WeakMap<LinkAddress, ObservedAddress | undefined>();

/** Each address is read once, in however many lists it is. */
function observeOnce(one: LinkAddress): ObservedAddress | undefined {
  if (observed.has(one)) return observed.get(one);
  const { address: text, peer: farEnd, prefixLength, secondary } = one;
  const address = parseIpv4(text);
  const peer = farEnd === undefined ? undefined : parseIpv4(farEnd);
  const further = peer === undefined ? {} : { peer };
  const seen = { prefixLength, secondary, ...further };
  const found = address === undefined ? undefined : { address, ...seen };
  observed.set(one, found);
  return found;
}

function noticeOf(event: AddressEvent): AddressNotice | undefined {
  if (event.kind === 'gap') return event;
  const address = recordOf(event.address);
  return address === undefined ? undefined : { ...event, address };
}

function recordOf(message: AddressMessage): AddressRecord | undefined {
  const { prefixLength, scope, flags, label, metric, validS, preferredS } = message;
  const address = parseIpv4(message.address);
  const peer = parseIpv4(message.peer);
  if (address === undefined || peer === undefined) return undefined;
  const broadcast = message.broadcast === undefined ? undefined : parseIpv4(message.broadcast);
  return {
    address,
    prefixLength,
    peer,
    scope,
    noPrefixRoute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(label === undefined ? {} : { label }),
    ...(metric === undefined ? {} : { metric }),
    ...(validS === undefined ? {} : { validS }),
    ...(preferredS === undefined ? {} : { preferredS }),
  };
}
