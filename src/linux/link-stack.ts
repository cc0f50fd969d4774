// The way down from an interface through VLANs, macvlans and bridges to what carries its frames, as
// a tree: a bridge has several ports. Pure.
import { portsOf, type LinkView } from './bond-facts.ts';
import type { Link } from './link-table.ts';
import { readAttributes, readUnsigned } from './netlink.ts';

/** One interface on the way down. */
export interface Layer {
  readonly link: Link;
  /**
   * The VLAN ids that a frame for the interface at the top bears when it is caught here, outermost
   * first; undefined: such frames can't be told from others here.
   */
  readonly vlans: readonly number[] | undefined;
  /** passing: on exactly one other. unseen: on one that is out of sight. leaf: on nothing. */
  readonly kind: 'passing' | 'bridge' | 'bond' | 'team' | 'unseen' | 'leaf';
  /** One of a passing layer; of a bridge every port; else none. */
  readonly below: readonly Layer[];
}

/** The kernel allows 8 layers (MAX_NEST_DEV); more are seen only in a picture that is torn. */
const DEPTH_MAX = 16;

/** Kinds that pass frames on to the interface that `link` names; of a veth, `link` is its peer. */
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
  return descend(link, links, vlans, []);
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

function descend(
  link: Link,
  links: LinkView,
  vlans: readonly number[] | undefined,
  above: readonly number[],
): Layer {
  if (above.includes(link.ifindex) || above.length >= DEPTH_MAX) {
    return { link, vlans, kind: 'unseen', below: [] };
  }
  const path = [...above, link.ifindex];
  if (link.kind === 'bond' || link.kind === 'team') {
    return { link, vlans, kind: link.kind, below: [] };
  }
  if (link.kind === 'bridge') {
    const below = portsOf(link, links).map((port) => descend(port, links, vlans, path));
    return { link, vlans, kind: 'bridge', below };
  }
  if (!PASSING.has(link.kind)) return { link, vlans, kind: 'leaf', below: [] };
  const lower =
    link.link === undefined || link.linkElsewhere === true ? undefined : links.byIndex(link.link);
  if (lower === undefined) return { link, vlans, kind: 'unseen', below: [] };
  const below = [descend(lower, links, vlansBelow(link, vlans), path)];
  return { link, vlans, kind: 'passing', below };
}

const IFLA_VLAN_ID = 1;

/** Below MACsec frames are ciphered, and below a VLAN whose id is not known they can't be told. */
function vlansBelow(
  { kind, data }: Link,
  vlans: readonly number[] | undefined,
): readonly number[] | undefined {
  if (vlans === undefined || kind === 'macsec') return undefined;
  if (kind !== 'vlan') return vlans;
  const id =
    data === undefined ? undefined : readUnsigned(readAttributes(data).get(IFLA_VLAN_ID), 2);
  return id === undefined ? undefined : [id, ...vlans];
}
