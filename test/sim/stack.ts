// The interfaces of a station as its kernel shows them, from the one that has its address down to
// its cables: what src/linux makes facts of.
import type { Mac } from '../../src/base/addresses.ts';
import type { VlanRange } from '../../src/linux/links/bridge-vlans.ts';
import type { Link } from '../../src/linux/links/link-watch.ts';
import { STATE_BITS } from '../../src/readiness/lacp.ts';
import { attribute, u16, u32 } from '../support/netlink-message.ts';

/** A cable of a bond or of a team device. */
export interface Leg {
  readonly linkUp: boolean;
  readonly aggregatorId: number;
  /** LACPDUs of its partner come in. */
  readonly isFormed: boolean;
  readonly mac: Mac;
}

/** What joins the cables. */
export type Joint =
  | { readonly kind: 'none' }
  | { readonly kind: 'team' }
  | {
      readonly kind: '802.3ad';
      readonly activeAggregatorId: number;
      readonly partnerMac: Mac;
      readonly legs: readonly Leg[];
    }
  | { readonly kind: 'active-backup'; readonly active: number; readonly legs: readonly Leg[] };

/** What the address stands on above the joint. */
export type Above =
  | { readonly kind: 'nothing' }
  /** A VLAN of 802.1Q on one of 802.1ad. */
  | { readonly kind: 'two tags'; readonly outer: number; readonly inner: number }
  /** A bridge that filters VLANs; its own one is tagged at its port, which is a trunk. */
  | { readonly kind: 'vlan bridge'; readonly vlan: number };

export interface StackState {
  /** Of the interface that has the address. */
  readonly ifindex: number;
  readonly mac: Mac;
  readonly adminUp: boolean;
  readonly carrier: boolean;
  readonly carrierLosses: number;
  readonly joint: Joint;
  readonly above: Above;
}

export const TOP_NAME = 'eth0';
/** The index of the first cable below a joint. */
export const FIRST_PORT = 10;

export const JOINT_INDEX = 30;
export const OUTER_INDEX = 31;
const ETHERNET = 1;
const MODES = { 'active-backup': 1, '802.3ad': 4 } as const;
const IFLA_BOND = { mode: 1, active: 2, adInfo: 23 } as const;
const AD_INFO = { aggregator: 1, partner: 5 } as const;
const SLAVE = { state: 1, mii: 2, aggregator: 6, actor: 7, partner: 8 } as const;
const IFLA_VLAN = { id: 1, protocol: 5 } as const;
const PROTOCOL_AD = 0x88a8;
const PROTOCOL_Q = 0x8100;

const { activity, sync, collecting, distributing, expired } = STATE_BITS;
const READY = activity | sync | collecting | distributing;

type Place = Pick<Link, 'ifindex' | 'name'>;

/** All interfaces of the stack, the one that has the address first; they have no addresses here. */
export function stackLinks(state: StackState): readonly Link[] {
  const { above, joint } = state;
  const top = { ifindex: state.ifindex, name: TOP_NAME };
  const below = { ifindex: JOINT_INDEX, name: 'bond0' };
  switch (above.kind) {
    case 'nothing':
      return jointLinks(state, top, {});
    case 'two tags': {
      const outer = { ifindex: OUTER_INDEX, name: 'outer' };
      const inner = vlanData(above.inner, PROTOCOL_Q);
      return [
        link(state, top, { kind: 'vlan', link: outer.ifindex, data: inner }),
        link(state, outer, {
          kind: 'vlan',
          link: below.ifindex,
          data: vlanData(above.outer, PROTOCOL_AD),
        }),
        ...jointLinks(state, below, {}),
      ];
    }
    case 'vlan bridge': {
      const own = { ...vlan(above.vlan), pvid: true, untagged: true };
      const native = { ...vlan(1), pvid: true, untagged: true };
      const bridge = { kind: 'bridge', tagProtocol: PROTOCOL_Q, bridgeVlans: [own] };
      const port = {
        ...{ master: top.ifindex, slaveKind: 'bridge', forwards: true },
        bridgeVlans: [native, vlan(above.vlan)],
      };
      return joint.kind === 'none'
        ? [link(state, top, bridge), link(state, below, port)]
        : [link(state, top, bridge), ...jointLinks(state, below, port)];
    }
  }
}

