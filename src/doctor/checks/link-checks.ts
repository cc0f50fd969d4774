// Whether an interface, and what it stands on, is fit for a virtual IP. Pure.
import { counted } from '../../base/text.ts';
import { shellWord, sysctlKey } from '../../base/command.ts';
import { parseIpv4, samePrefix } from '../../base/addresses.ts';
import { bondsOf, type BondFacts, type LinkFacts } from '../../readiness/facts.ts';
import { finding, type Finding } from './catalogue.ts';

/** An address of an interface. */
export interface Address {
  readonly address: string;
  readonly prefixLength: number;
  /** The far end of a point-to-point link; absent: there is none. */
  readonly peer?: string;
}

/** An interface; undefined where it can't be told. */
export interface InterfaceFacts {
  readonly name: string;
  readonly isEthernet: boolean;
  readonly up: boolean;
  readonly multicast: boolean | undefined;
  readonly arp?: boolean | undefined;
  readonly addresses: readonly Address[];
  readonly link: LinkFacts | undefined;
  /** A bridge without a port that leads outside. */
  readonly noUplink: string | undefined;
  /** Of gate.uplinks, what does not exist. */
  readonly missingUplinks?: readonly string[];
  /** Of gate.uplinks, what is no port of the bridge. */
  readonly uplinksApart?: readonly { readonly name: string; readonly bridge: string }[];
  /** Milliseconds between two looks of the bond at its ports; 0: it does not look. */
  readonly miimonMs: number | undefined;
  /** The same by ARP, where the mode has it. */
  readonly arpIntervalMs?: number | undefined;
  /** Fewer ports with link take the bond down. */
  readonly minLinks?: number | undefined;
  /** Whether the bond asks its partner for LACPDUs every second. */
  readonly lacpFast: boolean | undefined;
  /** A bridge, this one or the one that it is a port of, that snoops with nobody who asks. */
  readonly snoopingBridge: string | undefined;
  /** Of the interface or of all, whichever counts (ip-sysctl). */
  readonly arpIgnore: number | undefined;
  readonly arpFilter: number | undefined;
  /** The bridge, bond or the like that this one is a port of. */
  readonly upper?: string | undefined;
  /** rp_filter is 1: whose way back leads out of another interface, and of which. */
  readonly filteredSources?: readonly { readonly address: string; readonly way: string }[];
}

/** An instance as far as its interface matters. */
export interface PlacedGroup {
  readonly name: string;
  readonly vip: string;
  readonly prefixLength: number;
  /** A carpd that runs is master for it. */
  readonly isKept: boolean;
  /** Other daemons of this host that may keep it, such as "keepalived, process 12". */
  readonly rivals?: readonly string[];
  /** Other interfaces on which an instance has the same virtual IP. */
  readonly alsoServedOn?: readonly string[];
  /** As it is configured. */
  readonly source?: string | undefined;
}

const LACP_CARRYING = 0x3c;
/** Values of arp_ignore (net/ipv4/arp.c): no answer, and none across networks. */
const ANSWER_NOTHING = 8;
const ANSWER_NEIGHBOURS = 2;
/** 224.0.0.0/24, which no bridge or switch may hold back (RFC 4541, 2.1.2). */
const LOCAL_MULTICAST = /^224\.0\.0\./;

/** Findings about the interface itself; `destinations`: where adverts go on it. */
export function linkFindings(
  facts: InterfaceFacts,
  destinations: readonly string[] = [],
): readonly Finding[] {
  const { name, isEthernet, up, link, addresses, multicast } = facts;
  if (!isEthernet) {
    const text = `${name} is no Ethernet: CARP needs ARP and multicast`;
    return [finding('interface-type', name, text, 'name an Ethernet interface')];
  }
  if (!up) {
    return [
      finding('interface-down', name, `${name} is down`, `ip link set ${shellWord(name)} up`),
    ];
  }
  const found = [...bondFindings(facts), ...kernelFindings(facts, destinations)];
  if (link?.carrier === false && link.uplinkFault === undefined) {
    const remedy = 'check the cable, the switch port, and every layer below';
    found.push(finding('no-carrier', name, `${name} has no carrier`, remedy));
  }
  if (link?.uplinkFault === 'uplink-blocked') {
    const text = `the bridge below ${name} does not forward on its way out`;
    const remedy = 'wait until its spanning tree forwards (bridge link show), or turn it off';
    found.push(finding('uplink-blocked', name, text, remedy));
  }
  if (addresses.length === 0) {
    const remedy = 'give it an address; adverts need a sender, and peers answer to it';
    found.push(finding('no-address', name, `${name} has no IPv4 address`, remedy));
  }
  if (multicast === false) {
    const remedy = `ip link set ${shellWord(name)} multicast on; or broadcast: true on all nodes`;
    found.push(finding('no-multicast', name, `${name} does not take multicast`, remedy));
  }
  if (found.every(({ grade }) => grade === 'note' || grade === 'good')) {
    const shown = addresses.map((one) => `${one.address}/${String(one.prefixLength)}`).join(', ');
    found.push(finding('interface-good', name, `up, with carrier; ${shown}`));
  }
  return found;
}

