// How carpd ends when the end is disturbed: by more signals, by hooks, by an address that stays.
// Needs root and namespaces.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd, type CarpdOptions, type CarpdProcess } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const MASTER_MS = 15_000;
const LOG_MS = 15_000;
const END_MS = 30_000;
const skip = await labSkipReason();

describe('ending signals', { skip, concurrency: true }, () => {
  test('in a row change nothing: bow-out, down hook once, exit 0', async (t) => {
    const { lab, host, peer, runs } = await master(t, { downSeconds: 2 });
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGTERM', 'SIGINT'] as const) {
      peer.signal(signal);
      await logEntry(peer, { event: 'daemon-stopping' }, LOG_MS);
    }
    equal((await peer.child.ended(END_MS)).code, 0, peer.child.tail());
    equal(seen.adverts({ source: host.address }).at(-1)?.advert.advbase, 255, 'it bowed out');
    deepEqual(runs(), ['up', 'down']);
    equal(await holds(host, VIP), false);
  });

  test('from somebody who insists end it at once; the down hook still runs once', async (t) => {
    const { host, peer, runs } = await master(t, { downSeconds: 8 });
    peer.signal('SIGINT');
    await eventually(() => runs().includes('down'), { withinMs: LOG_MS, what: 'the down hook' });
    peer.signal('SIGINT');
    peer.signal('SIGINT');
    await eventually(
      () => {
        peer.signal('SIGINT');
        return peer.child.exited !== undefined;
      },
      { withinMs: 5_000, what: 'the end, before the hook' },
    );
    equal(peer.child.exited?.code, 1, peer.child.tail());
    deepEqual(runs(), ['up', 'down']);
    equal(await holds(host, VIP), false);
  });

  test('while it starts end it as well, and leave nothing', async (t) => {
    for (const delayMs of [0, 5, 10, 20, 40]) {
      const { host, peer } = await started(t, {}, {});
      await peer.child.until(() => readyForSignals(peer), 'signal handlers', LOG_MS);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      peer.signal('SIGTERM');
      equal((await peer.child.ended(END_MS)).code, 0, peer.child.tail());
      equal(await holds(host, VIP), false);
    }
  });

  test('a reload that comes while it starts is done when it has started', async (t) => {
    const { peer } = await started(t, {}, {});
    await peer.child.until(() => readyForSignals(peer), 'signal handlers', LOG_MS);
    peer.signal('SIGHUP');
    await logEntry(peer, { event: 'configuration-reloaded' }, LOG_MS);
    await peer.waitFor('MASTER', MASTER_MS);
    equal((await peer.stop()).code, 0, peer.child.tail());
  });
});

describe('an address that can not be removed at the end', { skip, concurrency: true }, () => {
  test('is tried again, and the bow-out waits for it', async (t) => {
    const { lab, host, peer, obstacle } = await stubborn(t);
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    peer.signal('SIGTERM');
    await logEntry(peer, { event: 'vip-failed', level: 'error' }, LOG_MS);
    const last = seen.adverts({ source: host.address }).at(-1);
    ok(last?.advert.advbase !== 255, 'no bow-out while the address is on');
    rmSync(obstacle);
    equal((await peer.child.ended(END_MS)).code, 0, peer.child.tail());
    equal(seen.adverts({ source: host.address }).at(-1)?.advert.advbase, 255);
    equal(await holds(host, VIP), false);
  });

  test('is left in the end with the command that removes it, and exit 1', async (t) => {
    const { peer } = await stubborn(t);
    peer.signal('SIGTERM');
    equal((await peer.child.ended(END_MS)).code, 1, peer.child.tail());
    const told = logEntries(peer, { event: 'vip-left-behind', level: 'error' }).at(-1);
    match(told?.message ?? '', /Do it now: ip addr del 10\.77\.0\.100\/32 dev eth0/);
  });
});

