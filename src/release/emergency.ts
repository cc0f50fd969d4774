// The last resort when carpd finds a fault in itself: take the addresses off, synchronously, since
// nothing of the event loop can be trusted any more.
import { spawnSync } from 'node:child_process';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import { keepDescriptorsFromChildren } from '../linux/sockets/native.ts';
import { spareDescriptors } from '../linux/system/spare-descriptors.ts';
import { IP_BATCH } from '../vip/ip-outcome.ts';
import {
  commandLine,
  deletion,
  deviceWord,
  type AddressCommand,
  type DeviceName,
  type Vip,
} from '../vip/plan.ts';
import { lossesBetween, restoreCommand } from '../vip/plan-losses.ts';
import {
  findDevice,
  missingRoutes,
  readAddresses,
  SHOW_ADDRESSES,
  SHOW_ROUTES,
} from '../vip/plan-routes.ts';
import type { Holding } from './holding.ts';

type Env = Readonly<Record<string, string>>;

const TIMEOUT_MS = 2_000;
const OUTPUT_BYTES_MAX = 4 * 1_048_576;

/**
 * Removes virtual IPs by `ip`, puts back what the kernel took along with them, and runs the down
 * hooks that are owed; failures change nothing. The sockets should be closed by now: the fault may
 * be that no descriptor is left to start `ip` with.
 */
export function releaseAtOnce(holdings: readonly Holding[], env: Env): void {
  spareDescriptors.release();
  keepDescriptorsFromChildren();
  const shown = run(SHOW_ADDRESSES, env);
  const held = holdings.filter(({ address }) => address);
  const places = held.map(({ config, ifindex }) => {
    const known = { name: config.interfaceName, ifindex };
    const { ip: address, prefixLength } = config.address;
    return { device: findDevice(shown, known) ?? known, vip: { address, prefixLength } };
  });
  for (const device of new Map(places.map((one) => [one.device.name, one.device])).values()) {
    const on = places.filter((one) => one.device.name === device.name);
    removeFrom(
      device,
      on.map(({ vip }) => vip),
      env,
    );
  }
  for (const { config, downHook } of holdings) {
    const { interfaceName, hooks, address } = config;
    const extra = hooks.xparam === undefined ? [] : [hooks.xparam];
    const words = [...hooks.down, interfaceName, formatIpv4(address.ip), ...extra];
    if (downHook && hooks.down.length > 0) run(words, env);
  }
}

/**
 * There is nobody to hear what the kernel tells meanwhile, so what was taken along is what is there
 * before and not after. A virtual IP goes with the prefix length that it really has.
 */
function removeFrom(device: DeviceName, vips: readonly Vip[], env: Env): void {
  const ours: ReadonlySet<Ipv4> = new Set(vips.map(({ address }) => address));
  const { name } = device;
  const before = readAddresses(run(SHOW_ADDRESSES, env), name);
  const there = before.filter(({ address }) => ours.has(address));
  const routes = run(SHOW_ROUTES, env);
  const change = (commands: readonly AddressCommand[]): void => {
    const lines = commands.map((command) => `${commandLine(command, deviceWord(device))}\n`);
    if (lines.length > 0) run(IP_BATCH, env, lines.join(''));
  };
  const deleted = before.length === 0 ? vips : there;
  change(deleted.map(deletion));
  const left = readAddresses(run(SHOW_ADDRESSES, env), name);
  const losses = lossesBetween(before, left, deleted);
  if (losses.length === 0) return;
  change(losses.map(({ lost }) => restoreCommand(lost, name)));
  const lines = missingRoutes(routes, run(SHOW_ROUTES, env), device, ours);
  if (lines.length > 0) run(IP_BATCH, env, `${lines.join('\n')}\n`);
}

/** What it wrote; "" where it could not be run or did not end in time. */
function run([program = '', ...args]: readonly string[], env: Env, input = ''): string {
  const { stdout } = spawnSync(program, args, {
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: OUTPUT_BYTES_MAX,
    encoding: 'utf8',
    input,
    env,
  });
  // Null where it could not be started, whatever the types say.
  return typeof stdout === 'string' ? stdout : '';
}
