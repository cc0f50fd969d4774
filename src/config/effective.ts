// The effective configuration as a user may read it: every key with its value, defaults included,
// durations as text, secrets redacted.
import { stringify } from 'yaml';
import { formatIpv4 } from '../base/addresses.ts';
import type { Config, GateConfig, InstanceConfig } from './config.ts';
import { formatDuration } from './values.ts';

/** A plain object in the layout of the file; `passphrase` reads "[redacted]" and names its file. */
export function effectiveConfig(config: Config): Record<string, unknown> {
  return {
    log: { ...config.log },
    metrics: { listen: config.metrics.listen?.text ?? 'off' },
    control: {
      socket: config.control.socket ?? 'off',
      ...(config.control.unixGroup === undefined ? {} : { group: config.control.unixGroup }),
    },
    state: { directory: config.state.directory ?? 'off' },
    instances: Object.fromEntries(
      config.instances.map((instance) => [instance.name, effectiveInstance(instance)]),
    ),
  };
}

/** The same as text that ends with a line feed. */
export function formatEffective(config: Config, format: 'yaml' | 'json'): string {
  const effective = effectiveConfig(config);
  return format === 'yaml' ? stringify(effective) : `${JSON.stringify(effective, null, 2)}\n`;
}

function effectiveInstance(instance: InstanceConfig): Record<string, unknown> {
  const { address, source, hooks, announce, peers, gate } = instance;
  return {
    interface: instance.interfaceName,
    vhid: instance.vhid,
    address: `${formatIpv4(address.ip)}/${String(address.prefixLength)}`,
    ...(source === undefined ? {} : { source: formatIpv4(source) }),
    passphrase: instance.passphrase.shown,
    advbase: instance.advbase,
    advskew: instance.advskew,
    deadRatio: instance.deadRatio,
    preempt: instance.preempt,
    neutral: instance.neutral,
    ignoreLinkState: instance.ignoreLinkState,
    multicastGroup: formatIpv4(instance.destination),
    broadcast: instance.broadcast,
    manageAddress: instance.manageAddress,
    hooks: {
      up: [...hooks.up],
      down: [...hooks.down],
      timeout: formatDuration(hooks.timeoutMs),
      xparam: hooks.xparam ?? '',
    },
    announce: {
      burst: announce.burst,
      interval: formatDuration(announce.intervalMs),
      refresh: announce.refreshMs === undefined ? 'off' : formatDuration(announce.refreshMs),
    },
    peers: peers.map(formatIpv4),
    gate: effectiveGate(gate),
  };
}

function effectiveGate(gate: GateConfig): Record<string, unknown> {
  const { policy, promoteAfterMs, probe, requireProbe, vipInUse, uplinks } = gate;
  return {
    policy,
    promoteAfter: formatDuration(promoteAfterMs),
    probe: {
      targets: probe.targets.map((target) => (target === 'gateway' ? target : formatIpv4(target))),
      interval: formatDuration(probe.intervalMs),
    },
    requireProbe,
    vipInUse,
    uplinks: uplinks === 'auto' ? uplinks : [...uplinks],
  };
}
