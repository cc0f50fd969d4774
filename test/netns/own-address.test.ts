// The host's own address behind a virtual IP that is the first of their prefix: it stays as it was,
// with everything that hangs on it, however the virtual IP goes. And a virtual IP that somebody
// takes off a host that is alone. Needs root and namespaces.
import { deepEqual, equal, match } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { parseIpv4 } from '../../src/base/addresses.ts';
import { carpdArgv, runCarpd } from '../../lab/carpd-command.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { carpdConfigFile, startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const OWN = '10.77.0.1/24';
const CONFIG = { address: `${VIP}/24`, hooks: {} };
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1, config: CONFIG };
const WITHIN_MS = 30_000;
/** As it is run. */
const EMERGENCY = new URL('../../dist/release/emergency.js', import.meta.url).href;
const skip = await labSkipReason();

describe('the own address behind a virtual IP', { skip, concurrency: 2 }, () => {
  for (const promote of [0, 1]) {
    test(`stays as it was at the start, promote_secondaries ${promote}`, async (t) => {
      const host = await hostBehindVip(t, promote);
      const before = await everything(host);
      const peer = startCarpd(host, GROUP);
      await logEntry(peer, { event: 'vip-stale' }, WITHIN_MS);
      await peer.waitFor('MASTER', WITHIN_MS);
      equal((await peer.stop()).code, 0, peer.child.tail());
      equal(await holds(host, VIP), false);
      deepEqual(await everything(host), before);
      match(before.addresses, /broadcast 10\.77\.0\.255|brd 10\.77\.0\.255/);
      const taken = logEntries(peer, { event: 'addresses-taken-along' });
      deepEqual(taken, [], 'nothing was taken along');
      equal(await setting(host), String(promote), 'the setting is put back');
    });
  }

  test('stays as it was by carpd release', async (t) => {
    const host = await hostBehindVip(t, 0);
    const before = await everything(host);
    const peer = startCarpd(host, GROUP);
    await peer.waitFor('MASTER', WITHIN_MS);
    await peer.kill();
    await makeFirst(host);
    const { code, stderr } = await runCarpd(host, ['release', '--config', carpdConfigFile(host)]);
    equal(code, 0, stderr);
    equal(await holds(host, VIP), false);
    deepEqual(await everything(host), before);
    equal(await setting(host), '0');
  });

  test('is put back with its routes where the setting may not be made', async (t) => {
    const host = await hostBehindVip(t, 0);
    const before = await everything(host);
    const { unprivileged, file } = whoMayOnlyRunIp(host);
    const said = await host.exec([...unprivileged, ...carpdArgv('release', '--config', file)]);
    match(said, /vip: the kernel removed 10\.77\.0\.1 with it; they were put back/);
    equal(await holds(host, VIP), false);
    deepEqual(await everything(host), before);
    equal(await setting(host), '0');
  });

  test('stays as it was by the last resort, and so does another virtual IP', async (t) => {
    const host = await hostBehindVip(t, 0);
    await host.ip('addr', 'add', '10.77.0.101/24', 'dev', 'eth0');
    const before = await everything(host);
    const [ip, other] = [VIP, '10.77.0.101'].map(parseIpv4);
    await lastResort(host, [ip, other], 'eth0', 24);
    deepEqual([await holds(host, VIP), await holds(host, '10.77.0.101')], [false, false]);
    deepEqual(await everything(host), before);
  });

  test('goes by the last resort as it is there, whatever its name and prefix length', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', OWN);
    await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
    await host.ip('link', 'set', 'dev', 'eth0', 'name', 'wan0');
    await host.ip('link', 'add', 'eth0', 'type', 'veth');
    await lastResort(host, [parseIpv4(VIP)], 'eth0', 32, await indexOf(host, 'wan0'));
    deepEqual([await holds(host, VIP), await holds(host, '10.77.0.1')], [false, true]);
  });

  for (const name of ['e"t#0', "e't$0;", 'e\\t0']) {
    test(`stays by the last resort, with its routes, on an interface called ${name}`, async (t) => {
      const host = await hostBehindVip(t, 0);
      await host.ip('link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp6s18');
      await host.ip('link', 'set', 'dev', 'eth0', 'name', name);
      const before = await everything(host, name);
      const index = await indexOf(host, name);
      await lastResort(host, [parseIpv4(VIP)], 'eth0', 24, index);
      equal(await holds(host, VIP), false);
      const after = await everything(host, name);
      equal(after.routes, before.routes);
      match(after.addresses, /10\.77\.0\.1\/24 brd 10\.77\.0\.255/);
      await host.ip('addr', 'add', `${VIP}/24`, 'dev', name);
      await lastResort(host, [parseIpv4(VIP)], 'enp6s18', 24);
      equal(await holds(host, VIP), false, 'by its alternative name');
    });
  }

  test('is not lost while somebody renews it', async (t) => {
    const host = await hostBehindVip(t, 0);
    const renewal = `ip addr replace ${OWN} broadcast + valid_lft 3000 preferred_lft 2000 dev eth0`;
    const loop = host.spawn(['sh', '-c', `while :; do ${renewal}; done`], {
      label: 'a DHCP client',
    });
    const peer = startCarpd(host, GROUP);
    await logEntry(peer, { event: 'vip-stale' }, WITHIN_MS);
    await peer.waitFor('MASTER', WITHIN_MS);
    equal((await peer.stop()).code, 0, peer.child.tail());
    equal(await holds(host, VIP), false);
    match((await everything(host)).routes, /default via 10\.77\.0\.250/);
    await loop.stop('SIGTERM');
    equal(await holds(host, '10.77.0.1'), true);
  });
});

