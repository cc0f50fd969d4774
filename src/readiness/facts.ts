// What is known of an interface and of the bond it stands on, as plain data: adapters read it, the
// readiness rules judge it. Undefined always means "could not be read", never "no".
import type { Mac } from '../base/addresses.ts';

/** The modes of the bonding driver, as it names them. */
export type BondMode =
  | 'balance-rr'
  | 'active-backup'
  | 'balance-xor'
  | 'broadcast'
  | '802.3ad'
  | 'balance-tlb'
  | 'balance-alb';

/** One port (slave) of a bond. */
export interface PortFacts {
  /** As it is now, for people; the index stays what it is. */
  readonly name: string;
  readonly ifindex: number;
  /** MII status. */
  readonly linkUp: boolean | undefined;
  /**
   * How often it lost its carrier or left the bond: the driver looks at its links every `miimon`
   * only, and takes no notice of what was over by then. Absent: not known.
   */
  readonly losses?: number;
  /** The aggregator the port is in; 802.3ad only. "N/A" in sysfs is undefined. */
  readonly aggregatorId: number | undefined;
  /** Our LACP state byte; see STATE_BITS in lacp.ts. */
  readonly actorState: number | undefined;
  /** What the partner last said of itself, or the driver's default for one never heard. */
  readonly partnerState: number | undefined;
}

/** A bond of the Linux bonding driver. */
export interface BondFacts {
  readonly kind: 'bond';
  readonly name: string;
  readonly ifindex: number;
  readonly mode: BondMode | undefined;
  /** The aggregator that carries the traffic; 802.3ad only. */
  readonly activeAggregatorId: number | undefined;
  /** The active aggregator's partner; all zero: there is none. */
  readonly partnerMac: Mac | undefined;
  /** The index of the active slave; 0: there is none. In active-backup, balance-alb and -tlb. */
  readonly activePort: number | undefined;
  readonly ports: readonly PortFacts[];
}

/** What an interface stands on, all the way down. */
export type LowerFacts =
  /** No bond anywhere. */
  | { readonly kind: 'plain' }
  /** Something below that is out of sight, as a bond in another network namespace. */
  | { readonly kind: 'unseen' }
  /** A team device: its ports are run by a daemon of its own, so only its carrier is known. */
  | { readonly kind: 'team'; readonly name: string; readonly ifindex: number }
  /** Several bonds side by side, as ports of one bridge: two or more, by index. */
  | { readonly kind: 'bonds'; readonly bonds: readonly BondFacts[] }
  | BondFacts;

/** The bonds among it, whether one or several. */
export function bondsOf(lower: LowerFacts | undefined): readonly BondFacts[] {
  if (lower?.kind === 'bond') return [lower];
  return lower?.kind === 'bonds' ? lower.bonds : [];
}

/** A way by which the frames of other hosts come in, at the bottom of what an interface is on. */
export interface UplinkFacts {
  readonly ifindex: number;
  /** The VLAN ids of a frame for the interface when it is caught there, outermost first. */
  readonly vlans: readonly number[];
  /**
   * The index of the bridge on which a frame has to be caught as well, and bears `vlans`: what it
   * bears at the uplink can't be read. Absent: that is known.
   */
  readonly above?: number;
}

/** What is wrong where there is no carrier, and it is not a cable. */
export type UplinkFault =
  /** Nothing that the interface stands on leads to other hosts. */
  | 'no-uplink'
  /** What leads to other hosts has carrier, and the bridge of this host does not forward there. */
  | 'uplink-blocked';

/** An interface at one moment. */
export interface LinkFacts {
  readonly ifindex: number;
  readonly mac: Mac | undefined;
  /**
   * Administratively up, running, and every layer below up; of a bridge as far as one uplink whose
   * port is forwarding.
   */
  readonly carrier: boolean | undefined;
  /** Only where `carrier` is false; undefined: a carrier is missing. */
  readonly uplinkFault?: UplinkFault | undefined;
  /**
   * How often the kernel has seen the carrier go, of all layers that lead to these uplinks: tells
   * of a loss that nobody saw.
   */
  readonly carrierLosses: number | undefined;
  /**
   * How often one of these uplinks, or a port that leads to it, was seen to leave its bridge or to
   * stop forwarding, though it is back. Absent: never.
   */
  readonly uplinkLosses?: number;
  /** By which frames can come in now; a port of a bridge only while it is forwarding. */
  readonly uplinks: readonly UplinkFacts[];
  readonly lower: LowerFacts;
}
