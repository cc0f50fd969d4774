// The report of one instance as plain data: what `carpd status --json` and `carpd explain --json`
// print, and what their texts are made of. Pure. Every key is always there; null stands for "none"
// or "not known". Times are whole milliseconds before or after the moment of the report.
import { since, toMillis, type Micros } from '../base/time.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import { masterDownInterval } from '../election/cadence.ts';
import { CAUSES, type Cause, type HoldReason, type State } from '../election/effects.ts';
import type { ElectionSnapshot, HeardMaster } from '../election/snapshot.ts';
import type { ReadinessSnapshot } from '../readiness/snapshot.ts';
import type { PeerHeard, PeerRole } from '../election/peers-heard.ts';
import { msSince, msUntilAny, reportLink, type LinkReport } from './link-report.ts';

/** The maintenance of one instance. */
export interface MaintenanceEntry {
  /** Wall-clock time in ISO 8601. */
  readonly since: string;
  /** operator: it was asked for. unreadable: the file that would tell could not be read. */
  readonly cause: 'operator' | 'unreadable';
}

/** A name of a closed list with what it means. */
export interface Named<Name extends string> {
  readonly name: Name;
  readonly meaning: string;
}

/** The last change of state. */
export interface TransitionReport {
  readonly from: State;
  readonly to: State;
  readonly cause: Named<Cause>;
  /** Whose advert decided, or the master last heard. */
  readonly peer: string | null;
  readonly agoMs: number;
}

/** The master that is heard. */
export interface MasterReport {
  readonly address: string;
  readonly advbase: number;
  readonly advskew: number;
  readonly heardAgoMs: number;
}

/** Another node that was heard advertising. */
export interface PeerReport {
  readonly address: string;
  readonly role: PeerRole;
  /** Of its last advert that was no bow-out; null: there was none. */
  readonly advbase: number | null;
  readonly advskew: number | null;
  readonly heardAgoMs: number;
  /** Between its last two adverts. */
  readonly intervalMs: number | null;
  /** How many of its adverts were heard. */
  readonly adverts: number;
}

/** A host that may take over from this master, asked by ARP. */
export interface StandbyReport {
  readonly address: string;
  /** Null: it is not known yet. */
  readonly answers: boolean | null;
  /** Since its last answer; where there is none, since it was asked first. */
  readonly forMs: number;
}

/** A node whose adverts of our vhid bear a digest that is not ours. */
export interface StrangerReport {
  readonly address: string;
  readonly heardAgoMs: number;
}

/** Maintenance, while it is on. */
export interface MaintenanceReport {
  /** Wall-clock time in ISO 8601. */
  readonly since: string;
  readonly cause: MaintenanceEntry['cause'];
}

/** One instance at one moment. */
export interface InstanceReport {
  readonly name: string;
  readonly interface: string;
  readonly vhid: number;
  /** With its prefix length. */
  readonly vip: string;
  /** The sender of our adverts, once there is one. */
  readonly source: string | null;
  readonly state: State;
  readonly stateForMs: number;
  readonly lastTransition: TransitionReport | null;
  /** Why it can't take part, with what to do. */
  readonly fault: string | null;
  /** Other interfaces of this host that have the virtual IP, where no instance serves it. */
  readonly elsewhere: readonly string[];
  /** What keeps it in HELD. */
  readonly holdReasons: readonly Named<HoldReason>[];
  /** Why it is stepping down, while it does so in good order. */
  readonly leaving: Named<Cause> | null;
  /** Sends fail, so that it bids low. */
  readonly demoted: boolean;
  readonly advbase: number;
  readonly advskew: number;
  /** What it bids with now. */
  readonly effectiveAdvskew: number;
  readonly preempt: boolean;
  /** How often it has become master since it was started. */
  readonly term: number;
  readonly master: MasterReport | null;
  /** When it takes over if no advert comes. */
  readonly masterDownInMs: number | null;
  readonly nextAdvertInMs: number | null;
  /** The one heard last first, 16 at most. */
  readonly peers: readonly PeerReport[];
  /** Those that may take over, configured or heard; none while it is no master. */
  readonly standby: readonly StandbyReport[];
  /** The virtual IP is on the interface. */
  readonly vipPresent: boolean;
  /** Who was dropped for a wrong digest last, within a minute: passphrase or VIP differ. */
  readonly stranger: StrangerReport | null;
  /** Null: it is off. */
  readonly maintenance: MaintenanceReport | null;
  /** What is known of its link; null before the link is watched for it. */
  readonly link: LinkReport | null;
}

/** What came of the last reload of the configuration. */
export interface ReloadReport {
  /** partly: but for some instances. refused: the older configuration is in force. */
  readonly outcome: 'applied' | 'partly' | 'refused';
  readonly agoMs: number;
  /** Why not, a sentence each. */
  readonly reasons: readonly string[];
}

/** All instances of a daemon. */
export interface StatusReport {
  readonly pid: number;
  /** The file that it reads; null: there is none, as for `ucarp`. */
  readonly config: string | null;
  /** Null: there was none since the start. */
  readonly reload: ReloadReport | null;
  readonly instances: readonly InstanceReport[];
}

