// carpd as a service: its package where process 1 is systemd, in containers on this kernel.
// One build of the package serves all. Needs root and podman.
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { holds, whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';
import { buildPackages } from './build.ts';
import { SystemdHost } from './systemd-host.ts';

const VIP = '10.77.0.100';
const START_MS = 60_000;
const NEXT = '99.0.0';
const skip = await labSkipReason();

describe('carpd under systemd', { skip, concurrency: 3 }, () => {
  const packages = mkdtempSync(join(tmpdir(), 'carpd-debs-'));
  before(async () => {
    await buildPackages(packages, ['--only=carpd']);
    await buildPackages(packages, ['--only=carpd', `--version=${NEXT}`]);
  });
  after(() => rmSync(packages, { recursive: true, force: true }));

  test('from installation to purge, handed over in an upgrade', async (t) => {
    const { lab, host, node } = await boot(t, packages);
    const peerHost = await lab.host('b', '10.77.0.2/24');
    const state = async (): Promise<string> =>
      (await node.run('systemctl', 'is-active', 'carpd')).output;

    match(await node.install(), /then: systemctl start carpd/);
    equal(await node.sh('systemctl is-enabled carpd'), 'enabled');
    equal(await state(), 'inactive');
    equal((await node.run('systemctl', 'start', 'carpd')).code, 0, 'not configured is no failure');
    equal(await state(), 'inactive');
    match(await node.sh('systemctl status carpd || :'), /carpd\.yaml was not met/);

    await node.configure(config(BESIDE_A_PEER));
    await node.sh('systemctl start carpd');
    const detail = (): string => lab.report();
    const servedBy = async (name: string): Promise<boolean> =>
      (await whoHolds([host, peerHost], VIP)).map((holder) => holder.name).join() === name;
    await eventually(() => servedBy('a'), { withinMs: START_MS, what: 'the VIP on a', detail });
    const firstPid = await node.property('carpd', 'MainPID');
    await node.sh('systemctl enable carpd@other');

    const peer = startCarpd(peerHost, PATIENT_PEER);
    await peer.waitFor('BACKUP', START_MS);
    await node.install(NEXT);
    await peer.waitFor('MASTER', START_MS);
    await eventually(() => servedBy('b'), { withinMs: START_MS, what: 'the VIP on b', detail });
    equal(await node.sh('carpd --version'), `carpd ${NEXT}`);
    equal(await state(), 'active');
    notEqual(await node.property('carpd', 'MainPID'), firstPid);

    await node.sh('dpkg --remove carpd');
    notEqual(await state(), 'active');
    await node.sh('dpkg --purge carpd');
    const left = `find / -xdev -name '*carpd*' -not -path '/proc/*' -not -path '/mnt/*'`;
    equal(await node.sh(left), '');
    equal((await node.run('getent', 'passwd', 'carpd')).code, 2);
    equal(await node.sh('systemctl is-system-running'), 'running');
  });

  test('is ready when it takes part, says why it is held, reloads, hands over', async (t) => {
    const { lab, host, node } = await boot(t, packages);
    await node.install();
    for (const unit of ['carpd', 'carpd@web']) {
      await node.sh(`systemd-analyze security --threshold=20 --no-pager ${unit} >/dev/null`);
      equal(await node.sh(`systemd-analyze verify --man=no ${unit}.service 2>&1`), '');
    }
    // Never "when master": the link has proved nothing, and the interface of the other is missing.
    await node.configure(config({ gate: 'hold' }) + instance('ghost', { device: 'eth9' }));
    await node.sh('systemctl start carpd; systemctl start carpd');
    const pid = await node.property('carpd', 'MainPID');
    match(await status(node), /^db HELD \(no-frames\), ghost INIT \(eth9: /);
    deepEqual(await rights(node, pid), ['carpd', '0000000000003000', '0000000000003000', '1']);
    equal(await node.sh('cat /proc/sys/net/ipv6/conf/all/disable_ipv6'), '1');
    match(await node.journal('carpd', '-p info..info'), /^running 2 instances/m);

    await node.configure(config());
    await node.sh('systemctl reload carpd');
    await serves(host, lab);
    await eventually(async () => (await status(node)).startsWith('db MASTER'), {
      withinMs: START_MS,
      what: 'the new state in the status',
    });
    await node.configure(config().replace('vhid: 7', 'vhid: 700'));
    notEqual((await node.run('systemctl', 'reload', 'carpd')).code, 0, 'a wrong file was taken');
    match(await node.sh('carpd status'), /^RELOAD REFUSED .*\n +.*vhid: 700/);
    await node.sh('systemctl kill --signal=HUP --kill-who=main carpd');
    await eventually(async () => (await status(node)).includes('RELOAD REFUSED'), {
      withinMs: START_MS,
      what: 'the rejection in the status',
    });
    match(await node.journal('carpd', '-p err'), /vhid: 700 is out of range 1-255; the old/);
    ok(
      !(await node.journal('carpd', '-p warning')).includes('running 2'),
      'all of it is a warning',
    );
    deepEqual(
      [await node.property('carpd', 'ActiveState'), await node.property('carpd', 'MainPID')],
      ['active', pid],
    );

    await node.configure(config(BESIDE_A_PEER));
    await node.sh('systemctl restart carpd');
    notEqual(await node.property('carpd', 'MainPID'), pid);
    await serves(host, lab);
    const peer = startCarpd(await lab.host('b', '10.77.0.2/24'), PATIENT_PEER);
    await peer.waitFor('BACKUP', START_MS);
    await node.sh('systemctl stop carpd');
    equal(await holds(host, VIP), false);
    await peer.waitFor('MASTER', START_MS);
    equal(await node.property('carpd', 'Result'), 'success');
  });

  test('that is killed, or stands still, loses its address at once and comes back', async (t) => {
    const { lab, host, node } = await boot(t, packages);
    await node.install();
    await node.configure(config());
    await node.sh('systemctl start carpd');
    const faults = [
      { signal: 'KILL', told: /status=9\/KILL/ },
      { signal: 'STOP', told: /Watchdog timeout \(limit 10s\)!/ },
    ];
    for (const [restarts, { signal, told }] of faults.entries()) {
      await serves(host, lab);
      equal(await node.property('carpd', 'NRestarts'), String(restarts));
      await node.sh(`systemctl kill --signal=${signal} --kill-who=main carpd`);
      const wanted = String(restarts + 1);
      await eventually(async () => (await node.property('carpd', 'NRestarts')) === wanted, {
        withinMs: START_MS,
        what: `the restart after SIG${signal}`,
      });
      match(await node.journal('carpd'), told);
      // Not the new daemon at its start, which comes later: the unit, by carpd release.
      const released = (await node.journal('carpd')).match(
        /^db: removed 10\.77\.0\.100 on eth0$/gm,
      );
      equal(released?.length, restarts + 1, 'what the dead daemon left stayed');
    }
    await serves(host, lab);
    // By then, its configuration says nothing of it any more; and nobody will start it again.
    await node.configure('instances: {}\n');
    await node.sh('systemctl kill --signal=KILL --kill-who=main carpd');
    await eventually(async () => (await node.property('carpd', 'ActiveState')) === 'failed', {
      withinMs: START_MS,
      what: 'the end',
    });
    equal(await holds(host, VIP), false, 'an address stayed on a host without a daemon');
  });

  test('that can not start says why, and is not started again and again', async (t) => {
    const { node } = await boot(t, packages);
    await node.install();
    const wrong = [
      { text: config().replace('vhid: 7', 'vhid: 700'), told: /vhid: 700 is out of range 1-255/ },
      {
        text: config({ pass: 'passphraseFile: /etc/carpd/none' }),
        told: /read: there is no such file or folder; check/,
      },
      { text: config({ pass: 'passphraseFile: credential:db' }), told: /LoadCredential=NAME:FILE/ },
    ];
    for (const { text, told } of wrong) {
      await node.configure(text);
      await fails(node, '2');
      match(await node.journal('carpd', '--since=-1min'), told);
    }
    await node.edit('carpd', 'key', '[Service]\\nLoadCredential=db:/etc/carpd/db.pass');
    await fails(node, '243');
    await node.sh('(umask 077; echo a-secret >/etc/carpd/db.pass); systemctl start carpd');
    equal(await node.property('carpd', 'ActiveState'), 'active');
    equal((await node.run('systemctl', 'reload', 'carpd')).code, 0, 'a reload needs no credential');

    // What it can't remember it says to whom asked for it, and goes on.
    await node.edit('carpd', 'read-only', '[Service]\\nReadOnlyPaths=/var/lib/carpd');
    await node.sh('systemctl restart carpd');
    const said = await node.run('carpd', 'maintenance', 'on', 'db', '--force');
    equal(said.code, 1);
    match(said.output, /maintenance\.json can't be written: the file system is read-only/);
    equal(await node.property('carpd', 'ActiveState'), 'active');

    equal((await node.run('systemctl', 'start', 'carpd@none')).code, 1);
    equal(await node.property('carpd@none', 'ExecMainStatus'), '2');
    match(
      await node.journal('carpd@none'),
      /\/etc\/carpd\/none\.yaml: can't be read: there is no such file/,
    );
  });

  test('runs several times on a host, and as root for hooks that need it', async (t) => {
    const { lab, host, node } = await boot(t, packages);
    await node.install();
    await node.sh('printf "#!/bin/sh\\nmount -t tmpfs x /srv" >/up; chmod 755 /up');
    const hook = 'hooks: { up: [/up] }';
    await node.configure(config({ more: hook }), 'db');
    await node.configure(`instances:\n${instance('web', { vip: '10.77.0.101', vhid: 8 })}`, 'web');
    await node.sh('systemctl start carpd@db carpd@web');
    await serves(host, lab);
    await serves(host, lab, '10.77.0.101');
    for (const name of ['db', 'web']) {
      const unit = `carpd@${name}`;
      match(await node.sh(`carpd status --socket /run/carpd-${name}/control.sock`), /MASTER/);
      equal(await node.sh(`stat -c %U /var/lib/carpd/${name}`), 'carpd');
      match(await node.sh(`ls /run/carpd-${name}`), /metrics\.sock/);
      ok(!(await node.journal(unit)).includes('another process'), 'they are in each other’s way');
    }
    await eventually(
      async () =>
        /does not run as root here; .*root\.conf/.test(await node.journal('carpd@db', '-p err')),
      { withinMs: START_MS, what: 'the remedy' },
    );

    await node.sh(`install -D -m 644 /usr/lib/carpd/systemd/root.conf \\
      /etc/systemd/system/carpd@db.service.d/root.conf; systemctl daemon-reload
      systemctl restart carpd@db`);
    await eventually(async () => (await node.run('mountpoint', '/srv')).code === 0, {
      withinMs: START_MS,
      what: 'what the hook mounts, seen by the host',
    });
    await node.sh('systemctl stop carpd@db');
    equal(await holds(host, '10.77.0.101'), true, 'one that stops takes the other with it');
    match(await node.sh('carpd status --socket /run/carpd-web/control.sock'), /MASTER/);
  });
});

/** Its dead interval is longer than any test has patience: only a bow-out makes it master. */
const PATIENT_PEER = {
  vhid: 7,
  vip: `${VIP}/24`,
  password: 'a-secret',
  advskew: 20,
  deadRatio: 200,
};

async function boot(
  t: TestContext,
  packages: string,
): Promise<{ lab: Lab; host: Host; node: SystemdHost }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  return { lab, host, node: await SystemdHost.boot(t, host, packages) };
}

interface Keys {
  readonly vip?: string;
  readonly vhid?: number;
  readonly device?: string;
  readonly gate?: 'hold' | 'off';
  readonly deadRatio?: number;
  /** The line of the passphrase. */
  readonly pass?: string;
  readonly more?: string;
}

/** So that a master on a busy machine is not taken for dead, and the address comes back. */
const BESIDE_A_PEER: Keys = { deadRatio: 8 };

/** A file with one instance, which becomes master quickly. */
function config(keys: Keys = {}): string {
  return `instances:\n${instance('db', keys)}`;
}

function instance(name: string, keys: Keys): string {
  const { vip = VIP, vhid = name === 'db' ? 7 : 9, device = 'eth0', gate = 'off' } = keys;
  const address = name === 'ghost' ? '10.77.0.109' : vip;
  return `  ${name}:
    interface: ${device}
    vhid: ${vhid}
    address: ${address}/24
    deadRatio: ${keys.deadRatio ?? 1}
    gate: { policy: ${gate} }
    ${keys.pass ?? 'passphrase: a-secret'}
    ${keys.more ?? ''}
`;
}

function status(node: SystemdHost): Promise<string> {
  return node.property('carpd', 'StatusText');
}

/** User, effective and ambient capabilities, and whether it may get no more. */
async function rights(node: SystemdHost, pid: string): Promise<readonly string[]> {
  const text = await node.sh(`stat -c 'User: %U' /proc/${pid}; cat /proc/${pid}/status`);
  return ['User', 'CapEff', 'CapAmb', 'NoNewPrivs'].map(
    (field) => new RegExp(`^${field}:\\s+(\\S+)$`, 'm').exec(text)?.[1] ?? '',
  );
}

async function serves(host: Host, lab: Lab, vip = VIP): Promise<void> {
  const detail = (): string => lab.report();
  await eventually(() => holds(host, vip), { withinMs: START_MS, what: `${vip} on a`, detail });
}

/** It ends with this code, once. */
async function fails(node: SystemdHost, code: string): Promise<void> {
  equal((await node.run('systemctl', 'start', 'carpd')).code, 1);
  const seen = async (): Promise<readonly string[]> => {
    const names = ['ActiveState', 'ExecMainStatus', 'NRestarts'];
    return Promise.all(names.map((name) => node.property('carpd', name)));
  };
  deepEqual(await seen(), ['failed', code, '0']);
  // Three times as long as a restart takes.
  await node.sh('sleep 1.5');
  deepEqual(await seen(), ['failed', code, '0']);
}
