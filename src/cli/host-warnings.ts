// Where a valid configuration does not fit this host: an interface that is not there, a virtual IP
// outside the network of the source. These are warnings, since the file may be for another host.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { formatIpv4, parseIpv4, samePrefix } from '../base/addresses.ts';
import type { Config, InstanceConfig, PrefixedAddress } from '../config/config.ts';
import type { Fault } from '../config/load.ts';

/** What of this host the warnings rest on. */
export interface HostView {
  /** Under this name, or this alternative name. */
  hasInterface(name: string): boolean;
  /** Its IPv4 addresses; none where it is down. */
  addressesOf(name: string): readonly PrefixedAddress[];
}

/** The host that this process runs on. */
export const THIS_HOST: HostView = {
  hasInterface: (name) =>
    existsSync(join('/sys/class/net', name)) ||
    spawnSync('ip', ['link', 'show', 'dev', name], { stdio: 'ignore' }).status === 0,
  addressesOf: (name) =>
    (networkInterfaces()[name] ?? []).flatMap(({ family, cidr }) => {
      const [address = '', prefix = ''] = cidr?.split('/') ?? [];
      const ip = family === 'IPv4' ? parseIpv4(address) : undefined;
      return ip === undefined ? [] : [{ ip, prefixLength: Number(prefix) }];
    }),
};

/** What of the instances does not fit this host, as warnings about keys of the file. */
export function hostWarnings({ instances }: Config, host: HostView): readonly Fault[] {
  const virtual = new Set(instances.map(({ address }) => address.ip));
  return instances.flatMap((instance) => {
    const { name, interfaceName } = instance;
    const path = `instances.${name}.`;
    if (!host.hasInterface(interfaceName)) {
      const message = `this host has no interface ${interfaceName} now; carpd would wait for it`;
      return [{ path: `${path}interface`, message }];
    }
    const own = host.addressesOf(interfaceName).filter(({ ip }) => !virtual.has(ip));
    const message = outside(instance, own);
    return message === undefined ? [] : [{ path: `${path}address`, message }];
  });
}

/** Why neighbours would not find the virtual IP; undefined: they do, or nothing is known. */
function outside(
  { address, source, interfaceName }: InstanceConfig,
  own: readonly PrefixedAddress[],
): string | undefined {
  const sources = own.filter(({ ip }) => source === undefined || ip === source);
  if (sources.length === 0) return undefined;
  if (sources.some(({ ip, prefixLength }) => samePrefix(ip, address.ip, prefixLength))) {
    return undefined;
  }
  const known = sources.map(({ ip, prefixLength }) => `${formatIpv4(ip)}/${prefixLength}`);
  return (
    `${formatIpv4(address.ip)} is not in the network of ${known.join(' or ')} on ` +
    `${interfaceName}: hosts there reach it only by a route of their own`
  );
}
