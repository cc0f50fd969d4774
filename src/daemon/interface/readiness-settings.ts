// What the readiness of a link has to know of an instance, from its configuration.
import { fromMillis } from '../../base/time.ts';
import type { Ipv4 } from '../../base/addresses.ts';
import type { InstanceConfig } from '../../config/config.ts';
import { advertInterval, masterDownInterval } from '../../election/cadence.ts';
import type { InstanceSettings } from '../../readiness/inputs.ts';

/** An instance with its address of the moment. */
export interface ReadinessSource {
  readonly config: InstanceConfig;
  /** The source its adverts bear now, once it has one. */
  readonly source: Ipv4 | undefined;
}

/** `gateways`: the next hops that the word `gateway` stands for now. */
export function readinessSettings(
  { config, source }: ReadinessSource,
  gateways: readonly Ipv4[],
): InstanceSettings {
  const { gate, peers } = config;
  const targets = gate.probe.targets.flatMap((target) =>
    target === 'gateway' ? gateways : target,
  );
  return {
    name: config.name,
    vip: config.address.ip,
    source,
    deadInterval: masterDownInterval(config),
    advertInterval: advertInterval(config),
    gate: {
      policy: gate.policy,
      promoteAfter: fromMillis(gate.promoteAfterMs),
      requireProbe: gate.requireProbe,
      ignoreLinkState: config.ignoreLinkState,
    },
    vipInUse: gate.vipInUse,
    targets: [...new Set([...targets, ...peers])],
    probeInterval: fromMillis(gate.probe.intervalMs),
    preempt: config.preempt,
  };
}

/** The uplinks that the instances of one interface name together. */
export function uplinksOf(instances: readonly ReadinessSource[]): 'auto' | readonly string[] {
  const named = instances.flatMap(({ config: { gate } }) =>
    gate.uplinks === 'auto' ? [] : gate.uplinks,
  );
  return named.length === 0 ? 'auto' : [...new Set(named)].sort();
}

/** Whether it probes the next hops of its interface. */
export function wantsGateways({ config }: ReadinessSource): boolean {
  return config.gate.probe.targets.includes('gateway');
}
