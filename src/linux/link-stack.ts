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
  /** It is, or stands below, a port of a bridge that does not forward. */
  readonly blocked: boolean;
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
  return descend(link, links, { vlans, blocked: false, above: [] });
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

/** How one has come to a layer. */
interface Way {
  readonly vlans: readonly number[] | undefined;
  readonly blocked: boolean;
  readonly above: readonly number[];
}

function descend(link: Link, links: LinkView, way: Way): Layer {
  const { vlans, blocked } = way;
  const here = { link, vlans, blocked, below: [] };
  if (way.above.includes(link.ifindex) || way.above.length >= DEPTH_MAX) {
    return { ...here, kind: 'unseen' };
  }
  const above = [...way.above, link.ifindex];
  if (link.kind === 'bond' || link.kind === 'team') return { ...here, kind: link.kind };
  if (link.kind === 'bridge') {
    const below = portsOf(link, links).map((port) =>
      descend(port, links, { vlans, blocked: blocked || port.forwards !== true, above }),
    );
    return { ...here, kind: 'bridge', below };
  }
  if (!PASSING.has(link.kind)) return { ...here, kind: 'leaf' };
  const lower =
    link.link === undefined || link.linkElsewhere === true ? undefined : links.byIndex(link.link);
  if (lower === undefined) return { ...here, kind: 'unseen' };
  const below = [descend(lower, links, { vlans: vlansBelow(link, vlans), blocked, above })];
  return { ...here, kind: 'passing', below };
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
