// The daemon as its gauges show it, read from the snapshots of elections and links.
import type { Micros } from '../base/time.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import type { ElectionSnapshot } from '../election/snapshot.ts';
import type { InstanceSample, LinkSample, Sample } from './sample.ts';
import type { Condition } from '../readiness/judge.ts';
import type { MaintenanceEntry } from '../report/report.ts';
import type { ReadinessSnapshot } from '../readiness/snapshot.ts';
import type { ObservedAddress } from '../vip/ports.ts';
import { instanceLabels } from './counters.ts';

/** A peer as far as it is sampled. */
export interface SampledPeer {
  readonly address: Ipv4;
  readonly interval: Micros | undefined;
}

/** A host that may take over, as far as it is sampled. */
export interface SampledStandby {
  readonly address: Ipv4;
  readonly answers: boolean | undefined;
}

/** An instance as far as it is sampled. */
export interface SampledInstance {
  readonly config: InstanceConfig;
  readonly source: Ipv4 | undefined;
  readonly record: {
    readonly peers: { all(now: Micros): readonly SampledPeer[] };
    readonly maintenance: Pick<MaintenanceEntry, 'since'> | undefined;
  };
  readonly standbys: readonly SampledStandby[];
  snapshot(): ElectionSnapshot;
  isOn(link: SampledLink): boolean;
}

/** An interface as far as it is sampled. */
export interface SampledLink {
  readonly interfaceName: string;
  readonly linkDriver: { snapshot(): ReadinessSnapshot };
  readonly addresses: { observe(): readonly ObservedAddress[] };
}

/** All instances, and the links that they are on. */
export function sampleAll(
  instances: Iterable<SampledInstance>,
  links: Iterable<SampledLink>,
  now: Micros,
): Pick<Sample, 'instances' | 'links'> {
  const all = [...instances];
  const sampled = [...links].map((link) => {
    const readiness = link.linkDriver.snapshot();
    const present = new Set(link.addresses.observe().map(({ address }) => address));
    const members = all.filter((instance) => instance.isOn(link));
    return {
      link: sampleLink(link.interfaceName, readiness),
      members: members.map((instance) => sampleInstance(instance, readiness, present, now)),
    };
  });
  return {
    instances: sampled.flatMap(({ members }) => members),
    links: sampled.map(({ link }) => link),
  };
}

function sampleInstance(
  instance: SampledInstance,
  readiness: ReadinessSnapshot,
  present: ReadonlySet<Ipv4>,
  now: Micros,
): InstanceSample {
  const { config, source, record } = instance;
  const { name, interfaceName, vhid, address } = config;
  const election = instance.snapshot();
  const link = readiness.instances.find((one) => one.name === name);
  return {
    labels: instanceLabels({ name, interface: interfaceName, vhid }),
    vip: formatIpv4(address.ip),
    source: source === undefined ? undefined : formatIpv4(source),
    state: election.state,
    inDoubt: election.inDoubt,
    maintenanceSinceMs: record.maintenance && Date.parse(record.maintenance.since),
    // The clock has run before the process started: 0 is what it is before the first change.
    lastTransitionAt: election.stateSince === 0 ? undefined : election.stateSince,
    lastAdvertAt: link?.lastAdvert?.at,
    peers: record.peers
      .all(now)
      .map((peer) => ({ address: formatIpv4(peer.address), interval: peer.interval })),
    standbys: instance.standbys.flatMap(({ address, answers }) =>
      answers === undefined ? [] : [{ address: formatIpv4(address), answers }],
    ),
    gateOpen: link?.gate.open ?? false,
    vipPresent: present.has(address.ip),
    effectiveAdvskew: election.effectiveAdvskew,
  };
}

function sampleLink(name: string, readiness: ReadinessSnapshot): LinkSample {
  const { conditions, evidence, verdict, ports } = readiness;
  return {
    interface: name,
    ready: verdict.state === 'ready',
    conditions: {
      carrier: isSatisfied(conditions.carrier),
      lacp: isSatisfied(conditions.lacp),
      frames: isSatisfied(conditions.frames),
    },
    evidenceAt: new Map(evidence.map(({ kind, latest }) => [kind, latest.at])),
    ports: ports.map((port) => ({ name: port.name, ready: port.status === 'met' })),
  };
}

function isSatisfied({ status }: Condition): boolean {
  return status === 'met' || status === 'not-applicable';
}
