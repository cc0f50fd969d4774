// Everything that can happen to the readiness of an interface, as plain data that can be recorded.
import type { Ipv4, Mac } from '../base/addresses.ts';
import type { Micros } from '../base/time.ts';
import type { LinkFacts } from './facts.ts';
import type { GateSettings } from './gate.ts';
import type { Obstacle } from './obstacle.ts';
import type { VipInUsePolicy } from './vip-in-use.ts';

/** What of an instance on the interface the link's readiness depends on. */
export interface InstanceSettings {
  /** Unique on the interface. */
  readonly name: string;
  readonly vip: Ipv4;
  /** Our own address, once there is one: never asked, since it can't answer. */
  readonly source: Ipv4 | undefined;
  /** The instance's own master-down interval. */
  readonly deadInterval: Micros;
  /** How often it advertises as master. */
  readonly advertInterval: Micros;
  readonly gate: GateSettings;
  readonly vipInUse: VipInUsePolicy;
  /** Whom to ask by ARP besides those that are always asked: gateways, resolved, and peers. */
  readonly targets: readonly Ipv4[];
  /** More than 0. */
  readonly probeInterval: Micros;
  /** The instance preempts, so it needs an ARP answer of the master it hears. */
  readonly preempt: boolean;
}

/** inactive: INIT, takes no part. waiting: HELD or BACKUP. */
export type Role = 'inactive' | 'waiting' | 'master';

/** A valid advert of another node, for one instance. */
export interface AdvertHeard {
  readonly kind: 'advert-heard';
  readonly name: string;
  readonly from: Ipv4;
  /** When its next one is due, by what it says of itself. */
  readonly interval: Micros;
  /** It is a bow-out: no next one will come. */
  readonly leaving: boolean;
  /** It bids as one that doubts its path: a frame of anybody is what it waits for. */
  readonly doubting?: boolean;
  /** The epoch of the socket that it came from, which may have ended since. */
  readonly epoch: number;
  /** witness: the frame witness saw it and the CARP socket did not, as behind a firewall. */
  readonly heardBy: 'socket' | 'witness';
  /** It came in through an uplink. False: from this host itself, perhaps, as from a guest on it. */
  readonly throughUplink: boolean;
  /** Of one that only the witness saw: why; a firewall, if nothing is said. */
  readonly keptBy?: Obstacle | undefined;
}

export type ReadinessInput =
  /** All instances on the interface, whenever one is added, changed or removed. */
  | { readonly kind: 'instances-changed'; readonly instances: readonly InstanceSettings[] }
  | { readonly kind: 'role-changed'; readonly name: string; readonly role: Role }
  /** As read now, changed or not; undefined: the interface does not exist. */
  | { readonly kind: 'facts-read'; readonly facts: LinkFacts | undefined }
  | AdvertHeard
  /** The witness caught a frame that counts. */
  | {
      readonly kind: 'frame-heard';
      readonly from: Mac;
      readonly epoch: number;
      /** The index of the bond's port through which it came in, where the witness can tell. */
      readonly port?: number | undefined;
      /** The IPv4 address that its sender says to have, where the frame tells. */
      readonly station?: Ipv4 | undefined;
    }
  /** An ARP reply for this IPv4 address; also one for a virtual IP. */
  | {
      readonly kind: 'probe-answered';
      readonly address: Ipv4;
      readonly mac: Mac;
      readonly epoch: number;
      readonly port?: number | undefined;
    }
  /** IPv4 addresses on the segment that the kernel has spoken with, at its own choice. */
  | { readonly kind: 'neighbours-found'; readonly addresses: readonly Ipv4[] }
  /** The process woke so much later than it wanted; what was queued meanwhile was read before. */
  | { readonly kind: 'woken-late'; readonly lateBy: Micros }
  /** A deadline may have come; too early is harmless. */
  | { readonly kind: 'woken' };
