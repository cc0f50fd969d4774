// What the stock ucarp does in the lab (needs root): the reference that carpd is measured against.
// Each test stands for a fact about ucarp; where one fails, the lab or that fact is wrong.
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { soleMaster, type Peer } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { startPing, whoAnswers, whoHolds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const ELECTION_MS = 10_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('two stock ucarps', { skip, concurrency: true }, () => {
  test('elect one master, and the other one takes over after SIGKILL', async (t) => {
    const { lab, client, peers } = await pair(t);
    const master = await soleMaster(peers, ELECTION_MS);
    const other = otherOf(peers, master);
    equal(other.state(), 'BACKUP');
    await holdsAlone(lab, master);
    const seen = await Capture.start(client);
    await seen.advert(1, { source: master.host.address }, 5_000);
    await master.kill();
    const first = await seen.advert(1, { source: other.host.address }, ELECTION_MS);
    const last = seen.adverts({ source: master.host.address }).at(-1);
    ok(last !== undefined);
    const silentMs = first.atMs - last.atMs;
    t.diagnostic(`last advert to first advert: ${silentMs.toFixed(0)} ms`);
    ok(silentMs > 2_990 && silentMs < 6_000, `the formula says 3000, not ${silentMs} ms`);
    await other.waitFor('MASTER', 5_000);
    // Nobody removed the address from the killed master's host, which goes on answering for it.
    deepEqual(await whoHolds(lab.hosts, VIP), [master.host, other.host]);
    const macs = [master.host.mac, other.host.mac].sort();
    deepEqual((await whoAnswers(client, VIP)).sort(), macs);
    equal(seen.gratuitousArps(VIP).at(-1)?.arp.senderMac, other.host.mac);
    await seen.stop();
  });

  test('leave a gap of seconds when the master is asked to end', async (t) => {
    const { lab, client, peers } = await pair(t);
    const master = await soleMaster(peers, ELECTION_MS);
    const other = otherOf(peers, master);
    await holdsAlone(lab, master);
    const ping = startPing(client, VIP);
    await ping.answer(nowMs(), 3_000);
    const termMs = nowMs();
    equal((await master.stop()).code, 0);
    await ping.answer(termMs + 1_000, ELECTION_MS);
    await holdsAlone(lab, other);
    const { longestGapMs } = await ping.stop();
    t.diagnostic(`ping gap after SIGTERM: ${longestGapMs.toFixed(0)} ms`);
    ok(longestGapMs > 1_500 && longestGapMs < 8_000, `a gap of ${longestGapMs} ms`);
    equal(master.hookLog().at(-1)?.hook, 'down');
    const downTo = master.hookLog().at(-1);
    deepEqual(downTo?.args, ['eth0', VIP]);
  });

  test('compare equals by the last octet first: 10.0.1.1 wins over 10.0.0.2', async (t) => {
    const lab = await Lab.create(t);
    const group = { ...GROUP, vip: '10.0.7.7' };
    const higher = startUcarp(await lab.host('a', '10.0.0.2/16'), group);
    const lower = startUcarp(await lab.host('b', '10.0.1.1/16'), group);
    await lab.port(lower.host).block();
    await Promise.all([higher, lower].map((peer) => peer.waitFor('MASTER', ELECTION_MS)));
    await lab.port(lower.host).unblock();
    equal(await soleMaster([higher, lower], ELECTION_MS), lower);
    await throughout(() => lower.state() === 'MASTER' && higher.state() === 'BACKUP', {
      forMs: 3_000,
      what: 'one master',
    });
    equal(lower.transitions.filter(({ to }) => to === 'MASTER').length, 1);
  });

  test('are both masters while a port is blocked, and one when it opens', async (t) => {
    const { lab, peers } = await pair(t);
    const master = await soleMaster(peers, ELECTION_MS);
    const other = otherOf(peers, master);
    await lab.port(other.host).block();
    await other.waitFor('MASTER', ELECTION_MS);
    equal(master.state(), 'MASTER');
    await lab.port(other.host).unblock();
    const left = await soleMaster(peers, ELECTION_MS);
    equal(left.host.address, '10.77.0.1', 'the lower address keeps the VIP');
    await holdsAlone(lab, left);
  });

  test('go on without a master that lost its carrier', async (t) => {
    const { lab, peers } = await pair(t);
    const master = await soleMaster(peers, ELECTION_MS);
    await lab.carrier(master.host, false);
    await master.waitFor('BACKUP', 5_000);
    await otherOf(peers, master).waitFor('MASTER', ELECTION_MS);
  });
});

describe('one stock ucarp', { skip, concurrency: true }, () => {
  test('answers SIGUSR1, passes xparam to its hooks and runs the downscript first', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startUcarp(host, { ...GROUP, deadRatio: 1, xparam: 'a b' });
    const { atMs } = await peer.waitFor('MASTER', ELECTION_MS);
    peer.signal('SIGUSR1');
    await peer.child.line(/\[INFO\] MASTER on eth0 id 7/, 5_000, atMs);
    await eventually(() => peer.hookLog().length === 2, { withinMs: 15_000, what: 'two hooks' });
    deepEqual(
      peer.hookLog().map(({ hook, args }) => [hook, ...args]),
      [
        ['down', 'eth0', VIP, 'a b'],
        ['up', 'eth0', VIP, 'a b'],
      ],
    );
    await peer.stop();
    equal(peer.state(), undefined);
    deepEqual(await whoHolds([host], VIP), []);
  });

  test('ends with 0 when its interface is set down', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    const peer = startUcarp(host, GROUP);
    await peer.waitFor('BACKUP', 5_000);
    // Outside its poll it would take the link for one without carrier, and wait for that.
    const inPoll = (): boolean =>
      readFileSync(`/proc/${peer.child.pid}/wchan`, 'utf8').includes('poll');
    await eventually(inPoll, { withinMs: 15_000, everyMs: 2, what: 'ucarp to poll' });
    await host.linkDown();
    equal((await peer.child.ended(5_000)).code, 0);
  });
});

async function pair(t: Parameters<typeof Lab.create>[0]): Promise<{
  readonly lab: Lab;
  readonly client: Awaited<ReturnType<Lab['host']>>;
  readonly peers: readonly [Peer, Peer];
}> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  const b = await lab.host('b', '10.77.0.2/24');
  const client = await lab.host('client', '10.77.0.9/24');
  const peers = [startUcarp(a, GROUP), startUcarp(b, GROUP)] as const;
  for (const peer of peers) await peer.waitFor('BACKUP', 5_000);
  return { lab, client, peers };
}

function otherOf(peers: readonly [Peer, Peer], one: Peer): Peer {
  const other = peers[0] === one ? peers[1] : peers[0];
  notEqual(other, one);
  return other;
}

/** Waits until the hooks have done their work. */
function holdsAlone(lab: Lab, peer: Peer): Promise<boolean> {
  const alone = async (): Promise<boolean> => {
    const holders = await whoHolds(lab.hosts, peer.vip);
    return holders.length === 1 && holders[0] === peer.host;
  };
  return eventually(alone, { withinMs: 15_000, what: `${peer.host.name} alone to have the VIP` });
}
