// One group, one daemon on a host: whoever comes second disturbs nobody. Needs root and namespaces.
import { deepEqual, equal, match } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { parse, stringify } from 'yaml';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { carpdArgv, runCarpd } from '../../lab/carpd-command.ts';
import { carpdConfigFile, startCarpd, startCarpdUcarp } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const START_MS = 15_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('a second daemon with the same group', { skip, concurrency: true }, () => {
  test('by the same file: says who holds it, ends with 2, and changes nothing', async (t) => {
    const { host, peer } = await master(t);
    const before = hookCalls(peer);
    const { code, stderr } = await runCarpd(host, ['run', '--config', carpdConfigFile(host)]);
    equal(code, 2, stderr);
    match(stderr, new RegExp(`instances\\.vip: process ${String(peer.child.pid)} \\(carpd\\)`));
    match(stderr, /vhid 7 on eth0 already; stop that one first/);
    equal(await holds(host, VIP), true);
    equal(hookCalls(peer), before, 'no hook was run');
    deepEqual(
      peer.transitions.map(({ to }) => to).filter((to) => to === 'MASTER'),
      ['MASTER'],
    );
    equal((await peer.stop()).code, 0, peer.child.tail());
  });

  test('by the ucarp front end, in either order, and after the end of the first', async (t) => {
    const { host, peer } = await master(t);
    const second = startCarpdUcarp(host, GROUP);
    equal((await second.child.ended(START_MS)).code, 2, second.child.tail());
    match(second.child.tail(), /process \d+ \(carpd\) serves vhid 7/);
    equal((await peer.stop()).code, 0, peer.child.tail());
    const front = startCarpdUcarp(host, GROUP);
    await front.waitFor('MASTER', START_MS);
    const { code, stderr } = await runCarpd(host, ['run', '--config', carpdConfigFile(host)]);
    equal(code, 2, stderr);
    match(stderr, /process \d+ \(ucarp\) serves vhid 7/);
    equal(await holds(host, VIP), true);
  });

  test('killed, the first leaves no lock behind', async (t) => {
    const { host, peer } = await master(t);
    await peer.kill();
    const next = startCarpd(host, GROUP);
    await next.waitFor('MASTER', START_MS);
    equal((await next.stop()).code, 0, next.child.tail());
  });

  test('beside a stock ucarp, which holds no lock: warns of it by its number', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const stock = startUcarp(host, { ...GROUP, hooksMoveAddress: false });
    await stock.waitFor('MASTER', START_MS);
    const peer = startCarpd(host, GROUP);
    const warned = await peer.child.line(/runs vhid 7 on eth0 of this host too/, START_MS);
    match(warned.text, new RegExp(`ucarp, process ${String(stock.child.pid)},`));
    equal((await peer.stop()).code, 0, peer.child.tail());
    const front = startCarpdUcarp(host, GROUP);
    await front.child.line(/runs vhid 7 on eth0 of this host too/, START_MS);
  });

  test('in one file, by two names of the interface: says that it is an instance', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await host.ip('link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp6s18');
    const file = join(host.directory, 'names.yaml');
    const other = instance({ interface: 'enp6s18', address: '10.77.0.101/24' });
    const base = { metrics: { listen: 'off' }, control: { socket: 'off' } };
    const instances = { one: instance({}), other };
    writeFileSync(file, stringify({ ...base, instances }), { mode: 0o600 });
    const { code, stderr } = await runCarpd(host, ['run', '--config', file]);
    equal(code, 2, stderr);
    match(stderr, /instances\.other: another instance of this process serves vhid 7 on enp6s18/);
    equal(await holds(host, VIP), false);
  });

  test('with another vhid but the same virtual IP: leaves it alone, and says so', async (t) => {
    const { host, peer } = await master(t);
    const file = join(host.directory, 'same-address.yaml');
    const base = { metrics: { listen: 'off' }, control: { socket: 'off' } };
    const write = (instances: object): void =>
      writeFileSync(file, stringify({ ...base, instances }), { mode: 0o600 });
    write({ other: instance({ vhid: 8 }) });
    const { code, stderr } = await runCarpd(host, ['run', '--config', file]);
    equal(code, 2, stderr);
    match(stderr, new RegExp(`instances\\.other: process ${String(peer.child.pid)} \\(carpd\\)`));
    match(stderr, /has 10\.77\.0\.100 on eth0 as the virtual IP of another group already/);
    const released = await runCarpd(host, ['release', '--config', file]);
    equal(released.code, 1, released.stderr);
    equal(await holds(host, VIP), true);
    // In one file the two names of an interface hide it.
    await host.ip('link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp6s18');
    equal((await peer.stop()).code, 0, peer.child.tail());
    const twin = instance({ vhid: 9, interface: 'enp6s18' });
    write({ other: instance({ vhid: 8 }), twin });
    const both = await runCarpd(host, ['run', '--config', file]);
    equal(both.code, 2, both.stderr);
    match(both.stderr, /instances\.twin: another instance of this process has 10\.77\.0\.100/);
    deepEqual(logEntries(peer, { event: 'vip-restored' }), [], 'nobody took it off');
  });

  test('that is asked to end while it waits for the first one to leave ends at once', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const config = {
      neutral: true,
      hooks: { up: ['/bin/true'], down: ['/bin/sh', '-c', 'sleep 60'], timeout: '60s' },
    };
    const first = startCarpd(host, { ...GROUP, config });
    await logEntry(first, { event: 'hook-finished', fields: { hook: 'up' } }, START_MS);
    first.signal('SIGTERM');
    await eventually(async () => !(await holds(host, VIP)), { withinMs: START_MS, what: 'no VIP' });
    const second = startCarpd(host, { ...GROUP, config });
    await eventually(() => knowsTheLinks(second), { withinMs: START_MS, what: 'the second' });
    second.signal('SIGTERM');
    // The first one, whose hook takes its time, is still there.
    equal((await second.child.ended(START_MS)).code, 0, second.child.tail());
    equal(first.child.exited, undefined, 'nobody waited for the first');
    await first.kill();
  });

  test('release leaves the address to the daemon that runs, and says so', async (t) => {
    const { host, peer } = await master(t);
    const file = join(host.directory, 'other.yaml');
    const other = parse(readFileSync(carpdConfigFile(host), 'utf8')) as Record<string, unknown>;
    // Without its control socket, by which alone a running daemon was found.
    writeFileSync(file, stringify({ ...other, control: { socket: 'off' } }), { mode: 0o600 });
    const { code, stderr } = await runCarpd(host, ['release', '--config', file]);
    equal(code, 1, stderr);
    match(stderr, new RegExp(`belongs to process ${String(peer.child.pid)} \\(carpd\\)`));
    equal(await holds(host, VIP), true);
  });

  test('added by a reload it is refused, and the rest goes on', async (t) => {
    const { host, peer } = await master(t);
    const file = join(host.directory, 'second.yaml');
    const free = instance({ vhid: 8, address: '10.77.0.108/24' });
    const base = {
      metrics: { listen: 'off' },
      control: { socket: 'off' },
      log: { format: 'json' },
    };
    const write = (instances: object): void =>
      writeFileSync(file, stringify({ ...base, instances }), { mode: 0o600 });
    write({ free });
    const second = host.spawn(carpdArgv('run', '--config', file), { label: 'the second' });
    await second.line(/daemon-started/, START_MS);
    write({ free, taken: instance({}), other: instance({ vhid: 9, address: '10.77.0.109/24' }) });
    second.signal('SIGHUP');
    await second.line(/instances\.taken: process \d+ \(carpd\) serves vhid 7/, START_MS);
    const told = await second.line(/"configuration-reloaded"/, START_MS);
    match(told.text, /"refused":"taken","added":"other"/);
    equal(await holds(host, VIP), true);
    equal((await second.stop()).code, 0, second.tail());
    equal(peer.transitions.filter(({ to }) => to === 'MASTER').length, 1);
  });
});

