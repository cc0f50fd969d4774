// The addresses of an interface as numbers, read once for each list that the kernel's news make:
// every instance on the interface looks at the same list, and it may hold hundreds.
import { parseIpv4, type Ipv4 } from '../base/addresses.ts';
import type { Link, LinkAddress, LinkWatch } from '../linux/links/link-watch.ts';

/** An address of an interface that is no virtual IP of this daemon. */
export interface OwnAddress {
  readonly address: Ipv4;
  readonly prefixLength: number;
  readonly secondary: boolean;
  readonly scope: number;
}

type Addressed = Pick<Link, 'addresses'>;

const known = new WeakMap<readonly LinkAddress[], readonly OwnAddress[]>();
const numbers = new WeakMap<readonly LinkAddress[], ReadonlySet<Ipv4>>();
const own = new WeakMap<
  readonly LinkAddress[],
  { readonly virtualIps: ReadonlySet<Ipv4>; readonly found: readonly OwnAddress[] }
>();

/** The addresses of the interface but for `virtualIps`, in the kernel's order. */
export function ownAddresses(
  { addresses }: Addressed,
  virtualIps: ReadonlySet<Ipv4>,
): readonly OwnAddress[] {
  const before = own.get(addresses);
  if (before?.virtualIps === virtualIps) return before.found;
  const found = allOf(addresses).filter(({ address }) => !virtualIps.has(address));
  own.set(addresses, { virtualIps, found });
  return found;
}

const foreign = new WeakMap<readonly LinkAddress[], Map<Ipv4, boolean>>();

/**
 * Whether another process has the address as a virtual IP. Asked once for each list: who takes an
 * address holds it before it is on the interface, and lets go of it afterwards.
 */
export function isForeignOn(
  { addresses, ifindex }: Pick<Link, 'addresses' | 'ifindex'>,
  address: Ipv4,
  isServedElsewhere: (address: Ipv4, ifindex: number) => boolean,
): boolean {
  let known = foreign.get(addresses);
  if (known === undefined) foreign.set(addresses, (known = new Map<Ipv4, boolean>()));
  const before = known.get(address);
  if (before !== undefined) return before;
  const is = isServedElsewhere(address, ifindex);
  known.set(address, is);
  return is;
}

/** Whether the interface has this address. */
export function hasAddress({ addresses }: Addressed, address: Ipv4): boolean {
  let set = numbers.get(addresses);
  if (set === undefined) {
    set = new Set(allOf(addresses).map((one) => one.address));
    numbers.set(addresses, set);
  }
  return set.has(address);
}

type LinkList = Pick<LinkWatch, 'all' | 'byIndex'>;

/** Whether any interface of this host has the address. */
export function isLocal(links: LinkList, address: Ipv4): boolean {
  for (const link of links.all()) if (hasAddress(link, address)) return true;
  return false;
}

/**
 * The other interfaces of this host that have the address, in the same routing domain: in another
 * VRF it is another address.
 */
export function interfacesWith(
  links: LinkList,
  address: Ipv4,
  besides: Link | undefined,
): readonly Link[] {
  const domain = besides && vrfOf(links, besides);
  return [...links.all()].filter(
    (link) =>
      link.ifindex !== besides?.ifindex &&
      hasAddress(link, address) &&
      (besides === undefined || vrfOf(links, link) === domain),
  );
}

/** The kernel allows 8 layers (MAX_NEST_DEV). */
const LAYERS_MAX = 8;

/** The index of the VRF that the interface is in, by a bridge or bond above it too. */
function vrfOf(links: LinkList, link: Link): number | undefined {
  let at: Link | undefined = link;
  for (let layers = 0; layers <= LAYERS_MAX && at !== undefined; layers += 1) {
    if (at.kind === 'vrf') return at.ifindex;
    at = at.master === undefined ? undefined : links.byIndex(at.master);
  }
  return undefined;
}

function allOf(addresses: readonly LinkAddress[]): readonly OwnAddress[] {
  const before = known.get(addresses);
  if (before !== undefined) return before;
  const all = addresses.flatMap((one) => readOnce(one) ?? []);
  known.set(addresses, all);
  return all;
}

const read = new WeakMap<LinkAddress, OwnAddress | undefined>();

/** Each address is read once, in however many lists it is. */
function readOnce(one: LinkAddress): OwnAddress | undefined {
  if (read.has(one)) return read.get(one);
  const { address: text, prefixLength, secondary, scope } = one;
  const address = parseIpv4(text);
  const found = address === undefined ? undefined : { address, prefixLength, secondary, scope };
  read.set(one, found);
  return found;
}
