// Reports of instances in every situation, made of real readiness and a given election.
import { fromMillis, micros, plus, since, type Micros } from '../../src/base/time.ts';
import { parseIpv4, type Ipv4 } from '../../src/base/addresses.ts';
import type { InstanceConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { PeerHeard, PeerRole } from '../../src/election/peers-heard.ts';
import {
  reportInstance,
  type InstanceReport,
  type MaintenanceEntry,
  type StandbySeen,
  type StrangerHeard,
} from '../../src/report/report.ts';
import type { Cause, State } from '../../src/election/effects.ts';
import type { ElectionSnapshot, HeardMaster } from '../../src/election/snapshot.ts';
import type { LinkRig } from './readiness-rig.ts';
import { PEER } from './readiness-rig.ts';

/** The instance `db` of the rig, on bond0. */
export function dbConfig(changes: object = {}): InstanceConfig {
  const db = { interface: 'bond0', vhid: 7, address: '10.9.0.100/24', passphrase: 'secret' };
  const loaded = loadConfig(JSON.stringify({ instances: { db: { ...db, ...changes } } }), {
    readFile: () => {
      throw new Error('no file is read');
    },
  });
  const [config] = loaded.ok ? loaded.config.instances : [];
  if (config === undefined) throw new Error(JSON.stringify(loaded));
  return config;
}

export function ip(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(text);
  return address;
}

/** The master of the rig, heard so long ago. */
export function heard(rig: LinkRig, agoMs: number): HeardMaster {
  const heardAt = since(rig.now, fromMillis(agoMs));
  return { address: PEER, advbase: 1, advskew: 0, heardAt };
}

export interface Situation {
  readonly state: State;
  /** Why it is in that state, and since when. */
  readonly cause?: Cause;
  readonly from?: State;
  readonly forMs?: number;
  readonly election?: Partial<ElectionSnapshot>;
  readonly config?: object;
  readonly fault?: string;
  readonly elsewhere?: readonly string[];
  readonly peer?: Ipv4;
  readonly peers?: readonly PeerHeard[];
  readonly standbys?: readonly StandbySeen[];
  readonly vipPresent?: boolean;
  readonly stranger?: StrangerHeard;
  readonly maintenance?: MaintenanceEntry;
  /** False: nothing is known of the link. */
  readonly watched?: boolean;
}

/** A peer that was heard so long ago. */
export function peerOf(rig: LinkRig, address: Ipv4, role: PeerRole, agoMs: number): PeerHeard {
  return {
    address,
    cadence: { advbase: 1, advskew: 0 },
    role,
    lastAdvertAt: since(rig.now, fromMillis(agoMs)),
    interval: fromMillis(1_001),
    adverts: 7,
  };
}

/** An election of which nothing is known but what is given. */
export function electionSnapshot(changes: Partial<ElectionSnapshot> = {}): ElectionSnapshot {
  return {
    state: 'INIT',
    stateSince: micros(0),
    term: 0,
    master: undefined,
    holdReasons: [],
    inDoubt: false,
    demoted: false,
    effectiveAdvskew: 0,
    leaving: undefined,
    masterDownAt: undefined,
    advertiseAt: undefined,
    ...changes,
  };
}

/** The report at the moment of the rig. */
export function report(rig: LinkRig, situation: Situation): InstanceReport {
  const { state, cause, from = 'INIT', forMs = 0, election = {}, watched = true } = situation;
  const startedAt = since(rig.now, fromMillis(forMs));
  // As the election has it: nothing was since before its first transition.
  const stateSince = cause === undefined ? micros(0) : startedAt;
  const snapshot = electionSnapshot({ state, stateSince, ...election });
  const { peer } = situation;
  const sources = {
    config: dbConfig(situation.config),
    election: snapshot,
    readiness: watched ? rig.snapshot : undefined,
    lastTransition:
      cause === undefined ? undefined : { from, to: state, cause, peer, at: stateSince },
    startedAt,
    source: state === 'INIT' ? undefined : ip('10.9.0.10'),
    fault: situation.fault,
    elsewhere: situation.elsewhere ?? [],
    peers: situation.peers ?? [],
    standbys: situation.standbys ?? [],
    vipPresent: situation.vipPresent ?? state === 'MASTER',
    stranger: situation.stranger,
    maintenance: situation.maintenance,
  };
  return reportInstance(sources, rig.now);
}

/** `milliseconds` after the moment of the rig. */
export const inMs = (rig: LinkRig, milliseconds: number): Micros =>
  plus(rig.now, fromMillis(milliseconds));
