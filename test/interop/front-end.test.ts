// carpd's `ucarp` front end as a process: what it tells whoever starts it, and how it ends. The
// rules are ucarp's, but that it always cleans up and never claims to run when it does not. Needs
// root and namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Capture } from '../../lab/capture.ts';
import { startCarpdUcarp } from '../../lab/carpd-peer.ts';
import { makeHooks } from '../../lab/hooks.ts';
import { frontEndsIn } from '../../lab/front-ends.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { ucarpArgv, type UcarpOptions } from '../../lab/ucarp-argv.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const SECRET = 'not-for-the-list';
const GROUP = { vhid: 7, vip: VIP, password: SECRET };
const UCARP = [process.execPath, fileURLToPath(new URL('../../dist/ucarp.js', import.meta.url))];
const ELECTION_MS = 15_000;
const END_MS = 10_000;
const START_MS = 15_000;
const skip = await labSkipReason();

describe('ucarp -B', { skip, concurrency: true }, () => {
  test('returns when the daemon hears its segment, and keeps the password out of ps', async (t) => {
    const { host, argv } = await oneHost(t);
    const parent = host.spawn([...argv, '-B', '--gate=off'], { cwd: host.directory });
    equal((await parent.ended(END_MS)).code, 0, parent.tail());
    deepEqual(parent.lines, []);
    const [daemon, ...others] = await frontEndsIn(host);
    ok(daemon !== undefined && others.length === 0);
    const sockets = await host.exec(['cat', '/proc/net/raw']);
    match(sockets, /:0070 /, 'a raw socket for protocol 112 is open');
    equal(readlinkSync(`/proc/${daemon}/cwd`), '/');
    for (const fd of [0, 1, 2]) equal(readlinkSync(`/proc/${daemon}/fd/${fd}`), '/dev/null');
    for (const list of ['cmdline', 'environ']) {
      ok(!readFileSync(`/proc/${daemon}/${list}`, 'utf8').includes(SECRET), list);
    }
    match(readFileSync(`/proc/${daemon}/cmdline`, 'utf8'), /^ucarp --interface=eth0 --vhid=7/);
    equal(readFileSync(`/proc/${daemon}/comm`, 'utf8'), 'ucarp\n');
    await eventually(async () => (await whoHolds([host], VIP)).length === 1, {
      withinMs: ELECTION_MS,
      what: 'the daemon to become master',
    });
    process.kill(daemon, 'SIGTERM');
    await eventually(async () => (await frontEndsIn(host)).length === 0, {
      withinMs: END_MS,
      what: 'the end of the daemon',
    });
    deepEqual(await whoHolds([host], VIP), []);
  });

  test('takes a relative path as seen from where it was called', async (t) => {
    const { host, argv } = await oneHost(t);
    await host.exec(['sh', '-c', `umask 077; echo ${SECRET} >"$1"`, 'sh', inLab(host, 'secret')]);
    const words = [...argv, '-B', '-o', 'secret'];
    equal((await host.spawn(words, { cwd: host.directory }).ended(END_MS)).code, 0);
    equal((await frontEndsIn(host)).length, 1);
  });

  test('takes the password from the standard input, which the daemon has no more', async (t) => {
    const { host, argv } = await oneHost(t);
    const script = `echo ${SECRET} | exec "$@"`;
    const words = ['sh', '-c', script, 'sh', ...argv, '-B', '-o', '/dev/stdin', '--gate=off'];
    equal((await host.spawn(words).ended(END_MS)).code, 0);
    equal((await frontEndsIn(host)).length, 1);
  });

  for (const background of [false, true]) {
    const where = background ? 'in the background' : 'in the foreground';
    test(`${where} says in one line why it can't run, by ucarp's exit codes`, async (t) => {
      const { host, argv } = await oneHost(t);
      for (const { words, code, says } of REFUSALS) {
        const child = host.spawn([...argv, ...words, ...(background ? ['-B'] : [])]);
        const exit = await child.ended(END_MS);
        equal(exit.code, code, child.tail());
        const complaints = child.lines.filter(({ stream }) => stream === 'stderr');
        equal(complaints.length, 1, child.tail());
        match(complaints[0]?.text ?? '', says);
        ok(!child.tail().includes(SECRET));
      }
      deepEqual(await frontEndsIn(host), []);
    });
  }
});

