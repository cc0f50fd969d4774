// The IPv4 addresses of one interface, changed as Linux changes them (devinet.c): an address that
// comes after another one of its prefix is a secondary, and a primary address that is deleted takes
// the secondaries of its prefix along, or the first of them is promoted.
import { invariant } from '../../src/base/assert.ts';
import { formatIpv4, parseIpv4, samePrefix, type Ipv4 } from '../../src/base/addresses.ts';
import type { AddressRecord, ObservedAddress } from '../../src/vip/ports.ts';

export type KernelAddress = AddressRecord & ObservedAddress;

/** An address came or went; told in the order of the kernel. */
export type Told = (kind: 'added' | 'removed', address: KernelAddress) => void;

const ATTRIBUTES: Readonly<Record<string, (value: string) => Partial<AddressRecord>>> = {
  broadcast: (value) => ({ broadcast: ip(value) }),
  label: (label) => ({ label }),
  scope: (value) => ({ scope: Number(value) }),
  metric: (value) => ({ metric: Number(value) }),
  valid_lft: (value) => ({ validS: Number(value) }),
  preferred_lft: (value) => ({ preferredS: Number(value) }),
};

/** The addresses of one interface in memory, changed as Linux changes them. */
export class AddressTable {
  promoteSecondaries = false;
  readonly #told: Told;
  #all: readonly KernelAddress[] = [];
  #texts: readonly string[] = [];

  constructor(told: Told) {
    this.#told = told;
  }

  get all(): readonly KernelAddress[] {
    return this.#all;
  }

  set all(all: readonly KernelAddress[]) {
    this.#all = all;
    this.#texts = all.map(textOf);
  }

  /** "10.9.0.100/24", in the order of the kernel. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** "10.9.0.100/24" and further words of `ip addr add`; returns what `ip` says where it fails. */
  add(cidr: string, attributes: readonly string[] = []): string | undefined {
    const plain = on(cidr);
    if (this.texts.includes(cidr)) return 'Error: ipv4: Address already assigned.';
    const secondary = this.all.some((one) => !one.secondary && sameNetwork(one, plain));
    const record = { ...plain, peer: plain.address, scope: 0, noPrefixRoute: false };
    const added: KernelAddress = { ...record, ...readAttributes(attributes), secondary };
    const primaries = this.all.filter((one) => !one.secondary);
    const secondaries = this.all.filter((one) => one.secondary);
    this.all = secondary
      ? [...primaries, ...secondaries, added]
      : [...primaries, added, ...secondaries];
    this.#told('added', added);
    return undefined;
  }

  /** Returns what `ip` says where it fails. */
  delete(cidr: string): string | undefined {
    const gone = this.all.find((one) => textOf(one) === cidr);
    if (gone === undefined) return 'Error: ipv4: Address not found.';
    const behind = this.all.filter((one) => one.secondary && sameNetwork(one, gone));
    const [first] = behind;
    this.all = this.all.filter((one) => one !== gone);
    if (gone.secondary || first === undefined) {
      this.#told('removed', gone);
    } else if (this.promoteSecondaries) {
      this.#promote(first);
      this.#told('removed', gone);
      this.#told('added', { ...first, secondary: false });
    } else {
      this.all = this.all.filter((one) => !behind.includes(one));
      for (const one of behind) this.#told('removed', one);
      this.#told('removed', gone);
    }
    return undefined;
  }

  #promote(address: KernelAddress): void {
    const others = this.all.filter((one) => one !== address);
    const primaries = others.filter((one) => !one.secondary);
    const secondaries = others.filter((one) => one.secondary);
    this.all = [...primaries, { ...address, secondary: false }, ...secondaries];
  }
}

/** "10.9.0.100/24", with " second" for a secondary and " peer 10.8.0.1" for a far end. */
export function on(text: string): ObservedAddress {
  const [cidr = '', ...words] = text.split(' ');
  const [address = '', prefixLength = ''] = cidr.split('/');
  const peer = words[words.indexOf('peer') + 1];
  return {
    address: ip(address),
    prefixLength: Number(prefixLength),
    secondary: words.includes('second'),
    ...(words.includes('peer') ? { peer: ip(peer ?? '') } : {}),
  };
}

export function sameNetwork(a: ObservedAddress, b: ObservedAddress): boolean {
  return a.prefixLength === b.prefixLength && samePrefix(a.address, b.address, a.prefixLength);
}

function readAttributes(words: readonly string[]): Partial<AddressRecord> {
  if (words.includes('noprefixroute')) {
    const others = words.filter((word) => word !== 'noprefixroute');
    return { ...readAttributes(others), noPrefixRoute: true };
  }
  const [key, value, ...more] = words;
  if (key === undefined) return {};
  const read = ATTRIBUTES[key];
  invariant(read !== undefined && value !== undefined, `an attribute: ${key}`);
  return { ...read(value), ...readAttributes(more) };
}

function textOf({ address, prefixLength }: ObservedAddress): string {
  return `${formatIpv4(address)}/${String(prefixLength)}`;
}

function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  invariant(address !== undefined, `${text} is an IPv4 address`);
  return address;
}