describe('no conflict', { skip, concurrency: true }, () => {
  test('another namespace with the same index, another group, another interface', async (t) => {
    const { lab, host, peer } = await master(t);
    const twin = await lab.host('b', '10.77.0.2/24');
    const elsewhere = startCarpd(twin, GROUP);
    await elsewhere.waitFor('BACKUP', START_MS);
    equal(await indexOf(host), await indexOf(twin), 'the test is about equal indexes');
    const file = join(host.directory, 'more.yaml');
    await host.exec(['ip', 'link', 'add', 'v1', 'type', 'veth', 'peer', 'name', 'v1p']);
    await host.exec(['ip', 'addr', 'add', '10.78.0.1/24', 'dev', 'v1']);
    await host.exec(['ip', 'link', 'set', 'v1', 'up']);
    const instances = {
      group: instance({ multicastGroup: '224.0.0.19', address: '10.77.0.119/24' }),
      interface: instance({ interface: 'v1', address: '10.78.0.100/24' }),
    };
    const base = { metrics: { listen: 'off' }, control: { socket: 'off' } };
    writeFileSync(file, stringify({ ...base, instances }), { mode: 0o600 });
    const second = host.spawn(carpdArgv('run', '--config', file), { label: 'the second' });
    await second.line(/daemon-started/, START_MS);
    equal((await second.stop()).code, 0, second.tail());
    equal(await holds(host, VIP), true);
    equal((await peer.stop()).code, 0, peer.child.tail());
  });

  test('a name that a user without rights has taken keeps no daemon away', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const name = `carpd/${await indexOf(host)}/7/224.0.0.18`;
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const squatter = host.spawn([...nobody, '/usr/bin/python3', '-uc', SQUAT, name], {
      label: 'squatter',
    });
    await squatter.line(/^ready$/, START_MS);
    const peer = startCarpd(host, GROUP);
    await peer.waitFor('MASTER', START_MS);
    const { code } = await runCarpd(host, ['run', '--config', carpdConfigFile(host)]);
    equal(code, 2, 'the lock works beside the squatter');
    equal((await peer.stop()).code, 0, peer.child.tail());
  });
});