describe('ucarp in the foreground', { skip, concurrency: true }, () => {
  test('takes the password out of its own arguments', async (t) => {
    const { host, peer } = await master(t);
    const [daemon] = await frontEndsIn(host);
    equal(daemon, peer.child.pid);
    ok(!readFileSync(`/proc/${daemon}/cmdline`, 'utf8').includes(SECRET));
  });

  test('goes by the name of ucarp, for killall, pgrep -x and pidof', async (t) => {
    const { host, peer } = await master(t);
    const pid = peer.child.pid;
    const inNetns = ['--ns', String(pid), '--nslist', 'net'];
    equal(await host.exec(['pgrep', '-x', 'ucarp', ...inNetns]), `${pid}\n`);
    // It knows no namespaces, and may find others.
    const found = (await host.exec(['pidof', 'ucarp'])).trim().split(' ').map(Number);
    ok(pid !== undefined && found.includes(pid), 'pidof finds it');
    equal(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'ucarp\n', 'killall looks here');
  });

  test('writes text, on standard output alone', async (t) => {
    const { peer } = await master(t);
    equal((await peer.stop()).code, 0, peer.child.tail());
    for (const { stream, text } of peer.child.lines) {
      equal(stream, 'stdout', text);
      match(text, /^\d{4}-\d\d-\d\dT[\d:.]+Z (DEBUG|INFO|WARN|ERROR) /);
    }
  });

  for (const [signal, shutdown] of [
    ['SIGTERM', false],
    ['SIGINT', true],
    ['SIGQUIT', false],
    ['SIGHUP', true],
  ] as const) {
    const option = shutdown ? 'with -z' : 'without -z';
    test(`${signal} ${option}: down hook, bow-out, exit 0`, async (t) => {
      const { lab, host, peer } = await master(t, { shutdown });
      const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
      await seen.advert(1, { source: host.address }, 15_000);
      peer.signal(signal);
      await endsWell(peer);
      const frames = await seen.stop();
      const last = frames.at(-1)?.advert;
      deepEqual([last?.source, last?.advbase, last?.advskew], [host.address, 255, 255]);
      deepEqual(await whoHolds([host], VIP), []);
    });
  }

  test('SIGTERM as BACKUP: exit 0, and no down hook but that of the start', async (t) => {
    const { peer } = await backup(t);
    equal((await peer.stop()).code, 0);
    deepEqual(hooksOf(peer), ['down']);
  });

  test('SIGTERM at once after the carrier was lost: down hook, exit 0', async (t) => {
    const { lab, host, peer } = await master(t);
    await lab.carrier(host, false);
    peer.signal('SIGTERM');
    await endsWell(peer);
  });

  test('SIGTERM long after the carrier was lost: one down hook, exit 0', async (t) => {
    const { lab, host, peer } = await master(t);
    await lab.carrier(host, false);
    await peer.waitFor('HELD', START_MS);
    await eventually(() => hooksOf(peer).length === 3, { withinMs: 15_000, what: 'the down hook' });
    peer.signal('SIGTERM');
    await endsWell(peer);
  });

  test('the interface of a MASTER is set down: down hook, exit 0', async (t) => {
    const { host, peer } = await master(t);
    await host.linkDown();
    await endsWell(peer);
  });

  test('the interface of a MASTER is deleted: down hook, exit 0', async (t) => {
    const { host, peer } = await master(t);
    await host.ip('link', 'del', host.interface);
    await endsWell(peer);
  });

  test('the interface of a BACKUP is set down: exit 0, and no down hook', async (t) => {
    const { host, peer } = await backup(t);
    await host.linkDown();
    equal((await peer.child.ended(END_MS)).code, 0, peer.child.tail());
    deepEqual(hooksOf(peer), ['down']);
  });
});

/** A backup beside a live master: alone it would be due itself after three seconds. */
async function backup(t: TestContext): Promise<{ readonly host: Host; readonly peer: Peer }> {
  const { lab, host } = await oneHost(t);
  const other = startUcarp(await lab.host('other', '10.77.0.9/24'), GROUP);
  await other.waitFor('MASTER', ELECTION_MS);
  const peer = startCarpdUcarp(host, { ...GROUP, advskew: 50 });
  await peer.waitFor('BACKUP', START_MS);
  return { host, peer };
}

/** Options put behind a good command line, ucarp's exit code for them, and what is said. */
const REFUSALS: readonly { words: readonly string[]; code: number; says: RegExp }[] = [
  { words: ['-i', 'absent0'], code: 2, says: /^ucarp: absent0: the interface does not exist/ },
  { words: ['-s', '10.77.0.5'], code: 2, says: /^ucarp: eth0: .*source address/ },
  { words: ['-i', 'lo'], code: 2, says: /^ucarp: lo: .*not an Ethernet device/ },
  { words: ['-p', 'x'.repeat(20)], code: 2, says: /^ucarp: --pass: Password too long/ },
  { words: ['-o', '/nowhere/secret'], code: 1, says: /^ucarp: --passfile .*there is no such file/ },
  { words: ['-v', '256'], code: 1, says: /^ucarp: .*256/ },
  { words: ['-b', '0'], code: 1, says: /^ucarp: .*--advbase/ },
];

async function oneHost(
  t: TestContext,
  options: Partial<UcarpOptions> = {},
): Promise<{ readonly lab: Lab; readonly host: Host; readonly argv: readonly string[] }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const hooks = makeHooks(host.directory, true);
  const argv = ucarpArgv(host, { ...GROUP, deadRatio: 1, ...options }, hooks);
  return { lab, host, argv: [...UCARP, ...argv] };
}

/** A front end that is MASTER and whose up hook has run. */
async function master(
  t: TestContext,
  options: Partial<UcarpOptions> = {},
): Promise<{ readonly lab: Lab; readonly host: Host; readonly peer: Peer }> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const peer = startCarpdUcarp(host, { ...GROUP, deadRatio: 1, ...options });
  await peer.waitFor('MASTER', ELECTION_MS);
  await peer.child.line(/ up hook ended well /, 15_000);
  return { lab, host, peer };
}

/** It ends by itself with 0, and the down hook has run once since it was MASTER. */
async function endsWell(peer: Peer): Promise<void> {
  equal((await peer.child.ended(END_MS)).code, 0, peer.child.tail());
  deepEqual(hooksOf(peer), ['down', 'up', 'down']);
}

function hooksOf(peer: Peer): readonly string[] {
  return peer.hookLog().map(({ hook }) => hook);
}

function inLab(host: Host, name: string): string {
  return join(host.directory, name);
}