/** A change of state as the report needs it. */
export interface LastTransition {
  readonly from: State;
  readonly to: State;
  readonly cause: Cause;
  readonly peer: Ipv4 | undefined;
  readonly at: Micros;
}

/** The sender of an advert of our vhid that was dropped for its digest, and when. */
export interface StrangerHeard {
  readonly address: Ipv4;
  readonly at: Micros;
}

/** A host that may take over, as `StandbyReport` has it. */
export interface StandbySeen {
  readonly address: Ipv4;
  readonly answers: boolean | undefined;
  readonly since: Micros;
}

/** Everything a report is made of. */
export interface ReportSources {
  readonly config: InstanceConfig;
  readonly election: ElectionSnapshot;
  /** Of the interface; undefined: nothing watches it. */
  readonly readiness: ReadinessSnapshot | undefined;
  readonly lastTransition: LastTransition | undefined;
  /** When the instance was started: its state is that old until the first transition. */
  readonly startedAt: Micros;
  readonly source: Ipv4 | undefined;
  /** Why the interface can't be used, in words. */
  readonly fault: string | undefined;
  /** As in the report. */
  readonly elsewhere: readonly string[];
  readonly peers: readonly PeerHeard[];
  /** As in the report. */
  readonly standbys: readonly StandbySeen[];
  readonly vipPresent: boolean;
  /** Undefined: none of late. */
  readonly stranger: StrangerHeard | undefined;
  readonly maintenance: MaintenanceEntry | undefined;
}

/** Builds the report of an instance at the moment `now`. */
export function reportInstance(sources: ReportSources, now: Micros): InstanceReport {
  const { config, election, readiness, lastTransition, startedAt, source, fault } = sources;
  const { address, advbase, advskew, preempt } = config;
  const { leaving } = election;
  const master = masterHeard(sources, now);
  return {
    name: config.name,
    interface: config.interfaceName,
    vhid: config.vhid,
    vip: `${formatIpv4(address.ip)}/${address.prefixLength}`,
    source: source === undefined ? null : formatIpv4(source),
    state: election.state,
    stateForMs: msSince(lastTransition === undefined ? startedAt : election.stateSince, now),
    lastTransition: lastTransition === undefined ? null : reportTransition(lastTransition, now),
    fault: fault ?? null,
    elsewhere: sources.elsewhere,
    holdReasons: election.holdReasons.map(named),
    leaving: leaving === undefined ? null : named(leaving),
    demoted: election.demoted,
    advbase,
    advskew,
    effectiveAdvskew: election.effectiveAdvskew,
    preempt,
    term: election.term,
    master:
      master === undefined
        ? null
        : {
            address: formatIpv4(master.address),
            advbase: master.advbase,
            advskew: master.advskew,
            heardAgoMs: msSince(master.heardAt, now),
          },
    masterDownInMs: msUntilAny(election.masterDownAt, now),
    nextAdvertInMs: msUntilAny(election.advertiseAt, now),
    peers: sources.peers.map((peer) => reportPeer(peer, now)),
    standby: sources.standbys.map((one) => reportStandby(one, now)),
    vipPresent: sources.vipPresent,
    stranger: reportStranger(sources, now),
    maintenance: sources.maintenance ?? null,
    link: readiness === undefined ? null : reportLink(readiness, config, now),
  };
}

/** A held node counts down to nothing, so that the election does not forget a silent master. */
function masterHeard({ config, election }: ReportSources, now: Micros): HeardMaster | undefined {
  const { master, masterDownAt } = election;
  if (master === undefined || masterDownAt !== undefined) return master;
  return since(now, master.heardAt) <= masterDownInterval(config) ? master : undefined;
}

function reportStranger({ stranger }: ReportSources, now: Micros): StrangerReport | null {
  if (stranger === undefined) return null;
  return { address: formatIpv4(stranger.address), heardAgoMs: msSince(stranger.at, now) };
}

function reportPeer(peer: PeerHeard, now: Micros): PeerReport {
  const { address, role, cadence, lastAdvertAt, interval, adverts } = peer;
  return {
    address: formatIpv4(address),
    role,
    advbase: cadence?.advbase ?? null,
    advskew: cadence?.advskew ?? null,
    heardAgoMs: msSince(lastAdvertAt, now),
    intervalMs: interval === undefined ? null : Math.round(toMillis(interval)),
    adverts,
  };
}

function reportStandby({ address, answers, since: at }: StandbySeen, now: Micros): StandbyReport {
  return { address: formatIpv4(address), answers: answers ?? null, forMs: msSince(at, now) };
}

function reportTransition(last: LastTransition, now: Micros): TransitionReport {
  const { from, to, cause, peer, at } = last;
  return {
    from,
    to,
    cause: named(cause),
    peer: peer === undefined ? null : formatIpv4(peer),
    agoMs: msSince(at, now),
  };
}

function named<Name extends Cause>(name: Name): Named<Name> {
  return { name, meaning: CAUSES[name] };
}
