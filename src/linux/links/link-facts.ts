// From the interfaces as netlink tells of them to what carpd has to know of one: its facts, and the
// uplinks at the bottom of what it stands on, through which the frames of other hosts come in.
// Pure; everything comes from netlink, and no sysfs file is read.
import type { Mac } from '../../base/addresses.ts';
import type { LinkFacts, LowerFacts, UplinkFault } from '../../readiness/facts.ts';
import { portsOf, readBond, type LinkView } from './bond-facts.ts';
import { layersOf, leadsOutside, stackBelow, type Layer } from './link-stack.ts';
import type { Link } from './link-table.ts';

export type { LinkView } from './bond-facts.ts';

/** Where frames that prove something have to come in. */
export interface Uplink {
  readonly ifindex: number;
  readonly name: string;
  /** The VLAN ids of a frame for the interface when it is caught here, outermost first. */
  readonly vlans: readonly number[];
  /**
   * The tags that a frame bears here are not known, as where the table of a bridge is not known. It
   * counts if it is caught on this interface above as well, and bears `vlans` there.
   */
  readonly above?: { readonly ifindex: number; readonly name: string } | undefined;
}

/** What is worth telling the operator; the facts are given all the same. */
export type StackFault =
  /** None of the bridge's ports leads to other hosts by its kind: the uplinks must be named. */
  | { readonly kind: 'no-uplink'; readonly bridge: string }
  /** An uplink was named that does not exist. */
  | { readonly kind: 'uplink-missing'; readonly name: string }
  /** An uplink was named that is no port of the bridge, so that nothing comes in by it. */
  | { readonly kind: 'uplink-apart'; readonly name: string; readonly bridge: string };

/** An interface and everything below it, at one moment. */
export interface LinkStack {
  /** Undefined: the interface does not exist. */
  readonly facts: LinkFacts | undefined;
  /**
   * Usually one; empty: no frame can prove anything. A port of a bridge that does not forward is
   * none: what comes in there is not passed on.
   */
  readonly uplinks: readonly Uplink[];
  /**
   * Indexes to give to `LinkWatch.ask` from time to time: the interface, what is below it, the
   * ports of the bond. The kernel tells of no change of an LACP port state, partner or aggregator.
   */
  readonly polled: readonly number[];
  /** MAC addresses of the interface and all it stands on. */
  readonly macs: ReadonlySet<Mac>;
  /**
   * MAC addresses of all interfaces of this network namespace: another one of this host on the
   * segment is no other station.
   */
  readonly ownMacs: ReadonlySet<Mac>;
  readonly faults: readonly StackFault[];
  /** A bridge is part of it: what its ports are in is worth asking for, should an event be lost. */
  readonly hasBridge: boolean;
  /** One of its bridges filters VLANs: ask for its tables as well (`LinkWatch.askVlans`). */
  readonly filtersVlans: boolean;
  /**
   * What comes in may be of this host, and not have come through an uplink: by another port of a
   * bridge, or from another macvlan.
   */
  readonly hasGuests: boolean;
  /** Nothing of it is out of sight or missing, to come in sight with another interface. */
  readonly isWhole: boolean;
}

