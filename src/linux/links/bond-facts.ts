// What netlink says of a bond and its ports (linux/if_link.h: IFLA_BOND_*, IFLA_BOND_SLAVE_*), as
// facts. Netlink alone: it says in one message, to any user, what sysfs says in ten files and hides
// in part from those without CAP_NET_ADMIN. Pure; total on any bytes.
import { ZERO_MAC } from '../../base/addresses.ts';
import type { BondFacts, BondMode, PortFacts } from '../../readiness/facts.ts';
import type { Link } from './link-table.ts';
import { readAttributes, readMacAttribute, readUnsigned } from './netlink-attributes.ts';

/** The interfaces of a network namespace at one moment; a LinkWatch is one. */
export interface LinkView {
  find(name: string): Link | undefined;
  byIndex(ifindex: number): Link | undefined;
  all(): Iterable<Link>;
}

/** Of a link of kind "bond"; its ports in the order of their indexes. */
export function readBond(bond: Link, links: LinkView): BondFacts {
  const data = bond.data === undefined ? undefined : readAttributes(bond.data);
  const mode = MODES[readUnsigned(data?.get(IFLA_BOND_MODE), 1) ?? -1];
  return {
    kind: 'bond',
    name: bond.name,
    ifindex: bond.ifindex,
    mode,
    ...activeAggregator(data, mode),
    activePort: data === undefined ? undefined : activePort(data),
    ports: portsOf(bond, links).map((port) => readPort(port, mode)),
  };
}

/** Those whose master is this link, by index. */
export function portsOf({ ifindex }: Link, links: LinkView): readonly Link[] {
  const ports = [...links.all()].filter(({ master }) => master === ifindex);
  return ports.sort((one, other) => one.ifindex - other.ifindex);
}

const IFLA_BOND_MODE = 1;
const IFLA_BOND_ACTIVE_SLAVE = 2;
const IFLA_BOND_AD_INFO = 23;
const IFLA_BOND_AD_INFO_AGGREGATOR = 1;
const IFLA_BOND_AD_INFO_PARTNER_MAC = 5;

const IFLA_BOND_SLAVE_STATE = 1;
const IFLA_BOND_SLAVE_MII_STATUS = 2;
const IFLA_BOND_SLAVE_AD_AGGREGATOR_ID = 6;
const IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE = 7;
const IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE = 8;

/** BOND_STATE_BACKUP and BOND_LINK_UP of linux/if_bonding.h. */
const STATE_BACKUP = 1;
const MII_UP = 0;
const DISTRIBUTING = 0x20;

/** BOND_MODE_*, by number. */
const MODES: readonly BondMode[] = [
  'balance-rr',
  'active-backup',
  'balance-xor',
  'broadcast',
  '802.3ad',
  'balance-tlb',
  'balance-alb',
];

type Attributes = ReadonlyMap<number, Uint8Array>;

/**
 * The driver leaves IFLA_BOND_AD_INFO out as long as it has no active aggregator, as without
 * carrier. There is no partner then, and that is known.
 */
function activeAggregator(
  data: Attributes | undefined,
  mode: BondMode | undefined,
): Pick<BondFacts, 'activeAggregatorId' | 'partnerMac'> {
  if (data === undefined || mode !== '802.3ad') {
    return { activeAggregatorId: undefined, partnerMac: undefined };
  }
  const nested = data.get(IFLA_BOND_AD_INFO);
  if (nested === undefined) return { activeAggregatorId: undefined, partnerMac: ZERO_MAC };
  const info = readAttributes(nested);
  return {
    activeAggregatorId: readUnsigned(info.get(IFLA_BOND_AD_INFO_AGGREGATOR), 2),
    partnerMac: readMacAttribute(info.get(IFLA_BOND_AD_INFO_PARTNER_MAC)),
  };
}

/** The driver leaves the attribute out when there is none. */
function activePort(data: Attributes): number | undefined {
  const attribute = data.get(IFLA_BOND_ACTIVE_SLAVE);
  return attribute === undefined ? 0 : readUnsigned(attribute, 4);
}

function readPort(port: Link, mode: BondMode | undefined): PortFacts {
  // The attributes belong to the kind of the master; between two masters they may be another's.
  const described = port.slaveKind === 'bond' && port.slaveData !== undefined;
  const data: Attributes = described ? readAttributes(port.slaveData) : new Map();
  const status = readUnsigned(data.get(IFLA_BOND_SLAVE_MII_STATUS), 1);
  const lacp = mode === '802.3ad';
  return {
    name: port.name,
    ifindex: port.ifindex,
    linkUp: linkUp(port, status),
    ...portLosses(port),
    aggregatorId: lacp ? readUnsigned(data.get(IFLA_BOND_SLAVE_AD_AGGREGATOR_ID), 2) : undefined,
    actorState: lacp ? actorState(data) : undefined,
    partnerState: lacp
      ? readUnsigned(data.get(IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE), 2)
      : undefined,
  };
}

function portLosses({ carrierDownCount, leaves = 0 }: Link): Pick<PortFacts, 'losses'> {
  return carrierDownCount === undefined ? {} : { losses: carrierDownCount + leaves };
}

/**
 * The link monitor notices a lost carrier only at its next turn, and the port's own flag says so at
 * once. It is no proof of the opposite: the monitor may wait for `updelay`.
 */
function linkUp(port: Link, status: number | undefined): boolean | undefined {
  if (!port.lowerUp) return false;
  return status === undefined ? undefined : status === MII_UP;
}

/**
 * A port that lost its carrier keeps the bits it had, and shows them for some 100 ms after the
 * carrier is back, until the LACP machine runs. The driver itself does not send through a port in
 * backup state, whatever that bit says.
 */
function actorState(data: Attributes): number | undefined {
  const state = readUnsigned(data.get(IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE), 1);
  if (state === undefined) return undefined;
  const backup = readUnsigned(data.get(IFLA_BOND_SLAVE_STATE), 1) === STATE_BACKUP;
  return backup ? state & ~DISTRIBUTING : state;
}
