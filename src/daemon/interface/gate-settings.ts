// What the readiness of a link has to know of an instance, from its configuration.
import { fromMillis } from '../../base/time.ts';
import { isBowOut, type Advert } from '../../carp/advert.ts';
import { formatIpv4, parseIpv4, type Ipv4 } from '../../carp/addresses.ts';
import type { InstanceConfig } from '../../config/config.ts';
import { UNHEARD_ADVSKEW } from '../../election/bid.ts';
import { advertInterval, masterDownInterval } from '../../election/cadence.ts';
import type { State } from '../../election/effects.ts';
import type { DoubtCause } from '../../readiness/doubt.ts';
import type { GateVerdict } from '../../readiness/gate.ts';
import type { AdvertHeard, InstanceSettings, Role } from '../../readiness/inputs.ts';
import type { Trust } from '../../readiness/path-trust.ts';
import type { Warning } from '../../readiness/reasons.ts';
import type { Heard } from './advert-merge.ts';

/** What a state means to the readiness of the link. */
export const ROLES = {
  INIT: 'inactive',
  HELD: 'waiting',
  BACKUP: 'waiting',
  MASTER: 'master',
} as const satisfies Record<State, Role>;

/** An instance with its address of the moment. */
export interface Gated {
  readonly config: InstanceConfig;
  /** The source its adverts bear now, once it has one. */
  readonly source: Ipv4 | undefined;
}

/** An instance as the gate of its interface sees it. */
export interface GatedInstance extends Gated {
  readonly name: string;
  gateChanged(gate: GateVerdict, warnings: readonly Warning[]): void;
  /** `cause` is undefined when the doubt ends. */
  doubtChanged(cause: DoubtCause | undefined): void;
  pathChanged(trust: Trust): void;
  /** The address of this master is at another MAC address, and nobody else serves it. */
  macChanged(): void;
  /** Comes about every second. */
  remindHeld(): void;
}

/** `gateways`: the next hops that the word `gateway` stands for now. */
export function gateSettings(
  { config, source }: Gated,
  gateways: readonly string[],
): InstanceSettings {
  const { gate, peers } = config;
  const targets = gate.probe.targets.flatMap((target) =>
    target === 'gateway' ? gateways : formatIpv4(target),
  );
  return {
    name: config.name,
    vip: formatIpv4(config.address.ip),
    source: source === undefined ? undefined : formatIpv4(source),
    deadInterval: masterDownInterval(config),
    advertInterval: advertInterval(config),
    gate: {
      policy: gate.policy,
      promoteAfter: fromMillis(gate.promoteAfterMs),
      requireProbe: gate.requireProbe,
      ignoreLinkState: config.ignoreLinkState,
    },
    vipInUse: gate.vipInUse,
    targets: [...new Set([...targets, ...peers.map(formatIpv4)])],
    probeInterval: fromMillis(gate.probe.intervalMs),
    preempt: config.preempt,
  };
}

/** The uplinks that the instances of one interface name together. */
export function uplinksOf(instances: readonly Gated[]): 'auto' | readonly string[] {
  const named = instances.flatMap(({ config: { gate } }) =>
    gate.uplinks === 'auto' ? [] : gate.uplinks,
  );
  return named.length === 0 ? 'auto' : [...new Set(named)].sort();
}

/** Those of these texts that are IPv4 addresses. */
export function ipv4sOf(addresses: readonly string[]): readonly Ipv4[] {
  return addresses.flatMap((address) => parseIpv4(address) ?? []);
}

/** Whether it probes the next hops of its interface. */
export function wantsGateways({ config }: Gated): boolean {
  return config.gate.probe.targets.includes('gateway');
}

/** `throughUplink` undefined: nobody watched where it came in. */
export type HeardForGate = Omit<AdvertHeard, 'kind' | 'throughUplink'> &
  Pick<Heard, 'throughUplink'>;

/** What an advert that an instance has heard is to the gate of its link. */
export function advertForGate(
  name: string,
  from: Ipv4,
  advert: Advert,
  { epoch, by, throughUplink, keptBy }: Heard,
): HeardForGate {
  return {
    name,
    from: formatIpv4(from),
    interval: advertInterval(advert),
    leaving: isBowOut(advert),
    doubting: advert.advskew >= UNHEARD_ADVSKEW,
    epoch,
    heardBy: by,
    throughUplink,
    keptBy,
  };
}