describe('a host that is alone', { skip }, () => {
  test('puts a virtual IP back at once that is taken off again and again', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', OWN);
    const peer = startCarpd(host, GROUP);
    await peer.waitFor('MASTER', WITHIN_MS);
    // What is taken off before carpd has seen it there was never put on, as far as carpd knows.
    await peer.child.line(/"vip-added"/, WITHIN_MS);
    for (let times = 1; times <= 7; times += 1) {
      await host.ip('addr', 'del', `${VIP}/24`, 'dev', 'eth0');
      const restored = (): boolean =>
        logEntries(peer, { event: 'vip-restored', level: 'warn' }).length === times;
      await eventually(restored, { withinMs: 15_000, what: `it back, time ${times}` });
      equal(await holds(host, VIP), true);
    }
    deepEqual(logEntries(peer, { event: ['vip-failed', 'step-down-stuck'] }), []);
    equal(peer.transitions.length, peer.transitions.findIndex(({ to }) => to === 'MASTER') + 1);
    equal((await peer.stop()).code, 0, peer.child.tail());
  });
});

/**
 * A process without any capability, whose `ip` has one by its file: so rtnetlink refuses what the
 * process itself asks for. The configuration is for that process to read.
 */
function whoMayOnlyRunIp(host: Host): { unprivileged: readonly string[]; file: string } {
  const nobody = 65_534;
  chmodSync(host.directory, 0o755);
  const bin = join(host.directory, 'bin');
  mkdirSync(bin);
  const copied = 'cp "$(readlink -f "$(command -v ip)")" "$1/ip" && exec python3 -c "$2" "$1/ip"';
  // struct vfs_cap_data of linux/capability.h: CAP_NET_ADMIN, permitted and effective.
  const capable =
    'import os, struct, sys; ' +
    "os.setxattr(sys.argv[1], 'security.capability', " +
    "struct.pack('<5I', 0x02000001, 1 << 12, 0, 0, 0))";
  execFileSync('sh', ['-euc', copied, 'sh', bin, capable]);
  const file = join(host.directory, 'unprivileged.yaml');
  const instance = `{interface: eth0, vhid: 7, address: ${VIP}/24, passphrase: a secret}`;
  writeFileSync(file, `instances:\n  vip: ${instance}\n`, { mode: 0o600 });
  chownSync(file, nobody, nobody);
  const ids = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
  // `ip` keeps the capability of its file only where it is inheritable as well.
  const setpriv = ['setpriv', ...ids, '--inh-caps=-all,+net_admin'];
  const path = `PATH=${bin}:${process.env['PATH'] ?? ''}`;
  return { unprivileged: [...setpriv, 'env', path], file };
}

/** What carpd does where it finds a fault in itself. */
async function lastResort(
  host: Host,
  addresses: readonly (number | undefined)[],
  interfaceName: string,
  prefixLength: number,
  ifindex?: number,
): Promise<void> {
  const holdings = addresses.map((ip) => ({
    address: true,
    downHook: false,
    ifindex,
    config: { interfaceName, address: { ip, prefixLength }, hooks: { down: [] } },
  }));
  const script = `import { releaseAtOnce } from ${JSON.stringify(EMERGENCY)};
    releaseAtOnce(${JSON.stringify(holdings)}, { PATH: process.env.PATH });`;
  await host.exec([process.execPath, '--input-type=module', '-e', script]);
}

async function indexOf(host: Host, name: string): Promise<number> {
  return Number((await host.exec(['cat', `/sys/class/net/${name}/ifindex`])).trim());
}

/** The virtual IP is the first address of the interface, and the own one hangs on it. */
async function hostBehindVip(t: TestContext, promote: number): Promise<Host> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', OWN);
  await host.exec(['sysctl', '-qw', `net.ipv4.conf.eth0.promote_secondaries=${promote}`]);
  await makeFirst(host);
  return host;
}

async function makeFirst(host: Host): Promise<void> {
  await host.ip('addr', 'flush', 'dev', 'eth0');
  await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
  const lifetimes = ['valid_lft', '95000', 'preferred_lft', '85000'];
  const attributes = ['broadcast', '+', 'label', 'eth0:own', ...lifetimes];
  await host.ip('addr', 'add', OWN, 'dev', 'eth0', ...attributes);
  await host.ip('route', 'add', 'default', 'via', '10.77.0.250');
  await host.ip('route', 'add', '10.5.0.0/16', 'via', '10.77.0.251', 'src', '10.77.0.1');
}

/** The own address and the routes, without what runs on: the last digits of the lifetimes. */
async function everything(
  host: Host,
  name = 'eth0',
): Promise<{ addresses: string; routes: string }> {
  const lines = (await host.ip('-4', '-o', 'addr', 'show', 'dev', name)).split('\n');
  const addresses = lines
    .filter((line) => line.includes('10.77.0.1/'))
    .map((line) => line.replace(/(valid_lft \d)\d+sec preferred_lft (\d)\d+sec/, '$1 $2'))
    .join('\n')
    .replace(' secondary', '');
  const shown = (await host.ip('-4', 'route', 'show')).split('\n').map((line) => line.trim());
  // The source of the connected route is whatever address is the first one.
  const routes = shown.filter((line) => !line.includes('proto kernel')).sort();
  return { addresses, routes: routes.join('\n') };
}

function setting(host: Host): Promise<string> {
  const name = 'net.ipv4.conf.eth0.promote_secondaries';
  return host.exec(['sysctl', '-n', name]).then((text) => text.trim());
}
