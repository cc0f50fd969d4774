// Everything that happens in carpd, as plain data: what `carpd watch`, the log and the metrics are
// made of. Every key is always there, null stands for "none", addresses are text and durations are
// whole milliseconds, so that an event is its own JSON.
import type { DropReason } from '../carp/accept.ts';
import type { ClaimForm } from '../carp/claim.ts';
import type { AdvertKind, Cause, State } from '../election/effects.ts';
import type { HookName, InterfaceFault } from '../election/inputs.ts';
import type { DoubtCause } from '../readiness/doubt.ts';
import type { EpochEndCause } from '../readiness/epoch.ts';
import type { EvidenceKind, Status } from '../readiness/evidence.ts';
import type { GateKey } from '../readiness/gate.ts';
import type { PortFault } from '../readiness/lacp.ts';
import type { Reason, Warning } from '../readiness/reasons.ts';
import type { HookResult } from '../vip/hooks.ts';
import type { VipFaultReason } from '../vip/ip-outcome.ts';
import type { Claimant } from '../election/claimant.ts';
import type { OrderReason, Outcome } from './order-result.ts';

/** Whose event it is; every event of an instance bears it. */
export interface InstanceIdentity {
  readonly name: string;
  readonly interface: string;
  readonly vhid: number;
  /** Without its prefix length. */
  readonly vip: string;
}

/** What happens to the election of an instance. */
type ElectionNews =
  | {
      readonly event: 'transition';
      readonly from: State;
      readonly to: State;
      readonly cause: Cause;
      /** Whose advert decided, or the master last heard. */
      readonly peer: string | null;
      /** How often this node has become master. */
      readonly term: number;
      /** The timers that run now. */
      readonly masterDownInMs: number | null;
      readonly advertiseInMs: number | null;
      /** What it bids with now. */
      readonly advskew: number;
    }
  /** What an instance is at this moment: on request, and first thing a watcher gets. */
  | {
      readonly event: 'state';
      readonly state: State;
      readonly forMs: number;
      readonly term: number;
      /** The sender of our adverts, once there is one. */
      readonly source: string | null;
      readonly master: string | null;
      /** Null before the link is watched for it. */
      readonly gateOpen: boolean | null;
      /** All that the gate lacks, also where its policy overrides it. */
      readonly reasons: readonly Reason[];
      readonly inDoubt: boolean;
      readonly maintenance: boolean;
      readonly advskew: number;
      /** A sentence. */
      readonly why: string;
    }
  /** Heard while master, from a node that is master as well. */
  | { readonly event: 'conflict'; readonly peer: string; readonly equal: boolean }
  /** Sending fails, or works again; `advskew` is what it bids with now. */
  | { readonly event: 'demotion'; readonly demoted: boolean; readonly advskew: number }
  /** A master doubts its own path, or doubts it no more: `cause` is null then. */
  | { readonly event: 'doubt'; readonly inDoubt: boolean; readonly cause: DoubtCause | null }
  /** It would have become master by now, and was not let; once for each silence and reason. */
  | { readonly event: 'promotion-held'; readonly reason: HeldReason }
  /**
   * From the moment at which the master was due (its dead interval over, or its bow-out heard) to
   * the first gratuitous ARP that left.
   */
  | {
      readonly event: 'takeover';
      readonly cause: Cause;
      readonly term: number;
      readonly durationMs: number;
    };

/** Why a promotion was held off: what the gate lacks, or what else keeps the node in HELD. */
export type HeldReason = Reason | 'maintenance' | 'vip-failed';

/** What comes in and goes out; a busy segment has many of them. */
type AdvertNews =
  | {
      readonly event: 'advert-sent';
      readonly advert: AdvertKind;
      readonly advbase: number;
      readonly advskew: number;
    }
  | {
      readonly event: 'advert-received';
      readonly from: string;
      readonly advbase: number;
      readonly advskew: number;
      readonly demote: number;
      readonly bowOut: boolean;
      /** witness: a firewall kept it from the CARP socket. */
      readonly heardBy: 'socket' | 'witness';
    }
  | { readonly event: 'send-failed'; readonly advert: AdvertKind; readonly detail: string };

