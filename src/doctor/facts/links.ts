// What the doctor reads of interfaces: netlink has nearly all of it, sysfs and sysctls the rest.
import { formatIpv4, type Ipv4 } from '../../base/addresses.ts';
import type { InterfaceFacts } from '../checks/link-checks.ts';
import { resolveStack } from '../../linux/links/link-facts.ts';
import type { Link, LinkWatch } from '../../linux/links/link-watch.ts';
import type { LowerFacts } from '../../readiness/facts.ts';
import { filtersStrictly, wayBackTo } from '../../linux/links/reverse-path.ts';
import { number, text } from './host.ts';

const ARPHRD_ETHER = 1;
const IFF_NOARP = 0x80;
const IFF_MULTICAST = 0x1000;
const LACP_SHORT_TIMEOUT = 0x02;

/** One interface as it is now. */
export function readInterface(
  link: Link,
  links: LinkWatch,
  uplinks: 'auto' | readonly string[] = 'auto',
  peers: readonly Ipv4[] = [],
): InterfaceFacts {
  const { name } = link;
  const { facts, faults } = resolveStack(links, name, uplinks);
  const lower = facts?.lower;
  const flags = Number(text(`/sys/class/net/${name}/flags`) ?? Number.NaN);
  const hasFlag = (flag: number): boolean | undefined =>
    Number.isNaN(flags) ? undefined : (flags & flag) !== 0;
  const isArpOff = hasFlag(IFF_NOARP);
  const bond = lower?.kind === 'bond' ? lower.name : undefined;
  const setting = (key: string): number | undefined =>
    bond === undefined ? undefined : number(sysfs(bond, `bonding/${key}`));
  const noUplink = faults.find((fault) => fault.kind === 'no-uplink');
  return {
    name,
    isEthernet: link.type === ARPHRD_ETHER,
    up: link.administrativelyUp,
    multicast: hasFlag(IFF_MULTICAST),
    arp: isArpOff === undefined ? undefined : !isArpOff,
    addresses: link.addresses,
    link: facts,
    noUplink: noUplink?.bridge,
    uplinksApart: faults.flatMap((one) => (one.kind === 'uplink-apart' ? [one] : [])),
    missingUplinks: faults.flatMap((one) => (one.kind === 'uplink-missing' ? [one.name] : [])),
    miimonMs: setting('miimon'),
    arpIntervalMs: setting('arp_interval'),
    minLinks: setting('min_links'),
    lacpFast: lacpFast(lower),
    snoopingBridge: snoopingBridge(link, links),
    arpIgnore: strictest(name, 'arp_ignore'),
    arpFilter: strictest(name, 'arp_filter'),
    upper: link.master === undefined ? undefined : links.byIndex(link.master)?.name,
    filteredSources: filteredSources(name, peers),
  };
}

function filteredSources(
  name: string,
  peers: readonly Ipv4[],
): NonNullable<InterfaceFacts['filteredSources']> {
  if (filtersStrictly(name) !== true) return [];
  return peers.flatMap((peer) => {
    const way = wayBackTo(peer) ?? 'none';
    return way === name ? [] : [{ address: formatIpv4(peer), way }];
  });
}

function sysfs(name: string, file: string): string {
  return `/sys/class/net/${name}/${file}`;
}

/** What the ports tell their partner: how often they want to hear from it. */
function lacpFast(lower: LowerFacts | undefined): boolean | undefined {
  if (lower?.kind !== 'bond') return undefined;
  const states = lower.ports.flatMap(({ actorState }) => actorState ?? []);
  if (states.length === 0) return undefined;
  return states.every((state) => (state & LACP_SHORT_TIMEOUT) !== 0);
}

/** The bridge that the interface is, or is a port of, where it snoops and nobody asks. */
function snoopingBridge(link: Link, links: LinkWatch): string | undefined {
  const above = link.master === undefined ? undefined : links.byIndex(link.master);
  const bridge = [link, above].find((one) => one?.kind === 'bridge');
  if (bridge === undefined) return undefined;
  const snoops = number(sysfs(bridge.name, 'bridge/multicast_snooping')) === 1;
  const asks = number(sysfs(bridge.name, 'bridge/multicast_querier')) === 1;
  return snoops && !asks ? bridge.name : undefined;
}

/** The kernel takes the higher one of the interface's and that of all. */
function strictest(name: string, key: string): number | undefined {
  const values = ['all', name].map((place) => number(`/proc/sys/net/ipv4/conf/${place}/${key}`));
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
