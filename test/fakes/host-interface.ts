// An interface of a host in memory: what the kernel knows of it, and its plug in the wire.
import { formatIpv4, parseMac, type Mac } from '../../src/base/addresses.ts';
import { invariant } from '../../src/base/assert.ts';
import type { Link, LinkAddress } from '../../src/linux/links/link-watch.ts';
import { IFA_F_NOPREFIXROUTE, type AddressMessage } from '../../src/linux/links/netlink.ts';
import { AddressTable, type KernelAddress, type Told } from './address-table.ts';
import type { Medium, Plug } from './wire.ts';

const SECONDARY = 0x1;

export interface InterfaceOptions {
  readonly ifindex: number;
  readonly name: string;
  readonly wire: Medium;
  readonly receive: (frame: Uint8Array) => void;
  readonly told: Told;
}

/** One interface of a host in memory. */
export class HostInterface implements Plug {
  readonly ifindex: number;
  mac: Mac;
  readonly table: AddressTable;
  readonly receive: (frame: Uint8Array) => void;
  readonly #wire: Medium;
  #link: Link;

  constructor({ ifindex, name, wire, receive, told }: InterfaceOptions) {
    const mac = parseMac(macOf(ifindex, wire.plugs));
    invariant(mac !== undefined, 'a MAC address');
    this.ifindex = ifindex;
    this.mac = mac;
    this.receive = receive;
    this.#wire = wire;
    const up = { administrativelyUp: true, running: true, lowerUp: true, operstate: 'up' };
    this.#link = { ifindex, name, mac, type: 1, ...up, carrierDownCount: 0, addresses: [] };
    this.table = new AddressTable((kind, address) => {
      this.#link = {
        ...this.#link,
        addresses: this.table.all.map((one) => linkAddress(one, this.#link.name)),
      };
      told(kind, address);
    });
    wire.plug(this);
  }

  /** As it is now. */
  get link(): Link {
    return this.#link;
  }

  get passesFrames(): boolean {
    return this.#link.administrativelyUp && this.#link.lowerUp;
  }

  change(changes: Partial<Link>): void {
    this.#link = { ...this.#link, ...changes };
    this.mac = parseMac(this.#link.mac ?? '') ?? this.mac;
  }

  send(frame: Uint8Array): void {
    if (this.passesFrames) this.#wire.send(this.mac, frame);
  }

  /** The MAC address behind an IPv4 address of the segment, which the kernel would ask for. */
  resolve(address: string): Mac | undefined {
    return this.#wire.macOf(address);
  }

  unplug(): void {
    this.#wire.unplug(this);
  }

  has(address: string): boolean {
    return this.#link.addresses.some((one) => one.address === address);
  }
}

/** What netlink says of an address. */
export function messageOf(address: KernelAddress, { ifindex, name }: Link): AddressMessage {
  const { prefixLength, scope, label, metric, validS, preferredS, broadcast } = address;
  const isApart = address.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0;
  return {
    ifindex,
    address: formatIpv4(address.address),
    peer: formatIpv4(address.peer),
    prefixLength,
    scope,
    flags: (address.secondary ? SECONDARY : 0) | isApart,
    label: label ?? name,
    broadcast: broadcast === undefined ? undefined : formatIpv4(broadcast),
    ...{ validS, preferredS, metric },
  };
}

function linkAddress(
  { address, prefixLength, secondary, scope, label }: KernelAddress,
  name: string,
): LinkAddress {
  return { address: formatIpv4(address), prefixLength, secondary, scope, label: label ?? name };
}

function macOf(ifindex: number, plugs: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `02:00:00:00:${hex(plugs + 1)}:${hex(ifindex)}`;
}