describe('an ip that hangs', { skip, concurrency: true }, () => {
  test('is killed when a stop comes, and nothing untrue is said', async (t) => {
    const lab = await Lab.create(t);
    const [hang, hung] = ['hang', 'hung'].map((name) => join(lab.directory, name));
    const real = '/usr/sbin:/sbin:/usr/bin:/bin';
    script(lab, 'ip', `[ -e ${hang} ] && { echo >>${hung}; sleep 60; }\nPATH=${real} exec ip "$@"`);
    const wrapper = ['env', `PATH=${lab.directory}:${real}`];
    writeFileSync(hang ?? '', '');
    const { host, peer } = await startedIn(lab, { config: { hooks: {} } }, { wrapper });
    await eventually(() => existsSync(hung ?? ''), {
      withinMs: MASTER_MS,
      what: 'an ip that hangs',
    });
    rmSync(hang ?? '');
    peer.signal('SIGTERM');
    equal((await peer.child.ended(8_000)).code, 0, peer.child.tail());
    equal(await holds(host, VIP), false);
    const untrue = ['vip-failed', 'step-down-stuck', 'vip-left-behind'] as const;
    const told = logEntries(peer, { event: untrue, level: 'error' });
    ok(!told.some(({ message }) => /could not be removed/.test(message)), peer.child.tail());
  });
});

/** SIGHUP kills a process that does not handle it yet, so one has to know. */
function readyForSignals(peer: Peer): true | undefined {
  const status = readFileSync(`/proc/${String(peer.child.pid)}/status`, 'utf8');
  const caught = BigInt(`0x${/^SigCgt:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const SIGHUP = 1n;
  return (caught >> (SIGHUP - 1n)) & 1n ? true : undefined;
}

interface Running {
  readonly lab: Lab;
  readonly host: Host;
  readonly peer: Peer;
}

/** A master with hooks that say that they ran; the down hook takes its time. */
async function master(
  t: TestContext,
  { downSeconds }: { downSeconds: number },
): Promise<Running & { readonly runs: () => readonly string[] }> {
  const lab = await Lab.create(t);
  const file = join(lab.directory, 'runs');
  writeFileSync(file, '');
  const up = script(lab, 'up', `echo up >>${file}`);
  const down = script(lab, 'down', `echo down >>${file}\nsleep ${String(downSeconds)}`);
  const hooks = { up: [up], down: [down] };
  const running = await startedIn(lab, { neutral: true, config: { hooks } }, {});
  await running.peer.waitFor('MASTER', MASTER_MS);
  const runs = (): readonly string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);
  await eventually(() => runs().includes('up'), { withinMs: LOG_MS, what: 'the up hook' });
  return { ...running, runs };
}

/** A master whose `ip` refuses to delete addresses while the file `obstacle` exists. */
async function stubborn(t: TestContext): Promise<Running & { readonly obstacle: string }> {
  const lab = await Lab.create(t);
  const obstacle = join(lab.directory, 'obstacle');
  const real = '/usr/sbin:/sbin:/usr/bin:/bin';
  script(
    lab,
    'ip',
    `[ "$2" = -batch ] || PATH=${real} exec ip "$@"
lines=$(cat)
case "$lines" in
  *'addr del'*) [ -e ${obstacle} ] && { echo 'RTNETLINK answers: Busy' >&2; exit 2; } ;;
esac
printf '%s\\n' "$lines" | PATH=${real} ip "$@"`,
  );
  const wrapper = ['env', `PATH=${lab.directory}:${real}`];
  const running = await startedIn(lab, { config: { hooks: {} } }, { wrapper });
  await running.peer.waitFor('MASTER', MASTER_MS);
  await logEntry(running.peer, { event: 'vip-added' }, LOG_MS);
  writeFileSync(obstacle, '');
  return { ...running, obstacle };
}

function script(lab: Lab, name: string, body: string): string {
  const path = join(lab.directory, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function started(
  t: TestContext,
  options: Partial<CarpdOptions>,
  how: CarpdProcess,
): Promise<Running> {
  return startedIn(await Lab.create(t), options, how);
}

async function startedIn(
  lab: Lab,
  options: Partial<CarpdOptions>,
  how: CarpdProcess,
): Promise<Running> {
  const host = await lab.host('a', '10.77.0.1/24');
  return { lab, host, peer: startCarpd(host, { ...GROUP, ...options }, {}, how) };
}
