// The last resort when carpd finds a fault in itself: take the addresses off, synchronously, since
// nothing of the event loop can be trusted any more.
import { spawnSync } from 'node:child_process';
import { formatIpv4 } from '../carp/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';

const TIMEOUT_MS = 2_000;

/** Removes the virtual IPs of `masters`, by `ip` or by the down hook; failures change nothing. */
export function releaseAtOnce(
  masters: readonly InstanceConfig[],
  env: Readonly<Record<string, string>>,
): void {
  for (const { address, interfaceName, manageAddress, hooks } of masters) {
    const ip = formatIpv4(address.ip);
    const extra = hooks.xparam === undefined ? [] : [hooks.xparam];
    const [program, ...args] = manageAddress
      ? ['ip', 'addr', 'del', `${ip}/${address.prefixLength}`, 'dev', interfaceName]
      : [...hooks.down, interfaceName, ip, ...extra];
    if (program === undefined) continue;
    spawnSync(program, args, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', stdio: 'ignore', env });
  }
}