/** What holds off a promotion, or does so no more. */
type GateNews =
  | { readonly event: 'gate-opened'; readonly by: GateKey }
  /** It closed, or is closed for other reasons than before. */
  | {
      readonly event: 'gate-closed';
      readonly reasons: readonly Reason[];
      /** When its time limit will open it. */
      readonly opensInMs: number | null;
    }
  /** A reminder, now and then while the instance is held. */
  | {
      readonly event: 'gate-still-closed';
      readonly reasons: readonly Reason[];
      readonly opensInMs: number | null;
    }
  | { readonly event: 'gate-warning'; readonly warning: Warning }
  /** Somebody else answers for the virtual IP. `holdsOff`: so that this node does not take it. */
  | { readonly event: 'vip-in-use'; readonly mac: string | null; readonly holdsOff: boolean };

/** What a master holds, and how that came or went. */
type CustodyNews =
  | { readonly event: 'interface-usable'; readonly source: string; readonly carrier: boolean }
  | {
      readonly event: 'interface-unusable';
      readonly fault: InterfaceFault;
      readonly remedy: string;
    }
  /** The virtual IP is in none of these networks of its interface. */
  | { readonly event: 'vip-off-network'; readonly networks: readonly string[] }
  | { readonly event: 'vip-added' }
  /** Somebody had removed it. */
  | { readonly event: 'vip-restored'; readonly replaced: boolean }
  /** `late`: it could not be removed at first. */
  | { readonly event: 'vip-removed'; readonly late: boolean }
  | {
      readonly event: 'vip-failed';
      readonly action: 'add' | 'keep' | 'remove' | 'remove-stale';
      readonly reason: VipFaultReason;
      readonly detail: string;
    }
  /** `stays`: a master that was asked to leave stays one; else it leaves with the address on. */
  | {
      readonly event: 'step-down-stuck';
      readonly cause: Cause;
      readonly stays: boolean;
      readonly detail: string;
    }
  /** It could not be removed before the end; `command` does it. */
  | { readonly event: 'vip-left-behind'; readonly command: string }
  /** It was on the interface without being held here; `removed` false: it is left as it is. */
  | {
      readonly event: 'vip-stale';
      readonly removed: boolean;
      readonly prefixLength: number | null;
    }
  /** Other interfaces of this host have the virtual IP, and no instance serves it there. */
  | { readonly event: 'vip-elsewhere'; readonly interfaces: readonly string[] }
  /** Somebody had put the virtual IP on the interface of a node that is not master; it is off. */
  | { readonly event: 'vip-unwanted' }
  /** The kernel removed these addresses together with the virtual IP. */
  | {
      readonly event: 'addresses-taken-along';
      readonly addresses: readonly string[];
      readonly restored: boolean;
      /** Commands that make what could not be put back. */
      readonly unsaved: readonly string[];
    }
  /**
   * Another host said by ARP that the address of this master is its own, or asked for it.
   * `answered` false: it was but a probe, or this node may not claim the address now.
   */
  | {
      readonly event: 'vip-contested';
      readonly form: ClaimForm;
      readonly mac: string;
      readonly frames: number;
      readonly answered: boolean;
      readonly by: Claimant['kind'];
      /** Its own address; null: a stranger's is not known. */
      readonly peer: string | null;
    }
  /** promote_secondaries was set while the virtual IP was removed; told once. */
  | { readonly event: 'secondaries-promoted' }
  /** A gratuitous ARP left. */
  | { readonly event: 'announced' }
  | { readonly event: 'announce-failed'; readonly detail: string }
  | {
      readonly event: 'hook-finished';
      readonly hook: HookName;
      readonly result: Exclude<HookResult['kind'], 'none'>;
      readonly durationMs: number;
      readonly detail: string | null;
    }
  | { readonly event: 'hook-output'; readonly hook: HookName; readonly line: string };

interface OrderFacts {
  readonly force: boolean;
  readonly outcome: Outcome | 'begun';
  /** Null when it is begun. */
  readonly reason: OrderReason | null;
  /** A sentence. */
  readonly detail: string;
  /** From the order until another master was heard, where that was waited for. */
  readonly afterMs: number | null;
}

/** What becomes of an order that an operator gives by the control socket. */
export type OrderNews =
  (OrderFacts & { readonly event: 'handover' }) | (OrderFacts & { readonly event: 'maintenance' });

/** What an instance tells, before its identity is added. */
export type InstanceNews = ElectionNews | AdvertNews | GateNews | CustodyNews | OrderNews;

