// What the readiness of a link has to know of an instance, from its configuration.
import { fromMillis } from '../base/time.ts';
import { isBowOut, type Advert } from '../carp/advert.ts';
import { formatIpv4, type Ipv4 } from '../carp/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import { advertInterval, masterDownInterval } from '../election/cadence.ts';
import type { State } from '../election/effects.ts';
import type { AdvertHeard, InstanceSettings, Role } from '../readiness/inputs.ts';
import type { Heard } from './second-ear.ts';

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

/** What an advert that an instance has heard is to the gate of its link. */
export function advertForGate(
  name: string,
  from: Ipv4,
  advert: Advert,
  { epoch, by, keptBy }: Heard,
): Omit<AdvertHeard, 'kind'> {
  return {
    name,
    from: formatIpv4(from),
    interval: advertInterval(advert),
    leaving: isBowOut(advert),
    epoch,
    heardBy: by,
    keptBy,
  };
}