/**
 * Resolves what an interface stands on.
 *
 * - A VLAN, macvlan, ipvlan or MACsec stands on the interface it names; if that one is in another
 *   network namespace, it is out of sight, and the last one in sight is the uplink. Through MACsec
 *   frames can't be distinguished below, so it is the uplink itself.
 * - A bridge stands on the ports that lead to other hosts: hardware, bonds, team devices,
 *   tunnels, and VLANs and the like on them; never on a veth or tap, where a local virtual machine
 *   would pass for the network. A veth whose far end is a port of another bridge in sight leads to
 *   the ports of that one. Without such a port there is no uplink, and a fault says so. A
 *   port that does not forward, as while spanning tree listens, is none for that time. Uplinks
 *   must be named where the way out is a veth or tap, and where guests look like hardware, as
 *   Xen's back ends do. On the ports of a bridge that filters VLANs a frame has the tag that its
 *   table of VLANs says; a port that does not carry the VLAN is no uplink, and one whose table is
 *   not known yet neither. Where the kernel does not tell the table, a frame counts that is caught
 *   on the bridge and came in by the port (`Uplink.above`).
 * - A bond or team device is the uplink itself: what is caught on the bond came over its active
 *   path. A bond's port that is named as an uplink therefore stands for its bond, and a veth that
 *   leads to another bridge for the ways out of that one.
 *
 * `named` takes the place of that choice. A name that is no part of the stack counts as below all
 * VLANs of it, as the hardware port of an Open vSwitch does; but of a bridge of the
 * kernel all ports are known, and one that is none of them is no uplink of it.
 */
export function resolveStack(
  links: LinkView,
  interfaceName: string,
  named: 'auto' | readonly string[] = 'auto',
): LinkStack {
  const link = links.find(interfaceName);
  if (link === undefined) {
    return { ...NOTHING, macs: new Set(), ownMacs: new Set() };
  }
  const top = stackBelow(link, links);
  const choice = named === 'auto' ? chooseUplinks(top) : findUplinks(top, links, named);
  const chosen = new Set(choice.chosen);
  const outside = choice.chosen.filter((layer) => !layersOf(top).includes(layer));
  const used = [top, ...outside].flatMap((layer) => usedLayers(layer, chosen));
  const open = new Set(choice.chosen.filter(({ blocked }) => blocked === false));
  const counted = [top, ...outside].flatMap((layer) => usedLayers(layer, open));
  const judge = (guess: boolean): boolean =>
    chosen.size > 0 &&
    carrierOf(top, { chosen, guess }) &&
    anyHasCarrier(outside, { chosen, guess });
  const carrier = judge(false);
  const isUnknown = !carrier && judge(true);
  const uplinks = uniqueUplinks([...open]);
  const ports = used.flatMap((layer) => (layer.kind === 'bond' ? portsOf(layer.link, links) : []));
  const involved = [...used.map((layer) => layer.link), ...ports];
  return {
    facts: {
      ifindex: link.ifindex,
      mac: link.mac,
      carrier: isUnknown ? undefined : carrier,
      uplinkFault: carrier || isUnknown ? undefined : uplinkFault(choice.chosen, used),
      carrierLosses: carrierLosses(link, counted),
      ...uplinkLosses(counted),
      uplinks: uplinks.map(({ ifindex, vlans, above }) => ({
        ...{ ifindex, vlans },
        ...(above === undefined ? {} : { above: above.ifindex }),
      })),
      lower: lowerOf(choice.chosen, open, links),
    },
    uplinks,
    polled: [...new Set(involved.map(({ ifindex }) => ifindex))],
    macs: new Set(involved.flatMap(({ mac }) => mac ?? [])),
    ownMacs: new Set([...links.all()].flatMap(({ mac }) => mac ?? [])),
    faults: choice.faults,
    filtersVlans: used.some(({ link }) => link.tagProtocol !== undefined),
    hasBridge: used.some(({ kind }) => kind === 'bridge'),
    hasGuests: outside.length > 0 || used.some(({ link }) => SHARED.has(link.kind)),
    isWhole: choice.faults.length === 0 && used.every(({ kind }) => kind !== 'unseen'),
  };
}

const NOTHING = {
  facts: undefined,
  uplinks: [],
  polled: [],
  faults: [],
  filtersVlans: false,
  hasBridge: false,
  hasGuests: false,
  isWhole: true,
} as const;

/** Kinds by which others on this host have part in an interface. */
const SHARED: ReadonlySet<string | undefined> = new Set([
  'bridge',
  'openvswitch',
  'macvlan',
  'macvtap',
  'ipvlan',
  'ipvtap',
]);