/** What an interface tells, before its name is added. */
export type LinkNews =
  /** Somebody gave the interface a new name; carpd goes on with it. */
  | { readonly event: 'interface-renamed'; readonly from: string; readonly to: string }
  /** An earlier run has left a virtual IP on it, which no instance serves there any more. */
  | {
      readonly event: 'vip-leftover';
      readonly vip: string;
      readonly removed: boolean;
      /** Why it was not. */
      readonly detail: string | null;
      /** What removes it. */
      readonly command: string;
    }
  | { readonly event: 'link-epoch'; readonly epoch: number; readonly cause: EpochEndCause }
  /** It has become ready; `by` and `from` are the best proof there is. */
  | {
      readonly event: 'link-proved';
      readonly heldMs: number;
      readonly by: EvidenceKind | null;
      readonly from: string | null;
    }
  /** It is not ready, or for other reasons than before. */
  | { readonly event: 'link-unproved'; readonly reasons: readonly Reason[] }
  /** The first evidence of its kind in an epoch. */
  | {
      readonly event: 'link-evidence';
      readonly kind: EvidenceKind;
      readonly from: string;
      readonly epoch: number;
    }
  /** A port of the bond became ready, or is so no more, or for other reasons. */
  | {
      readonly event: 'lacp-port';
      readonly port: string;
      /** gone: it was taken out of the bond. */
      readonly status: Status | 'gone';
      readonly faults: readonly PortFault[];
    }
  | { readonly event: 'link-warning'; readonly warning: Warning }
  /** Frames can't be seen or asked for as they should; told once a minute for each `detail`. */
  | { readonly event: 'link-unreadable'; readonly detail: string; readonly repeats: number }
  /** A packet of protocol 112 was not believed. */
  | {
      readonly event: 'advert-rejected';
      readonly reason: DropReason;
      readonly from: string | null;
      readonly vhid: number | null;
      /** An instance with its vhid is master here. */
      readonly rivalsMaster: boolean;
    }
  | { readonly event: 'socket-failed'; readonly detail: string; readonly retryInMs: number }
  | { readonly event: 'send-blocked' }
  /** More packets came in than can be read; what was dropped last was from there, for that. */
  | {
      readonly event: 'adverts-lost';
      readonly count: number;
      readonly from: string | null;
      readonly reason: DropReason | null;
    };

/** What concerns the daemon as a whole. */
export type DaemonNews =
  | { readonly event: 'daemon-started'; readonly instances: number }
  | { readonly event: 'daemon-stopping'; readonly why: string }
  | { readonly event: 'daemon-stopped'; readonly exitCode: number }
  | { readonly event: 'daemon-failed'; readonly detail: string; readonly fatal: boolean }
  | { readonly event: 'signal-received'; readonly signal: string; readonly meaning: string }
  | { readonly event: 'configuration-warning'; readonly detail: string }
  | { readonly event: 'configuration-rejected'; readonly detail: string }
  /** Names of instances. */
  | {
      readonly event: 'configuration-reloaded';
      readonly added: readonly string[];
      readonly changed: readonly string[];
      readonly removed: readonly string[];
      readonly unchanged: readonly string[];
    }
  | { readonly event: 'links-unreadable'; readonly detail: string }
  /** Which instances are in maintenance is not known, so all of them are. */
  | { readonly event: 'maintenance-unreadable'; readonly detail: string }
  | { readonly event: 'late-wake'; readonly lateMs: number }
  | { readonly event: 'queue-overflow'; readonly dropped: number }
  | { readonly event: 'log-gap'; readonly lostLines: number }
  | { readonly event: 'control-opened'; readonly path: string }
  | {
      readonly event: 'control-failed';
      readonly during: 'opening' | 'serving' | 'answering';
      readonly detail: string;
    }
  | { readonly event: 'metrics-opened'; readonly address: string }
  | {
      readonly event: 'metrics-failed';
      readonly during: 'opening' | 'serving';
      readonly detail: string;
    };

export type InstanceEvent = InstanceNews & InstanceIdentity;
export type LinkEvent = LinkNews & { readonly interface: string };

/** One thing that happened. */
export type DomainEvent = InstanceEvent | LinkEvent | DaemonNews;

export type EventName = DomainEvent['event'];

/** The events of these names. */
export type EventOf<Name extends EventName> = Extract<DomainEvent, { readonly event: Name }>;