function jointLinks(state: StackState, place: Place, changes: Partial<Link>): readonly Link[] {
  const { joint } = state;
  switch (joint.kind) {
    case 'none':
      return [link(state, place, changes)];
    case 'team':
      return [link(state, place, { ...changes, kind: 'team' })];
    case '802.3ad': {
      const info = [
        ...attribute(AD_INFO.aggregator, u16(joint.activeAggregatorId)),
        ...attribute(AD_INFO.partner, macBytes(joint.partnerMac)),
      ];
      const data = attribute(IFLA_BOND.adInfo, info);
      const ports = joint.legs.map((leg, at) => portLink(state, place, leg, at, lacpData(leg)));
      return [bondLink(state, place, changes, data), ...ports];
    }
    case 'active-backup': {
      const data = attribute(IFLA_BOND.active, u32(FIRST_PORT + joint.active));
      const ports = joint.legs.map((leg, at) => portLink(state, place, leg, at, []));
      return [bondLink(state, place, changes, data), ...ports];
    }
  }
}

function bondLink(
  state: StackState,
  place: Place,
  changes: Partial<Link>,
  data: readonly number[],
): Link {
  const { joint } = state;
  const mode = joint.kind === '802.3ad' ? MODES['802.3ad'] : MODES['active-backup'];
  const bytes = Uint8Array.from([...attribute(IFLA_BOND.mode, [mode]), ...data]);
  return link(state, place, { ...changes, kind: 'bond', data: bytes });
}

function portLink(
  state: StackState,
  bond: Place,
  leg: Leg,
  at: number,
  data: readonly number[],
): Link {
  const up = state.carrier && leg.linkUp;
  const described = [
    ...attribute(SLAVE.state, [0]),
    ...attribute(SLAVE.mii, [up ? 0 : 2]),
    ...data,
  ];
  return link(
    { ...state, carrier: up, mac: leg.mac },
    { ifindex: FIRST_PORT + at, name: `port${String(at)}` },
    { master: bond.ifindex, slaveKind: 'bond', slaveData: Uint8Array.from(described) },
  );
}

function lacpData({ aggregatorId, isFormed }: Leg): readonly number[] {
  return [
    ...attribute(SLAVE.aggregator, u16(aggregatorId)),
    ...attribute(SLAVE.actor, [isFormed ? READY : activity | expired]),
    ...attribute(SLAVE.partner, u16(READY)),
  ];
}

function link(
  { mac, adminUp, carrier, carrierLosses, ifindex }: StackState,
  place: Place,
  changes: Partial<Link>,
): Link {
  return {
    ...place,
    mac,
    type: ETHERNET,
    administrativelyUp: adminUp,
    running: carrier,
    lowerUp: carrier,
    operstate: carrier ? 'up' : 'down',
    // All layers lose it together, and the losses of all are added up.
    carrierDownCount: place.ifindex === ifindex ? carrierLosses : 0,
    addresses: [],
    ...changes,
  };
}

function vlan(id: number): VlanRange {
  return { first: id, last: id, pvid: false, untagged: false };
}

function vlanData(id: number, protocol: number): Uint8Array {
  const network = [protocol >> 8, protocol & 0xff];
  return Uint8Array.from([
    ...attribute(IFLA_VLAN.id, u16(id)),
    ...attribute(IFLA_VLAN.protocol, network),
  ]);
}

function macBytes(mac: Mac): readonly number[] {
  return mac.split(':').map((octet) => Number.parseInt(octet, 16));
}