describe('an interface that appears later', { skip, concurrency: true }, () => {
  test('is taken by one of two daemons; the other waits, says why, and follows', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const config = { interface: 'v1', source: '10.78.0.1', address: '10.78.0.100/24', hooks: {} };
    const first = startCarpd(host, { ...GROUP, vip: '10.78.0.100', config });
    await logEntry(first, { event: 'daemon-started' }, START_MS);
    const second = startCarpd(host, { ...GROUP, vip: '10.78.0.100', config });
    await logEntry(second, { event: 'daemon-started' }, START_MS);
    await host.exec(['ip', 'link', 'add', 'v1', 'type', 'veth', 'peer', 'name', 'v1p']);
    await host.exec(['ip', 'addr', 'add', '10.78.0.1/24', 'dev', 'v1']);
    await host.exec(['ip', 'link', 'set', 'v1p', 'up']);
    await host.exec(['ip', 'link', 'set', 'v1', 'up']);
    const held = { event: 'interface-unusable', fields: { fault: 'group-held' } } as const;
    const both = [first, second];
    const loser = await Promise.any(
      both.map(async (one) => (await logEntry(one, held, START_MS), one)),
    );
    const winner = both.find((one) => one !== loser)!;
    await winner.waitFor('MASTER', START_MS);
    match(
      logEntries(loser, held)[0]?.message ?? '',
      new RegExp(`process ${String(winner.child.pid)}`),
    );
    deepEqual(
      loser.transitions.filter(({ to }) => to === 'MASTER'),
      [],
    );
    equal((await winner.stop()).code, 0, winner.child.tail());
    await loser.waitFor('MASTER', START_MS);
    equal((await loser.stop()).code, 0, loser.child.tail());
  });
});

async function master(t: TestContext): Promise<{ lab: Lab; host: Host; peer: Peer }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const peer = startCarpd(host, GROUP);
  await peer.waitFor('MASTER', START_MS);
  await logEntry(peer, { event: 'hook-finished', fields: { hook: 'up' } }, START_MS);
  return { lab, host, peer };
}

function instance(more: object): object {
  const given = { interface: 'eth0', vhid: 7, address: `${VIP}/24`, passphrase: 'a secret' };
  return { ...given, gate: { policy: 'off' }, ...more };
}

/** It has its netlink socket, and asks for the lock next. */
function knowsTheLinks({ child }: Peer): boolean {
  const table = readFileSync(`/proc/${String(child.pid)}/net/netlink`, 'utf8');
  // Whoever only asks for addresses once is told of no changes.
  const isOurs = (line: string): boolean => {
    const [, , pid, groups] = line.trim().split(/\s+/);
    return pid === String(child.pid) && Number.parseInt(groups ?? '', 16) > 0;
  };
  return table.split('\n').some(isOurs);
}

function hookCalls(peer: Peer): number {
  return logEntries(peer, { event: 'hook-finished' }).length;
}

async function indexOf(host: Host): Promise<string> {
  return (await host.exec(['cat', '/sys/class/net/eth0/ifindex'])).trim();
}

const SQUAT = `
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind('\\0' + sys.argv[1])
s.listen(1)
print('ready', flush=True)
time.sleep(600)
`;
