// Options that must mean the same to carpd and to stock ucarp, tried between the two in both roles.
// Needs root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntry } from '../../lab/carpd-log.ts';
import { startCarpd, startCarpdUcarp, type CarpdOptions } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import type { UcarpOptions } from '../../lab/ucarp-argv.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { eventually, throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const ELECTION_MS = 15_000;
/** A ucarp that hears nothing becomes master 3 to 4 s after it was started, a carpd after 3 s. */
const DEAF_MS = 5_500;
const START_MS = 15_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('carpd and ucarp hear each other', { skip, concurrency: true }, () => {
  test('in another multicast group', async (t) => {
    const group = '239.192.200.5';
    const frames = await eachHearsTheOther(t, { group }, { group });
    for (const { ethernetDestination, destination } of frames) {
      equal(destination, group);
      equal(ethernetDestination, '01:00:5e:40:c8:05');
    }
  });

  test('by broadcast frames to the multicast group', async (t) => {
    const frames = await eachHearsTheOther(t, { broadcast: true }, { broadcast: true });
    for (const { ethernetDestination, destination } of frames) {
      equal(destination, '224.0.0.18');
      equal(ethernetDestination, 'ff:ff:ff:ff:ff:ff');
    }
  });

  test('where only carpd sends to the broadcast address', async (t) => {
    const frames = await eachHearsTheOther(t, { broadcast: true }, {});
    for (const { ethernetDestination, source } of frames) {
      const ours = source === '10.77.0.1';
      equal(ethernetDestination, ours ? 'ff:ff:ff:ff:ff:ff' : '01:00:5e:00:00:12');
    }
  });

  test('with the password of either side in a file', async (t) => {
    const lab = await Lab.create(t);
    const file = join(lab.directory, 'password');
    writeFileSync(file, `${GROUP.password}\nand what follows is no part of it\n`, { mode: 0o600 });
    const fromFile = { config: { passphrase: undefined, passphraseFile: file } };
    await eachHearsTheOther(t, fromFile, {}, lab);
  });

  test('with ucarp -o and a passphrase of the configuration', async (t) => {
    const lab = await Lab.create(t);
    const passfile = join(lab.directory, 'password');
    writeFileSync(passfile, `${GROUP.password}\n`, { mode: 0o600 });
    await eachHearsTheOther(t, {}, { passfile }, lab);
  });
});

describe('hooks of carpd, of its ucarp and of stock ucarp', { skip, concurrency: true }, () => {
  test('get interface, address and xparam', async (t) => {
    for (const calls of await hookCalls(t, { xparam: 'one word' })) {
      deepEqual(calls, [
        ['down', 'eth0', VIP, 'one word'],
        ['up', 'eth0', VIP, 'one word'],
        ['down', 'eth0', VIP, 'one word'],
      ]);
    }
  });

  test('get two arguments without xparam', async (t) => {
    for (const calls of await hookCalls(t, {})) {
      deepEqual(calls, [
        ['down', 'eth0', VIP],
        ['up', 'eth0', VIP],
        ['down', 'eth0', VIP],
      ]);
    }
  });

  test('are not run at the start with neutral', async (t) => {
    for (const calls of await hookCalls(t, { neutral: true })) {
      deepEqual(calls, [
        ['up', 'eth0', VIP],
        ['down', 'eth0', VIP],
      ]);
    }
  });
});

interface Destination {
  readonly source: string;
  readonly ethernetDestination: string;
  readonly destination: string;
}

/**
 * Each in turn is master and the other stays BACKUP for longer than it would if it heard nothing;
 * yields where the adverts went.
 */
async function eachHearsTheOther(
  t: TestContext,
  ofCarpd: Partial<CarpdOptions>,
  ofUcarp: Partial<UcarpOptions>,
  given?: Lab,
): Promise<readonly Destination[]> {
  const lab = given ?? (await Lab.create(t));
  const a = await lab.host('a', '10.77.0.1/24');
  const b = await lab.host('b', '10.77.0.2/24');
  const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
  const first = startCarpd(a, { ...GROUP, ...ofCarpd });
  await first.waitFor('MASTER', ELECTION_MS);
  const ucarp = startUcarp(b, { ...GROUP, ...ofUcarp });
  await staysBackup(ucarp, first);
  await first.kill();
  await ucarp.waitFor('MASTER', ELECTION_MS);
  const second = startCarpd(a, { ...GROUP, ...ofCarpd });
  await staysBackup(second, ucarp);
  second.signal('SIGUSR1');
  const fields = { state: 'BACKUP', master: b.address };
  await logEntry(second, { event: 'state', fields }, 15_000);
  for (const { address } of [a, b]) ok(seen.adverts({ source: address }).length >= 4);
  return seen.adverts().map(({ advert }) => advert);
}

async function staysBackup(peer: Peer, master: Peer): Promise<void> {
  await peer.waitFor('BACKUP', START_MS);
  await throughout(() => peer.state() === 'BACKUP' && master.state() === 'MASTER', {
    forMs: DEAF_MS,
    what: `${peer.kind} hears ${master.kind}`,
    detail: () => `${peer.child.tail()}\n${master.child.tail()}`,
  });
}

/** The hook calls of the three programs from their start over MASTER to SIGTERM. */
async function hookCalls(
  t: TestContext,
  options: Partial<UcarpOptions>,
): Promise<readonly (readonly string[])[][]> {
  const group = { ...GROUP, deadRatio: 1, ...options };
  const starts: readonly ((host: Host) => Peer)[] = [
    (host) => startCarpd(host, group),
    (host) => startCarpdUcarp(host, group),
    (host) => startUcarp(host, group),
  ];
  return Promise.all(
    starts.map(async (start) => {
      const lab = await Lab.create(t);
      const peer = start(await lab.host('a', '10.77.0.1/24'));
      await peer.waitFor('MASTER', ELECTION_MS);
      const upRan = (): boolean => peer.hookLog().some(({ hook }) => hook === 'up');
      await eventually(upRan, { withinMs: 15_000, what: 'the up hook', detail: () => peer.log() });
      equal((await peer.stop()).code, 0, peer.child.tail());
      return peer.hookLog().map(({ hook, args }) => [hook, ...args]);
    }),
  );
}
