// The last resort when carpd finds a fault in itself: take the addresses off, synchronously, since
// nothing of the event loop can be trusted any more.
import { spawnSync } from 'node:child_process';
import { formatIpv4 } from '../carp/addresses.ts';
import { keepDescriptorsFromChildren } from '../linux/native.ts';
import { spareDescriptors } from '../linux/spare-descriptors.ts';
import type { Holding } from './custody.ts';

const TIMEOUT_MS = 2_000;

/**
 * Removes virtual IPs by `ip` and runs the down hooks that are owed; failures change nothing. The
 * sockets should be closed by now: the fault may be that no descriptor is left to start `ip` with.
 */
export function releaseAtOnce(
  holdings: readonly Holding[],
  env: Readonly<Record<string, string>>,
): void {
  spareDescriptors.release();
  keepDescriptorsFromChildren();
  for (const { config, address, downHook } of holdings) {
    const { interfaceName, hooks } = config;
    const ip = formatIpv4(config.address.ip);
    const prefixed = `${ip}/${config.address.prefixLength}`;
    if (address) run(['ip', 'addr', 'del', prefixed, 'dev', interfaceName], env);
    const extra = hooks.xparam === undefined ? [] : [hooks.xparam];
    if (downHook && hooks.down.length > 0) run([...hooks.down, interfaceName, ip, ...extra], env);
  }
}

function run([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>>) {
  spawnSync(program, args, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', stdio: 'ignore', env });
}