function kernelFindings(
  facts: InterfaceFacts,
  destinations: readonly string[],
): readonly Finding[] {
  const { name, noUplink, missingUplinks = [], uplinksApart = [] } = facts;
  const { snoopingBridge, arpIgnore, arpFilter, arp } = facts;
  const found: Finding[] = [];
  if (noUplink !== undefined) {
    const text = `no port of ${noUplink} leads to other hosts by its kind: no frame can be proof`;
    found.push(finding('no-uplink', name, text, 'name the way out in gate.uplinks'));
  }
  for (const uplink of missingUplinks) {
    const text = `gate.uplinks names ${uplink}, which does not exist: no frame of it can be proof`;
    found.push(finding('no-uplink', name, text, 'correct gate.uplinks, or create it'));
  }
  for (const { name: uplink, bridge } of uplinksApart) {
    const text = `gate.uplinks names ${uplink}, which is no port of ${bridge}`;
    found.push(
      finding(
        'no-uplink',
        name,
        text,
        `ip link set ${shellWord(uplink)} master ${shellWord(bridge)}`,
      ),
    );
  }
  if (arp === false) {
    const text = `${name} does no ARP: nobody learns where the virtual IP is`;
    found.push(finding('no-arp', name, text, `ip link set ${shellWord(name)} arp on`));
  }
  if (facts.upper !== undefined) {
    const text = `${name} is a port of ${facts.upper}, which takes all that comes in`;
    found.push(finding('interface-port', name, text, `configure ${facts.upper} instead`));
  }
  for (const { address, way } of facts.filteredSources ?? []) {
    const text = `rp_filter is 1, and the way back to ${address} leads out of ${way}`;
    const keys = ['all', name].map((place) => `${sysctlKey(place, 'rp_filter')}=2`);
    found.push(
      finding('reverse-path', name, text, `sysctl -w ${keys.join(' ')}, or mend the route`),
    );
  }
  const snooped = destinations.find((one) => !LOCAL_MULTICAST.test(one));
  if (snoopingBridge !== undefined && snooped !== undefined) {
    const text =
      `${snoopingBridge} snoops on multicast, and does not ask who wants it itself: adverts to ` +
      `${snooped} may get lost`;
    const remedy =
      `ip link set ${shellWord(snoopingBridge)} type bridge mcast_querier 1, unless a router ` +
      'asks; or mcast_snooping 0';
    found.push(finding('snooping-alone', name, text, remedy));
  }
  if ((arpIgnore ?? 0) >= ANSWER_NOTHING) {
    const text = `arp_ignore is ${String(arpIgnore)}: nobody gets an answer for any address`;
    found.push(finding('arp-unanswered', name, text, answerRemedy(name, 0)));
  }
  if ((arpFilter ?? 0) > 0) {
    const text = 'arp_filter is on: ARP is answered only where the route back leads here';
    const remedy = `sysctl -w ${sysctlKey(name, 'arp_filter')}=0, unless it is meant`;
    found.push(finding('arp-filtered', name, text, remedy));
  }
  return found;
}

/** The kernel takes the higher value of the two. */
function answerRemedy(name: string, value: number): string {
  const keys = ['all', name].map((place) => sysctlKey(place, 'arp_ignore'));
  return `sysctl -w ${keys.map((key) => `${key}=${String(value)}`).join(' ')}`;
}