interface Choice {
  readonly chosen: readonly Layer[];
  readonly faults: readonly StackFault[];
}

/** As deep as frames for the interface can be distinguished from others. */
function chooseUplinks(layer: Layer): Choice {
  if (layer.kind === 'passing') {
    const below = layer.below.filter(({ vlans }) => vlans !== undefined);
    return below[0] === undefined ? { chosen: [layer], faults: [] } : chooseUplinks(below[0]);
  }
  if (layer.kind !== 'bridge') return { chosen: [layer], faults: [] };
  const chosen = layer.below.filter(leadsOutside).flatMap((port) => chooseUplinks(port).chosen);
  return chosen.length > 0
    ? { chosen, faults: [] }
    : { chosen, faults: [{ kind: 'no-uplink', bridge: layer.link.name }] };
}

function findUplinks(top: Layer, links: LinkView, names: readonly string[]): Choice {
  const chosen: Layer[] = [];
  const faults: StackFault[] = [];
  for (const name of names) {
    const link = links.find(name);
    if (link === undefined) {
      faults.push({ kind: 'uplink-missing', name });
      continue;
    }
    const uplink = bondOver(link, links) ?? link;
    const inside = layersOf(top).find((layer) => layer.link.ifindex === uplink.ifindex);
    const bridge = inside === undefined ? wholeBridge(top) : undefined;
    if (bridge !== undefined) faults.push({ kind: 'uplink-apart', name, bridge });
    else if (inside !== undefined) chosen.push(...beyondCable(inside));
    else chosen.push(stackBelow(uplink, links, vlansAtBottom(top)));
  }
  return { chosen, faults };
}

/** A veth that leads to another bridge stands for the ways out of that one, where it has some. */
function beyondCable(named: Layer): readonly Layer[] {
  const beyond = named.link.kind === 'veth' ? chooseUplinks(named).chosen : [];
  return beyond.length > 0 ? beyond : [named];
}

/** The bridge that it stands on, if all that is below that can be seen. */
function wholeBridge(layer: Layer): string | undefined {
  if (layer.kind === 'passing') return layer.below[0] && wholeBridge(layer.below[0]);
  const isOpaque = layersOf(layer).some(({ link }) => link.kind === 'openvswitch');
  return layer.kind === 'bridge' && !isOpaque ? layer.link.name : undefined;
}

function bondOver({ master }: Link, links: LinkView): Link | undefined {
  const above = master === undefined ? undefined : links.byIndex(master);
  return above?.kind === 'bond' ? above : undefined;
}

/** With the tags of every VLAN on the way down, up to where it ends or forks. */
function vlansAtBottom(layer: Layer): readonly number[] {
  const below = layer.kind === 'passing' ? layer.below[0] : undefined;
  return below?.vlans === undefined ? (layer.vlans ?? []) : vlansAtBottom(below);
}

/** Two ways may lead to one uplink; by different VLANs they are two. */
function uniqueUplinks(chosen: readonly Layer[]): readonly Uplink[] {
  const unique = new Map<string, Uplink>();
  for (const { link, knownAt, ...layer } of chosen) {
    const vlans = layer.vlans ?? knownAt?.vlans ?? [];
    const above = layer.vlans === undefined ? knownAt?.link : undefined;
    unique.set(`${link.ifindex} ${vlans.join()} ${above?.ifindex ?? ''}`, {
      ...placeOf(link),
      vlans,
      ...(above === undefined ? {} : { above: placeOf(above) }),
    });
  }
  return [...unique.values()];
}

function placeOf({ ifindex, name }: Link): { ifindex: number; name: string } {
  return { ifindex, name };
}

/** The layer and those below it, but of a bridge's ports only those that lead to an uplink. */
function usedLayers(layer: Layer, chosen: ReadonlySet<Layer>): readonly Layer[] {
  return [layer, ...usedBelow(layer, chosen).flatMap((below) => usedLayers(below, chosen))];
}

