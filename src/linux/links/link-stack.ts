// The way down from an interface through VLANs, macvlans, bridges and the cables between bridges to
// what carries its frames, as a tree: a bridge has several ports. Pure.
import { ETHERTYPE_VLAN } from '../../base/ethertypes.ts';
import { portsOf, type LinkView } from './bond-facts.ts';
import { pvidOf, readEtherType, vlanEntry, type VlanRange } from './bridge-vlans.ts';
import type { Link } from './link-table.ts';
import { readAttributes, readUnsigned } from './netlink-attributes.ts';

/** One interface on the way down. */
export interface Layer {
  readonly link: Link;
  /**
   * The VLAN ids that a frame for the interface at the top bears when it is caught here, outermost
   * first; undefined: such frames can't be distinguished from others here.
   */
  readonly vlans: readonly number[] | undefined;
  /**
   * Where such frames can be distinguished, if not here: on a bridge above, of whose ports it is
   * not known which VLANs they carry, and how. Undefined: there is none.
   */
  readonly knownAt: Place | undefined;
  /** passing: on exactly one other. unseen: on one that is out of sight. leaf: on nothing. */
  readonly kind: 'passing' | 'bridge' | 'bond' | 'team' | 'unseen' | 'leaf';
  /** One of a passing layer; of a bridge every port; else none. */
  readonly below: readonly Layer[];
  /**
   * It is, or stands below, a port by which a bridge passes nothing to the interface at the top: it
   * does not forward there, or not that VLAN. Undefined: not known.
   */
  readonly blocked: boolean | undefined;
}

/** An interface, and the VLAN ids of a frame for the one at the top that is caught there. */
export interface Place {
  readonly link: Link;
  readonly vlans: readonly number[];
}

/** The kernel allows 8 layers (MAX_NEST_DEV); more are seen only in a picture that is torn. */
const DEPTH_MAX = 16;

/** Kinds that pass frames on to the interface that `link` names. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  'vlan',
  'macvlan',
  'macvtap',
  'ipvlan',
  'ipvtap',
  'macsec',
]);

/**
 * Kinds of bridge ports that lead to other hosts: hardware has no kind ("dsa" is a switch chip's
 * port), and tunnels end elsewhere. A veth, a tap and all the others lead, as a rule, to a
 * container or virtual machine of this host.
 */
const LEADING_OUTSIDE: ReadonlySet<string | undefined> = new Set([
  undefined,
  'dsa',
  'hsr',
  'batadv',
  'vxlan',
  'geneve',
  'gretap',
  'ip6gretap',
]);

/** The tree below `link`, whose frames bear `vlans` where it is caught. */
export function stackBelow(link: Link, links: LinkView, vlans: readonly number[] = []): Layer {
  const tags = vlans.map((id) => ({ id, protocol: ETHERTYPE_VLAN }));
  return descend(link, links, { tags, knownAt: undefined, blocked: false, above: [] });
}

/** The layer itself and all below it. */
export function layersOf(layer: Layer): readonly Layer[] {
  return [layer, ...layer.below.flatMap(layersOf)];
}

/** Whether frames of other hosts come in through it, as far as its kind tells. */
export function leadsOutside({ kind, link, below }: Layer): boolean {
  switch (kind) {
    case 'passing':
    case 'bridge':
      return below.some(leadsOutside);
    case 'bond':
    case 'team':
    case 'unseen':
      return true;
    case 'leaf':
      return LEADING_OUTSIDE.has(link.kind);
  }
}

interface Tag {
  readonly id: number;
  /** Its EtherType: a bridge takes those of another one for payload. */
  readonly protocol: number;
}

/** How one has come to a layer. */
interface Way {
  /** Of a frame for the interface at the top, outermost first; undefined: not known. */
  readonly tags: readonly Tag[] | undefined;
  readonly knownAt: Place | undefined;
  readonly blocked: boolean | undefined;
  readonly above: readonly number[];
}

function descend(link: Link, links: LinkView, way: Way): Layer {
  const { tags, knownAt, blocked } = way;
  const here = { link, vlans: tags?.map(({ id }) => id), knownAt, blocked, below: [] };
  if (way.above.includes(link.ifindex) || way.above.length >= DEPTH_MAX) {
    return { ...here, kind: 'unseen' };
  }
  const above = [...way.above, link.ifindex];
  if (link.kind === 'bond' || link.kind === 'team') return { ...here, kind: link.kind };
  if (link.kind === 'bridge') {
    const below = portsBelow(link, { from: link, caughtOn: link, links, way: { ...way, above } });
    return { ...here, kind: 'bridge', below };
  }
  const cable = cableOf(link, links);
  if (cable !== undefined && !above.includes(cable.bridge.ifindex)) {
    const beyond = beyondCable(cable, link, { links, way: { ...way, above } });
    return { ...here, kind: 'passing', below: [beyond] };
  }
  if (!PASSING.has(link.kind)) return { ...here, kind: 'leaf' };
  const lower =
    link.link === undefined || link.linkElsewhere === true ? undefined : links.byIndex(link.link);
  if (lower === undefined) return { ...here, kind: 'unseen' };
  const below = [descend(lower, links, { tags: tagsBelow(link, tags), knownAt, blocked, above })];
  return { ...here, kind: 'passing', below };
}