function bondFindings(facts: InterfaceFacts): Finding[] {
  const { name, link } = facts;
  const lower = link?.lower;
  if (lower?.kind === 'unseen') {
    const text = `what is below ${name} is in another namespace`;
    const remedy = 'LACP can not be judged then: carrier and frames have to do';
    return [finding('stack-unseen', name, text, remedy)];
  }
  if (lower?.kind === 'team') {
    const text = `${lower.name} is a team device: whether its ports carry frames can't be told`;
    return [finding('team-device', name, text, 'use the bonding driver where you can')];
  }
  return bondsOf(lower).flatMap((bond) => findingsOf(bond, facts));
}

function findingsOf(bond: BondFacts, facts: InterfaceFacts): Finding[] {
  const { name, lacpFast } = facts;
  const { ports } = bond;
  if (ports.length === 0) {
    const text = `${bond.name} has no ports`;
    return [finding('bond-no-ports', name, text, `ip link set PORT master ${bond.name}`)];
  }
  const found = [...portFindings(name, bond), ...watchFindings(facts, bond)];
  if (bond.mode === '802.3ad') found.push(...lacpFindings(name, bond, lacpFast));
  if (found.length === 0) {
    const text = `${bond.name}: ${bond.mode ?? 'mode unknown'}, ${counted(ports.length, 'port')}`;
    found.push(finding('bond-good', name, text));
  }
  return found;
}

function watchFindings(
  { name, miimonMs, arpIntervalMs = 0, minLinks = 0 }: InterfaceFacts,
  bond: BondFacts,
): Finding[] {
  const found: Finding[] = [];
  if (miimonMs === 0 && arpIntervalMs === 0) {
    const text = `${bond.name} does not watch its ports: miimon is 0`;
    const remedy = `ip link set ${shellWord(bond.name)} type bond miimon 100`;
    found.push(finding('bond-unwatched', name, text, remedy));
  }
  const count = bond.ports.length;
  if (count > 1 && minLinks >= count) {
    const text = `${bond.name} goes down with any of its ${String(count)} ports: min_links`;
    const remedy = `ip link set ${shellWord(bond.name)} type bond min_links 1`;
    found.push(finding('bond-min-links', name, text, remedy));
  }
  return found;
}

function portFindings(name: string, { ports, mode }: BondFacts): Finding[] {
  const found: Finding[] = [];
  for (const port of ports) {
    if (port.linkUp === false) {
      const remedy = 'check its cable and switch port: the bond has less to fall back on';
      found.push(finding('bond-port-down', name, `${port.name} has no link`, remedy));
    } else if (mode === '802.3ad' && ((port.actorState ?? 0) & LACP_CARRYING) !== LACP_CARRYING) {
      const text = `${port.name} is not collecting and distributing`;
      const remedy = 'check that its switch port is in the same port channel, at the same speed';
      found.push(finding('lacp-port-out', name, text, remedy));
    }
  }
  return found;
}

function lacpFindings(name: string, bond: BondFacts, fast: boolean | undefined): Finding[] {
  const found: Finding[] = [];
  if (bond.partnerMac === undefined || /^[0:]+$/.test(bond.partnerMac)) {
    const text = `${bond.name} has no LACP partner`;
    const remedy = 'configure a port channel with LACP on the switch, active or passive';
    found.push(finding('lacp-no-partner', name, text, remedy));
  }
  if (fast === false) {
    const text = `${bond.name} asks for LACP at the slow rate: a dark path is noticed after 90 s`;
    const remedy = `lacp_rate fast (see docs/bonding.md); the switch follows`;
    found.push(finding('lacp-slow', name, text, remedy));
  }
  return found;
}