function usedBelow({ kind, below }: Layer, chosen: ReadonlySet<Layer>): readonly Layer[] {
  if (kind !== 'bridge') return below;
  return below.filter((port) => layersOf(port).some((layer) => chosen.has(layer)));
}

/** Each layer must be up; of the ports of a bridge one is enough, since they stand side by side. */
function carrierOf(layer: Layer, asked: Asked): boolean {
  const { administrativelyUp, running, lowerUp } = layer.link;
  if (layer.blocked ?? !asked.guess) return false;
  if (!administrativelyUp || !running || !lowerUp) return false;
  return anyHasCarrier(usedBelow(layer, asked.chosen), asked);
}

function anyHasCarrier(layers: readonly Layer[], asked: Asked): boolean {
  return layers.length === 0 || layers.some((layer) => carrierOf(layer, asked));
}

interface Asked {
  readonly chosen: ReadonlySet<Layer>;
  /** A port of which it is not known whether it passes anything is taken to do so. */
  readonly guess: boolean;
}

/**
 * A port that has lost its carrier, or whose bridge is down, does not forward either (net/bridge,
 * br_port_carrier_check and br_stp_disable_bridge): that is no fault of its bridge.
 */
function uplinkFault(chosen: readonly Layer[], used: readonly Layer[]): UplinkFault | undefined {
  if (chosen.length === 0) return 'no-uplink';
  const isUp = used.every(({ kind, link }) => kind !== 'bridge' || link.administrativelyUp);
  const waits = chosen.some(
    ({ blocked, link }) => blocked === true && link.running && link.lowerUp,
  );
  return isUp && waits ? 'uplink-blocked' : undefined;
}

/**
 * Of all layers together: a bridge with local virtual machines on it keeps its own carrier when its
 * uplink loses it. Undefined where the kernel does not count (before 4.16).
 */
function carrierLosses(link: Link, used: readonly Layer[]): number | undefined {
  if (link.carrierDownCount === undefined) return undefined;
  const counts = new Map(used.map((layer) => [layer.link.ifindex, layer.link.carrierDownCount]));
  return [...counts.values()].reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

function uplinkLosses(used: readonly Layer[]): Pick<LinkFacts, 'uplinkLosses'> {
  const leaves = new Map(used.map(({ link }) => [link.ifindex, link.leaves ?? 0]));
  const sum = [...leaves.values()].reduce((all, one) => all + one, 0);
  return sum === 0 ? {} : { uplinkLosses: sum };
}

/**
 * What is below the uplinks that are open, or below all where none is: by a port at which a bridge
 * does not forward nothing comes in, whatever its bond says.
 */
function lowerOf(chosen: readonly Layer[], open: Iterable<Layer>, links: LinkView): LowerFacts {
  const opened = [...open];
  const layers = (opened.length === 0 ? chosen : opened).flatMap((layer) => endsOf(layer));
  const bonds = new Map(
    layers.flatMap(({ kind, link }) => (kind === 'bond' ? [[link.ifindex, link]] : [])),
  );
  const [bond, ...more] = [...bonds.values()].sort((one, other) => one.ifindex - other.ifindex);
  if (bond !== undefined) {
    const first = readBond(bond, links);
    if (more.length === 0) return first;
    return { kind: 'bonds', bonds: [first, ...more.map((other) => readBond(other, links))] };
  }
  if (layers.some(({ kind }) => kind === 'unseen')) return { kind: 'unseen' };
  const team = layers.find(({ kind }) => kind === 'team');
  if (team === undefined) return { kind: 'plain' };
  return { kind: 'team', name: team.link.name, ifindex: team.link.ifindex };
}

/** Where the ways down from an uplink end; beyond MACsec, or from a bridge that was named. */
function endsOf(layer: Layer): readonly Layer[] {
  return layer.below.length === 0 ? [layer] : layer.below.flatMap(endsOf);
}
