// Signals from the first millisecond on: none opens Node's debugger, none but an ending one ends
// the daemon, and each is obeyed once it is up. Needs root and namespaces.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { startCarpd, startCarpdUcarp } from '../../lab/carpd-peer.ts';
import type { Child } from '../../lab/child.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds } from '../../lab/vip.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', deadRatio: 1 };
const WITHIN_MS = 15_000;
/** From the first statement on to when the modules are loaded, the lock is taken, all is up. */
const DELAYS_MS = [0, 40, 150, 300];
const NUMBERS = { SIGHUP: 1n, SIGINT: 2n, SIGUSR1: 10n, SIGUSR2: 12n, SIGTERM: 15n } as const;
/** Their handlers are set one after the other, and each without one still ends the process. */
const DEADLY = ['SIGHUP', 'SIGINT', 'SIGUSR2', 'SIGTERM'] as const;
const skip = await labSkipReason();

const FRONT_ENDS = {
  'carpd run': (lab: Lab) => one(lab, startCarpd),
  ucarp: (lab: Lab) => one(lab, startCarpdUcarp),
} as const;

for (const [name, start] of Object.entries(FRONT_ENDS)) {
  describe(`an early signal to ${name}`, { skip, concurrency: true }, () => {
    test('SIGUSR1 logs the state once it is up, and opens no debugger', async (t) => {
      await forEachDelay(t, start, async (peer) => {
        peer.signal('SIGUSR1');
        await peer.waitFor('MASTER', WITHIN_MS);
        await peer.child.line(/"event":"state"| state=/, WITHIN_MS);
        deepEqual(openPorts(peer.child), []);
        equal((await peer.stop()).code, 0, peer.child.tail());
      });
    });

    test('SIGUSR1 before its first statement leaves no debugger open', async (t) => {
      const peer = await start(await Lab.create(t));
      await catches(peer.child, ['SIGUSR1']);
      peer.signal('SIGUSR1');
      await peer.waitFor('MASTER', WITHIN_MS);
      deepEqual(openPorts(peer.child), []);
      equal((await peer.stop()).code, 0, peer.child.tail());
    });

    test('SIGUSR2 does not end it', async (t) => {
      await forEachDelay(t, start, async (peer) => {
        peer.signal('SIGUSR2');
        await peer.child.line(/every master hands over/, WITHIN_MS);
        await peer.waitFor('MASTER', WITHIN_MS);
        equal((await peer.stop()).code, 0, peer.child.tail());
      });
    });

    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      test(`${signal} ends it with 0, and the address is nowhere`, async (t) => {
        await forEachDelay(t, start, (peer) => endsBy(signal, peer));
      });
    }
  });
}

describe('an early SIGHUP', { skip, concurrency: true }, () => {
  test('to carpd run is a reload once it is up', async (t) => {
    await forEachDelay(t, FRONT_ENDS['carpd run'], async (peer) => {
      peer.signal('SIGHUP');
      await peer.child.line(/"configuration-reloaded"/, WITHIN_MS);
      await peer.waitFor('MASTER', WITHIN_MS);
      equal((await peer.stop()).code, 0, peer.child.tail());
    });
  });

  test('to ucarp ends it, as SIGQUIT does', async (t) => {
    await forEachDelay(t, FRONT_ENDS.ucarp, (peer) => endsBy('SIGHUP', peer));
    await forEachDelay(t, FRONT_ENDS.ucarp, (peer) => endsBy('SIGQUIT', peer));
  });
});

type Start = (lab: Lab) => Promise<Peer>;

async function one(
  lab: Lab,
  start: (host: Peer['host'], options: typeof GROUP) => Peer,
): Promise<Peer> {
  return start(await lab.host('a', '10.77.0.1/24'), GROUP);
}

/** A process anew for each delay after its first statement. */
async function forEachDelay(
  t: TestContext,
  start: Start,
  check: (peer: Peer) => Promise<void>,
): Promise<void> {
  for (const delayMs of DELAYS_MS) {
    const peer = await start(await Lab.create(t));
    await catches(peer.child, DEADLY);
    await sleep(delayMs);
    await check(peer);
  }
}

async function endsBy(signal: NodeJS.Signals, peer: Peer): Promise<void> {
  peer.signal(signal);
  equal((await peer.child.ended(WITHIN_MS)).code, 0, peer.child.tail());
  equal(await holds(peer.host, VIP), false);
}

/** Waits, without a pause, until the process has a handler for each of the signals. */
async function catches(child: Child, signals: readonly (keyof typeof NUMBERS)[]): Promise<void> {
  const wanted = signals.reduce((mask, signal) => mask | (1n << (NUMBERS[signal] - 1n)), 0n);
  for (const endMs = performance.now() + WITHIN_MS; performance.now() < endMs;) {
    const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
    const caught = BigInt(`0x${/^SigCgt:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    if ((caught & wanted) === wanted) return;
    await sleep(0);
  }
  ok(false, `no handler for ${signals.join(', ')}\n${child.tail()}`);
}

/** The TCP sockets that listen in the namespace of the process: the lab has no other. */
function openPorts(child: Child): readonly string[] {
  const LISTEN = '0A';
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${String(child.pid)}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([, local = '', , state]) => (state === LISTEN ? [local] : [])),
  );
}
