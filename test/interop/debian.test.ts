// carpd's commands installed by symlinks, as the README has it; `ucarp` in the place of Debian's:
// under ifupdown with the hook of the ucarp package as it is, and with its lines in syslog. Needs
// root, namespaces, and the packages ucarp and ifupdown.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Capture } from '../../lab/capture.ts';
import type { Child } from '../../lab/child.ts';
import { frontEndsIn } from '../../lab/front-ends.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startPing, whoHolds } from '../../lab/vip.ts';
import { eventually, sparsely, throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const OURS = fileURLToPath(new URL('../../dist/ucarp.js', import.meta.url));
const DEBIAN_HOOK = '/etc/network/if-up.d/ucarp';
const OUR_HOOK = fileURLToPath(new URL('../../packaging/ucarp/if-up', import.meta.url));
const COMMAND_MS = 15_000;
const skip = (await labSkipReason()) || toolSkipReason();

describe('in the place of /usr/sbin/ucarp', { skip, concurrency: true }, () => {
  test('ifup starts one process, ifdown ends it, ifup starts one again', async (t) => {
    const { lab, host, run } = await debianHost(t);
    await run('ifup', 'eth0');
    await serves(lab, host);
    await run('ifdown', 'eth0');
    const gone = async (): Promise<boolean> => (await frontEndsIn(host)).length === 0;
    await eventually(gone, {
      withinMs: COMMAND_MS,
      what: 'the daemon to end',
      detail: () => lab.report(),
    });
    deepEqual(await whoHolds([host], VIP), []);
    await run('ifup', 'eth0');
    await serves(lab, host);
  });

  test('ifdown and ifup without a pause leave one process and the VIP', async (t) => {
    const { lab, host, run } = await debianHost(t);
    await run('ifup', 'eth0');
    await serves(lab, host);
    await run('ifdown', 'eth0');
    await run('ifup', 'eth0');
    await serves(lab, host);
    const one = async (): Promise<boolean> => (await frontEndsIn(host)).length === 1;
    await throughout(sparsely(250, one), {
      forMs: 3_000,
      what: 'one process',
      detail: () => lab.report(),
    });
  });

  for (const [whose, hook] of [
    ['Debian', DEBIAN_HOOK],
    ['carpd', OUR_HOOK],
  ] as const) {
    test(`the hook of ${whose}, run twice, leaves the one daemon undisturbed`, async (t) => {
      const { lab, host, runHook } = await debianHost(t);
      await host.ip('addr', 'add', '10.77.0.1/24', 'dev', 'eth0');
      await host.linkUp();
      equal((await runHook(hook, '10.77.0.1')).exited?.code, 0);
      await serves(lab, host);
      const before = await frontEndsIn(host);
      const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
      const second = await runHook(hook, '10.77.0.1');
      match(second.tail(), new RegExp(`process ${String(before[0])} \\(ucarp\\) serves vhid 7`));
      deepEqual(await frontEndsIn(host), before);
      deepEqual(await whoHolds([host], VIP), [host]);
      await seen.advert(3, {}, COMMAND_MS);
      ok(
        seen.adverts().every(({ advert }) => advert.advbase === 1),
        'no bow-out',
      );
    });

    test(`the hook of ${whose} works without an address, as under DHCP`, async (t) => {
      const { lab, host, runHook } = await debianHost(t);
      await host.ip('addr', 'add', '10.77.0.1/24', 'dev', 'eth0');
      await host.linkUp();
      const child = await runHook(hook, '');
      equal(child.exited?.code, 0, child.tail());
      await serves(lab, host);
      const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
      await seen.advert(1, { source: '10.77.0.1' }, COMMAND_MS);
    });
  }

  test('ifup reports it when the daemon can not be set up', async (t) => {
    const { host, run } = await debianHost(t, 'ucarp-advbase 256');
    const child = await run('ifup', 'eth0', 1);
    match(child.tail(), /ucarp: .*256/);
    deepEqual(await frontEndsIn(host), []);
  });
});

describe('installed by symlinks', { skip }, () => {
  test('carpd and ucarp run as commands from anywhere; carpd goes by its name', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const folder = join(lab.directory, 'bin');
    mkdirSync(folder);
    for (const [name, file] of [
      ['carpd', 'main.js'],
      ['ucarp', 'ucarp.js'],
    ] as const) {
      symlinkSync(join(dirname(OURS), file), join(folder, name));
    }
    const env = { PATH: `${folder}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
    const help = host.spawn(['ucarp', '-h'], { env, cwd: '/' });
    equal((await help.ended(COMMAND_MS)).code, 0, help.tail());
    match(help.tail(100), /--srcip/);
    const config = join(lab.directory, 'carpd.yaml');
    writeFileSync(config, CONFIG, { mode: 0o600 });
    const daemon = host.spawn(['carpd', 'run', '--config', config], { env, cwd: '/' });
    await daemon.line(/daemon-started/, COMMAND_MS);
    equal(readFileSync(`/proc/${daemon.pid}/comm`, 'utf8'), 'carpd\n');
    const shown = readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8');
    ok(shown.includes(`run\0--config\0${config}`), `not the arguments as they were: ${shown}`);
    equal((await daemon.stop()).code, 0, daemon.tail());
  });
});

describe('syslog', { skip, concurrency: true }, () => {
  for (const [facility, number] of [
    ['daemon', 3],
    ['LOCAL5', 21],
  ] as const) {
    test(`gets every line under the facility ${facility}`, async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('a', '10.77.0.1/24');
      const socket = join(lab.directory, 'syslog');
      const listener = host.spawn(['python3', '-c', LISTENER, socket], { label: 'syslog' });
      await listener.line(/^ready$/, 15_000);
      const device = join(lab.directory, 'dev');
      mkdirSync(device);
      const options = ['-i', 'eth0', '-s', host.address, '-v', '7', '-p', 'pw', '-a', VIP];
      const ours = ['-r', '1', '-f', facility, '-D', '--gate=off'];
      const words = [process.execPath, OURS, ...options, ...ours];
      const daemon = host.spawn(['sh', '-euc', WITH_SYSLOG, 'sh', device, socket, ...words]);
      const info = `^<${number * 8 + 6}>[A-Z][a-z]{2} [ 0-9]\\d \\d\\d:\\d\\d:\\d\\d `;
      const ident = `ucarp\\[${daemon.pid}\\]: `;
      await listener.line(new RegExp(`${info}${ident}.*BACKUP -> MASTER`), 15_000);
      const warning = `^<${number * 8 + 4}>.*${ident}no script is called when going up`;
      await listener.line(new RegExp(warning), 15_000);
      equal((await daemon.stop()).code, 0, daemon.tail());
      await listener.line(new RegExp(`${info}${ident}stopped`), 15_000);
      ok(listener.lines.every(({ text }) => !text.includes(' -p ')));
    });
  }
});

/** A host whose ifupdown and whose /usr/sbin/ucarp are the test's own. */
async function debianHost(
  t: Parameters<typeof Lab.create>[0],
  option = '',
): Promise<{
  readonly lab: Lab;
  readonly host: Host;
  readonly run: (command: string, interfaceName: string, code?: number) => Promise<Child>;
  /** Runs a hook as ifup does, for a stanza of eth0 with this address. */
  readonly runHook: (hook: string, address: string) => Promise<Child>;
}> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  // The hook knows nothing of the gate, so it is on: somebody has to be there for it to open.
  startPing(await lab.host('c', '10.77.0.50/24'), VIP);
  await host.ip('addr', 'flush', 'dev', 'eth0');
  await host.linkDown();
  const file = (name: string, text: string, mode: number): void =>
    writeFileSync(join(lab.directory, name), text, { mode });
  file('interfaces', interfaces(option), 0o600);
  for (const name of ['network', 'if-up.d', 'empty', 'sbin', 'real', 'local'])
    mkdirSync(join(lab.directory, name));
  file('if-up.d/ucarp', readFileSync(DEBIAN_HOOK, 'utf8'), 0o755);
  const run = async (command: string, interfaceName: string, code = 0): Promise<Child> => {
    const files = [lab.directory, process.execPath, OURS];
    const words = ['sh', '-euc', WITH_NETWORK, 'sh', ...files, command, interfaceName];
    const child = host.spawn(words, { label: `${command} ${interfaceName}` });
    equal((await child.ended(COMMAND_MS)).code, code, child.tail());
    return child;
  };
  const runHook = async (hook: string, address: string): Promise<Child> => {
    // Debian's hook, where there is one, does the work of ours.
    rmSync(join(lab.directory, 'if-up.d/ucarp'), { force: true });
    file('hook', readFileSync(hook, 'utf8'), 0o755);
    file('vip-up', `#!/bin/sh\nip addr add ${VIP}/32 dev "$1"\n`, 0o755);
    file('vip-down', `#!/bin/sh\nip addr del ${VIP}/32 dev "$1"\n`, 0o755);
    const words = ['sh', '-euc', WITH_NETWORK, 'sh', lab.directory, process.execPath, OURS];
    const child = host.spawn(
      [...words, 'env', ...stanza(lab, address), join(lab.directory, 'hook')],
      {
        label: 'the hook',
      },
    );
    await child.ended(COMMAND_MS);
    return child;
  };
  return { lab, host, run, runHook };
}

function stanza({ directory }: Lab, address: string): readonly string[] {
  return [
    ...['IFACE=eth0', 'IF_UCARP_VID=7', `IF_UCARP_VIP=${VIP}`, 'IF_UCARP_PASSWORD=a-secret'],
    ...['IF_UCARP_DEADRATIO=1', `IF_ADDRESS=${address}`],
    ...[`IF_UCARP_UPSCRIPT=${directory}/vip-up`, `IF_UCARP_DOWNSCRIPT=${directory}/vip-down`],
  ];
}

function interfaces(option: string): string {
  return `iface eth0 inet static
    address 10.77.0.1/24
    ucarp-vid 7
    ucarp-vip ${VIP}
    ucarp-password a-secret
    ucarp-deadratio 1
    ${option}

iface eth0:ucarp inet static
    address ${VIP}/32
`;
}

/** Waits until one daemon runs and the host has the VIP. */
async function serves(lab: Lab, host: Host): Promise<void> {
  const detail = (): string => lab.report();
  const holds = async (): Promise<boolean> => (await whoHolds([host], VIP)).length === 1;
  await eventually(holds, { withinMs: COMMAND_MS, what: 'the VIP', detail });
  const one = async (): Promise<boolean> => (await frontEndsIn(host)).length === 1;
  await eventually(one, { withinMs: 15_000, what: 'one process', detail });
}

function toolSkipReason(): string | false {
  for (const file of [DEBIAN_HOOK, '/usr/share/ucarp/vip-up', '/usr/sbin/ucarp']) {
    if (!existsSync(file)) return `${file} is missing: apt-get install ucarp`;
  }
  return existsSync('/etc/network/interfaces') ? false : 'ifupdown is not installed';
}

const CONFIG = `instances:
  a: { interface: eth0, vhid: 7, address: ${VIP}/24, passphrase: a-secret }
`;

// Mounts are seen by this command alone: `ip netns exec` gives every command mounts of its own.
// ifup looks for programs in the usual places only, beginning with /usr/local/sbin.
const WITH_NETWORK = `
directory=$1; node=$2; ours=$3; shift 3
mount --bind /usr/sbin "$directory/real"
cp -rsf "$directory/real/." "$directory/sbin"
ln -sf "$ours" "$directory/sbin/ucarp"
mount --bind "$directory/sbin" /usr/sbin
ln -sf "$node" "$directory/local/node"
mount --bind "$directory/local" /usr/local/sbin
mount --bind "$directory/interfaces" /etc/network/interfaces
mount --bind "$directory/if-up.d" /etc/network/if-up.d
mount --bind "$directory/empty" /etc/network/if-down.d
mkdir -p /run/network
mount --bind "$directory/network" /run/network
exec "$@"
`;

const WITH_SYSLOG = `
device=$1; log=$2; shift 2
mount -t tmpfs dev "$device"
for file in null zero random urandom; do
  : >"$device/$file"
  mount --bind "/dev/$file" "$device/$file"
done
ln -s /proc/self/fd "$device/fd"
ln -s "$log" "$device/log"
mount --rbind "$device" /dev
exec "$@"
`;

const LISTENER = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print('ready', flush=True)
while True:
    print(listener.recv(9000).decode(), flush=True)
`;