interface Cable {
  readonly end: Link;
  readonly bridge: Link;
}

/** A veth with both ends in sight, and the far one in a bridge: a cable that leads to that. */
function cableOf({ kind, link, linkElsewhere }: Link, links: LinkView): Cable | undefined {
  if (kind !== 'veth' || link === undefined || linkElsewhere === true) return undefined;
  const end = links.byIndex(link);
  const bridge = end?.master === undefined ? undefined : links.byIndex(end.master);
  return end === undefined || bridge?.kind !== 'bridge' ? undefined : { end, bridge };
}

/** A way down from what was passed already. */
interface Descent {
  readonly links: LinkView;
  readonly way: Way;
}

/** The far end of the cable, and below it the bridge with its other ports; `near` is our end. */
function beyondCable({ end, bridge }: Cable, near: Link, { links, way }: Descent): Layer {
  const blocked = either(way.blocked, isBlocked(end));
  const above = [...way.above, end.ifindex, bridge.ifindex];
  const layer = { vlans: way.tags?.map(({ id }) => id), knownAt: way.knownAt, blocked };
  const beyond = { from: end, caughtOn: near, links, way: { ...way, blocked, above } };
  const below: Layer = {
    ...layer,
    link: bridge,
    kind: 'bridge',
    below: portsBelow(bridge, beyond),
  };
  return { ...layer, link: end, kind: 'passing', below: [below] };
}

/**
 * The ports of a bridge but that by which one has come. `from` is the bridge itself, or that; on
 * `caughtOn` comes in what the ports let through.
 */
function portsBelow(
  bridge: Link,
  { from, caughtOn, links, way }: Descent & { readonly from: Link; readonly caughtOn: Link },
): readonly Layer[] {
  const ports = portsOf(bridge, links).filter(({ ifindex }) => ifindex !== from.ifindex);
  return ports.map((port) => {
    const through = throughPort(bridge, { from, port, tags: way.tags });
    const isLost = way.tags !== undefined && through.tags === undefined;
    const vlans = way.tags?.map(({ id }) => id) ?? [];
    const knownAt = isLost ? { link: caughtOn, vlans } : way.knownAt;
    const blocked = either(way.blocked, through.blocked);
    return descend(port, links, { ...through, knownAt, blocked, above: way.above });
  });
}

function isBlocked({ forwards }: Link): boolean | undefined {
  return forwards === undefined ? undefined : !forwards;
}

/** Blocked if one of them is; else known only if both are. */
function either(one: boolean | undefined, other: boolean | undefined): boolean | undefined {
  if (one === true || other === true) return true;
  return one === undefined || other === undefined ? undefined : false;
}

/**
 * What a bridge makes of a frame between its host, or another port of it, and a port
 * (net/bridge/br_vlan.c). A bridge that filters VLANs gives its host the frames of its own pvid
 * without a tag if that VLAN is untagged there, and those of VLANs that are tagged there with it; a
 * tag of another protocol than its own is payload. A port has a frame in the form in which it sends
 * it. Where no table is known, that form is not known, and frames themselves have to show whether
 * they pass.
 */
function throughPort(
  bridge: Link,
  { from, port, tags }: { readonly from: Link; readonly port: Link; readonly tags: Way['tags'] },
): Pick<Way, 'tags' | 'blocked'> {
  const blocked = isBlocked(port);
  const protocol = bridge.tagProtocol;
  if (protocol === undefined || tags === undefined) return { tags, blocked };
  const tables = [from.bridgeVlans, port.bridgeVlans];
  if (tables.includes(undefined)) return { tags: undefined, blocked: either(blocked, undefined) };
  const [inner, atPort] = tables;
  if (!isRead(inner) || !isRead(atPort)) return { tags: undefined, blocked };
  const [outer] = tags;
  const isTagged = outer?.protocol === protocol;
  const own = isTagged ? vlanEntry(inner, outer.id) : pvidOf(inner);
  if (own === undefined || own.untagged === isTagged) return { tags, blocked: true };
  const id = isTagged ? outer.id : own.first;
  const payload = isTagged ? tags.slice(1) : tags;
  const entry = vlanEntry(atPort, id);
  if (entry === undefined) return { tags: payload, blocked: true };
  return { tags: entry.untagged ? payload : [{ id, protocol }, ...payload], blocked };
}

function isRead(table: Link['bridgeVlans']): table is readonly VlanRange[] {
  return table !== undefined && table !== 'unread';
}

const IFLA_VLAN_ID = 1;
const IFLA_VLAN_PROTOCOL = 5;

/** Below MACsec frames are ciphered, and below a VLAN of unknown id they look like others. */
function tagsBelow(
  { kind, data }: Link,
  tags: readonly Tag[] | undefined,
): readonly Tag[] | undefined {
  if (tags === undefined || kind === 'macsec') return undefined;
  if (kind !== 'vlan') return tags;
  const attributes = readAttributes(data ?? new Uint8Array());
  const id = readUnsigned(attributes.get(IFLA_VLAN_ID), 2);
  const protocol = readEtherType(attributes.get(IFLA_VLAN_PROTOCOL)) ?? ETHERTYPE_VLAN;
  return id === undefined ? undefined : [{ id, protocol }, ...tags];
}
