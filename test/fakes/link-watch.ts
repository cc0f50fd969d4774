// Interfaces in memory, changed by the test, seen through the port of linux/links/link-watch.ts.
import { isDeepStrictEqual } from 'node:util';
import { readMac } from '../../src/base/addresses.ts';
import type { VlanRange } from '../../src/linux/links/bridge-vlans.ts';
import type {
  Link,
  LinkAddress,
  LinkWatch,
  LinkWatchOptions,
} from '../../src/linux/links/link-watch.ts';

export class FakeLinks {
  readonly #links = new Map<number, Link>();
  /** What has become of interfaces, and is told to those only who ask. */
  readonly #untold = new Map<number, Link>();
  /** The tables of bridges and ports, told to those only who ask. */
  readonly #vlans = new Map<string, readonly VlanRange[]>();
  readonly #watches = new Set<LinkWatchOptions['onChange']>();
  #lastIndex = 0;
  #version = 0;

  /** In the place of openLinkWatch. */
  open(options: LinkWatchOptions): Promise<LinkWatch> {
    this.#watches.add(options.onChange);
    const version = (): number => this.#version;
    return Promise.resolve({
      get version() {
        return version();
      },
      find: (name) =>
        [...this.#links.values()].find(
          (link) => link.name === name || link.altNames?.includes(name) === true,
        ),
      byIndex: (ifindex) => this.#links.get(ifindex),
      all: () => this.#links.values(),
      ask: (ifindexes) => this.#ask(ifindexes),
      askVlans: () => this.#askVlans(options.dumpVlans !== undefined),
      drain: () => undefined,
      close: () => void this.#watches.delete(options.onChange),
    });
  }

  /** A new Ethernet interface, down; returns its index. */
  add(name: string, properties: Partial<Link> = {}): number {
    this.#lastIndex += 1;
    const ifindex = this.#lastIndex;
    const down = { administrativelyUp: false, running: false, lowerUp: false, operstate: 'down' };
    const mac = readMac(Uint8Array.of(2, 0, 0, 0, 0, ifindex), 0);
    const link = { ifindex, name, mac, type: 1, ...down, addresses: [], ...properties };
    this.#links.set(ifindex, link);
    this.#tell(link);
    return ifindex;
  }

  set(name: string, properties: Partial<Link>): void {
    const link = this.#need(name);
    const after = { ...link, ...this.#untold.get(link.ifindex), ...properties };
    this.#untold.delete(link.ifindex);
    this.#links.set(link.ifindex, after);
    if (after.name !== name) this.#tell(link);
    this.#tell(after);
  }

  /** A change that the kernel keeps to itself until it is asked, as of an LACP port state. */
  setUntold(name: string, properties: Partial<Link>): void {
    const link = this.#need(name);
    const before = this.#untold.get(link.ifindex) ?? link;
    this.#untold.set(link.ifindex, { ...before, ...properties });
  }

  /** A table that the kernel keeps to itself until it is asked. */
  setVlans(name: string, table: readonly VlanRange[]): void {
    this.#vlans.set(name, table);
  }

  setUp(name: string, up: boolean): void {
    const state = { administrativelyUp: up, running: up, lowerUp: up };
    this.set(name, { ...state, operstate: up ? 'up' : 'down' });
  }

  addAddress(name: string, address: string, prefixLength: number): void {
    const { addresses } = this.#need(name);
    const secondary = addresses.some((one) => one.prefixLength === prefixLength && !one.secondary);
    const entry: LinkAddress = { address, prefixLength, secondary, scope: 0, label: name };
    this.set(name, { addresses: [...addresses, entry] });
  }

  removeAddress(name: string, address: string): void {
    const { addresses } = this.#need(name);
    this.set(name, { addresses: addresses.filter((one) => one.address !== address) });
  }

  remove(name: string): void {
    const link = this.#need(name);
    this.#links.delete(link.ifindex);
    this.#untold.delete(link.ifindex);
    this.#tell(link);
  }

  #ask(ifindexes: readonly number[]): void {
    for (const ifindex of ifindexes) {
      const link = this.#links.get(ifindex);
      if (link !== undefined && this.#untold.has(ifindex)) this.set(link.name, {});
    }
  }

  /** `refused`: as a kernel answers that takes the request for none of its own. */
  #askVlans(refused: boolean): void {
    for (const link of [...this.#links.values()]) {
      const bridge = link.kind === 'bridge' ? link : this.#links.get(link.master ?? 0);
      if (bridge?.kind !== 'bridge') continue;
      if (!refused) this.#setVlans(link, this.#vlans.get(link.name) ?? []);
      else if (bridge.tagProtocol !== undefined) this.#setVlans(link, link.bridgeVlans ?? 'unread');
    }
  }

  #setVlans(link: Link, bridgeVlans: Link['bridgeVlans']): void {
    if (!isDeepStrictEqual(link.bridgeVlans, bridgeVlans)) {
      this.set(link.name, bridgeVlans === undefined ? {} : { bridgeVlans });
    }
  }

  #need(name: string): Link {
    const link = [...this.#links.values()].find((one) => one.name === name);
    if (link === undefined) throw new Error(`no interface ${name}`);
    return link;
  }

  #tell({ name, ifindex }: Link): void {
    this.#version += 1;
    for (const onChange of [...this.#watches]) onChange({ name, ifindex });
  }
}
