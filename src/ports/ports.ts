// Everything that the daemon wants from outside, in one object. The process fills it with the real
// things (real-ports.ts), tests and the simulation with a host in memory. What stands above this
// file in src/daemon reads no clock, sets no timer, opens no socket and no file, and starts no
// process by itself. Whoever needs a part of it has that slice among its options.
import type { Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { ControlOptions } from '../control/server.ts';
import type { FirewallFacts } from '../doctor/checks/firewall-checks.ts';
import type { LinkWatch, LinkWatchOptions } from '../linux/links/link-watch.ts';
import type { CarpSocket, CarpSocketOptions } from '../linux/sockets/carp-socket.ts';
import type { ClaimWatch, ClaimWatchOptions } from '../linux/sockets/claim-watch.ts';
import type { FrameWitness, FrameWitnessOptions } from '../linux/sockets/frame-witness.ts';
import type { GroupHolder, GroupPlace, LockAttempt } from '../linux/sockets/group-lock.ts';
import type { OpenPacketSocket } from '../linux/sockets/packet-socket.ts';
import type { ServiceManager } from '../linux/system/service-manager.ts';
import type { OpenMetrics } from '../metrics/service.ts';
import type { SegmentMachines } from '../segment/segment.ts';
import type { Opened } from '../serving/keep-opening.ts';
import type { MaintenanceStore } from '../state/maintenance-file.ts';
import type { ReleaseStore } from '../state/release-records.ts';
import type { ServedStore } from '../state/served-record.ts';
import type { RunCommand, SecondaryPromotion, StartTimer } from '../vip/ports.ts';

/** The one clock, and what happens later. */
export interface Time {
  /** Microseconds of the monotonic clock; never goes back. */
  readonly now: () => Micros;
  /**
   * Calls back once, `delayMs` milliseconds later or a little more, never from within the call.
   * What it returns calls that off; the second time, or afterwards, it does nothing.
   */
  readonly startTimer: StartTimer;
  /**
   * Calls back once, when what waits in the sockets by now has been handed out, and never from
   * within the call. What it returns calls that off.
   */
  readonly nextTurn: NextTurn;
}

export type NextTurn = (run: () => void) => () => void;

/** The date, which may be set while the process runs: for people to read, and to decide nothing. */
export interface WallTime {
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

/** What must not look alike in two runs. */
export interface Randomness {
  /** Where the counter of a group starts: 64 bits, unsigned. */
  readonly randomCounter: () => bigint;
  /** The identification of an IPv4 packet: 0 to 65535. */
  readonly randomIdentification: () => number;
}

/** What is heard and sent. All of them may fail with a CarpdError, as their types say. */
export interface Sockets {
  readonly openCarpSocket: (options: CarpSocketOptions) => Promise<CarpSocket>;
  readonly openPacketSocket: OpenPacketSocket;
  readonly openFrameWitness: (options: FrameWitnessOptions) => FrameWitness;
  readonly openClaimWatch: (options: ClaimWatchOptions) => ClaimWatch;
}

/** What the kernel knows of the network, and what of it is the daemon's own. */
export interface Kernel {
  /** Resolves once all interfaces are known; rejects with a CarpdError. */
  readonly openLinkWatch: (options: LinkWatchOptions) => Promise<LinkWatch>;
  /** Takes the group; throws a CarpdError where neither it nor its holder can be had. */
  readonly lockGroup: (place: GroupPlace) => LockAttempt;
  /** Who serves the group; undefined: no daemon does. Throws a CarpdError. */
  readonly groupHolder: (place: GroupPlace) => GroupHolder | undefined;
  /** Whether another process keeps the address as a virtual IP on this interface. */
  readonly isServedElsewhere: (address: Ipv4, ifindex: number) => boolean;
  /** The next hops through the interface. Rejects with a CarpdError. */
  readonly readGateways: (interfaceName: string) => Promise<readonly Ipv4[]>;
  /** The stations that the kernel has spoken with there. Rejects likewise. */
  readonly readNeighbours: (interfaceName: string) => Promise<readonly Ipv4[]>;
  /** Whether rp_filter 1 is in force; undefined: it can't be read. */
  readonly filtersStrictly: (interfaceName: string) => boolean | undefined;
  /** The name of the interface through which an address is answered; undefined: none. */
  readonly wayBackTo: (address: Ipv4) => string | undefined;
  /** The rules of the firewall in force; what can't be read is left out. */
  readonly readFirewall: () => Promise<FirewallFacts>;
  /** The setting promote_secondaries of an interface. */
  readonly promotion: SecondaryPromotion;
}

/** The processes of the host, this one among them. */
export interface Processes {
  /** Starts `ip` or a hook. Whatever fails is a result, never an exception. */
  readonly runCommand: RunCommand;
  /** For `ip` and the hooks; no secret is in it. */
  readonly env: Readonly<Record<string, string>>;
  /** The number of this process. */
  readonly pid: number;
  /** Hooks and `ip` may do everything. */
  readonly isRoot: boolean;
  /** Whether another program that keeps virtual IPs runs here, as far as it can be seen. */
  readonly hasRivalDaemon: () => boolean;
  /** Who started the process and wants to hear of it; undefined: nobody. */
  readonly serviceManager: ServiceManager | undefined;
}

/** Files that outlive the process, and sockets that others ask it by. */
export interface Places {
  /** Where it is kept, in a state directory, which instances are in maintenance. */
  readonly maintenanceStore: (directory: string) => MaintenanceStore;
  /** Where it is on record there what is served; undefined: nothing there could be trusted. */
  readonly servedStore: (directory: string) => ServedStore | undefined;
  /** Where a service has on record what it may hold; undefined: it has no directory for that. */
  readonly releaseStore: ReleaseStore | undefined;
  /** Opens the control socket, now or as soon as it can be. */
  readonly openControl: (options: ControlOptions) => Opened;
  /** Opens the server of the metrics, now or as soon as it can be. */
  readonly openMetrics: OpenMetrics;
}

/** All of it. */
export interface Ports extends Time, WallTime, Randomness, Sockets, Kernel, Processes, Places {
  /** What segments are made of, for those who check each step; absent: the usual ones. */
  readonly machines?: SegmentMachines;
}

/** What an instance wants of them by itself. */
export type InstancePorts = Pick<
  Ports,
  | 'now'
  | 'startTimer'
  | 'randomCounter'
  | 'randomIdentification'
  | 'runCommand'
  | 'env'
  | 'isRoot'
  | 'isServedElsewhere'
>;