/** Findings about a virtual IP on its interface, and about its network elsewhere on the host. */
export function placeFindings(
  group: PlacedGroup,
  facts: InterfaceFacts,
  others: readonly InterfaceFacts[],
): readonly Finding[] {
  const { name, vip, isKept } = group;
  const found: Finding[] = [];
  const own = facts.addresses.filter(({ address }) => address !== vip);
  found.push(...sourceFindings(group, facts, own));
  if (own.length > 0 && !own.some((one) => isIn(vip, one))) {
    const text = `${vip} is in no network of ${facts.name}`;
    const remedy = 'correct the address or the interface, unless clients have a route to it';
    found.push(finding('vip-outside', name, text, remedy));
    // With a prefix of its own it would make a network.
    if (facts.arpIgnore === ANSWER_NEIGHBOURS && group.prefixLength === 32) {
      const silent = `arp_ignore is 2, and ${vip} in no network: nobody gets an answer for it`;
      found.push(finding('arp-unanswered', name, silent, answerRemedy(facts.name, 1)));
    }
  }
  if (own.length < facts.addresses.length && !isKept) {
    const text = `${vip} is on ${facts.name}, and no carpd keeps it there`;
    found.push(finding('vip-left-over', name, text, leftOverRemedy(group, facts, own.length > 0)));
  }
  for (const other of others) {
    if (other.name === facts.name) continue;
    found.push(...elsewhereFindings(group, facts, other));
    if (!other.up) continue;
    if (!other.addresses.some((one) => one.prefixLength < 32 && isIn(vip, one))) continue;
    const text = `${other.name} is in the network of ${vip} as well: ARP is answered on either`;
    const remedy = 'bond the two, or give them different networks';
    found.push(finding('network-twice', name, text, remedy));
  }
  return found;
}

/** Where an instance serves it on the other interface too, it is meant to be there. */
function elsewhereFindings(
  { name, vip, rivals = [], alsoServedOn = [] }: PlacedGroup,
  facts: InterfaceFacts,
  other: InterfaceFacts,
): readonly Finding[] {
  const isThere = other.addresses.some(({ address }) => address === vip);
  if (!isThere || alsoServedOn.includes(other.name)) return [];
  const text = `${vip} is on ${other.name} of this host too: it may answer though it is no master`;
  const removal = rivals.length > 0 ? servedText(rivals) : removalOf(vip, other);
  const key = sysctlKey(facts.name, 'arp_ignore');
  const remedy = `${removal}; if it is there on purpose, set ${key} to 1`;
  return [finding('vip-elsewhere', name, text, remedy)];
}

/**
 * What takes the address off the interface, in the form in which it is there. The kernel knows one
 * with a far end by that alone (devinet.c, inet_rtm_deladdr).
 */
function removalOf(vip: string, { name, addresses }: InterfaceFacts): string {
  const there = addresses.filter(({ address }) => address === vip);
  const commands = there.map(({ prefixLength, peer }) => {
    const farEnd = peer === undefined ? '' : ` peer ${peer}/${String(prefixLength)}`;
    return `ip addr del ${vip}/${String(prefixLength)} dev ${shellWord(name)}${farEnd}`;
  });
  return commands.join('; ');
}

/** `own`: the addresses of the interface without the virtual IP. */
function sourceFindings(
  { name, vip, source }: PlacedGroup,
  facts: InterfaceFacts,
  own: readonly Address[],
): readonly Finding[] {
  const [first] = own;
  if (first === undefined) {
    if (facts.addresses.length === 0) return [];
    const text = `${vip} is the only address of ${facts.name}, and none is left to send from`;
    return [finding('source-missing', name, text, 'give it an address of its own')];
  }
  if (source === undefined || own.some(({ address }) => address === source)) return [];
  const text = `the source ${source} is no address of ${facts.name}`;
  const remedy = `leave source out, or give ${first.address}`;
  return [finding('source-missing', name, text, remedy)];
}

function isIn(vip: string, { address, prefixLength }: Address): boolean {
  const [one, other] = [parseIpv4(vip), parseIpv4(address)];
  return one !== undefined && other !== undefined && samePrefix(one, other, prefixLength);
}

/** A virtual IP that another daemon keeps is in service: to remove it would cut off its clients. */
function leftOverRemedy(
  { name, vip, rivals = [] }: PlacedGroup,
  facts: InterfaceFacts,
  hasOwn: boolean,
): string {
  if (rivals.length > 0) {
    return `${servedText(rivals)}; docs/migrating.md says how carpd takes over without a gap`;
  }
  if (hasOwn) return removalOf(vip, facts);
  return (
    `if it is the host's own, correct the address of ${name}; if carpd left it, give ` +
    `${facts.name} an address of its own first: ${removalOf(vip, facts)}`
  );
}

function servedText(rivals: readonly string[]): string {
  return `leave it there while another daemon may serve it: ${rivals.join(' or ')}`;
}
