// A carpd and a stock ucarp whose settings don't agree: neither believes the other, both serve, and
// carpd says so with what to do about it. Needs root, namespaces and /usr/sbin/ucarp.
import { equal, match, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { logEntries, logEntry, type LogEntry } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer, PeerOptions } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const ELECTION_MS = 15_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('carpd beside a ucarp with', { skip, concurrency: true }, () => {
  test('another password: both serve, and the digest is told of, not each time', async (t) => {
    const { carpd, ucarp } = await bothMaster(t, { ...GROUP, password: 'another one' });
    const rivalry = await rivalryTold(carpd, 'bad-digest');
    equal(rivalry.level, 'warn');
    match(rivalry.message, /two masters may serve at once/);
    match(rivalry.message, /passphrase/);
    await stayMasters(carpd, ucarp);
    const told = logEntries(carpd, { event: 'advert-rejected' });
    ok(told.length <= 2, `${told.length} lines for packets of one sender`);
  });

  test('another virtual IP: both serve, and the digest is told of', async (t) => {
    const { carpd, ucarp } = await bothMaster(t, { ...GROUP, vip: '10.77.0.101' });
    const rivalry = await rivalryTold(carpd, 'bad-digest');
    equal(rivalry.level, 'warn');
    match(rivalry.message, /two masters may serve at once/);
    match(rivalry.message, /virtual IP/);
    await stayMasters(carpd, ucarp);
  });

  test('another vhid: both serve, and the other group is told of', async (t) => {
    const { carpd, ucarp } = await bothMaster(t, { ...GROUP, vhid: 8 });
    const fields = { reason: 'unknown-vhid', from: ucarp.host.address, vhid: 8 };
    const told = await logEntry(carpd, { event: 'advert-rejected', fields }, 15_000);
    // Several groups on a segment are ordinary; so this is no warning.
    equal(told.level, 'info');
    match(told.message, /same vhid/);
    await stayMasters(carpd, ucarp);
  });
});

/** Starts both and waits until each is master; `other` are the settings of ucarp. */
async function bothMaster(
  t: TestContext,
  other: PeerOptions,
): Promise<{ readonly carpd: Peer; readonly ucarp: Peer }> {
  const lab = await Lab.create(t);
  const carpd = startCarpd(await lab.host('a', '10.77.0.1/24'), GROUP);
  const ucarp = startUcarp(await lab.host('b', '10.77.0.2/24'), other);
  await Promise.all([carpd, ucarp].map((peer) => peer.waitFor('MASTER', ELECTION_MS)));
  return { carpd, ucarp };
}

/** What carpd says of a master that it can't believe, being master itself. */
function rivalryTold(carpd: Peer, reason: string): Promise<LogEntry> {
  return carpd.child.until(
    () => {
      const told = logEntries(carpd, { event: 'advert-rejected', fields: { reason } });
      return told.find(({ message }) => message.includes('two masters'));
    },
    'the warning of two masters',
    15_000,
  );
}

async function stayMasters(...peers: readonly Peer[]): Promise<void> {
  await throughout(() => peers.every((peer) => peer.state() === 'MASTER'), {
    forMs: 3_000,
    what: 'two masters that do not believe each other',
    detail: () => peers.map((peer) => peer.child.tail()).join('\n'),
  });
}
