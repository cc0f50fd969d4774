// Who takes the address from a master that is alive but worse: a node with preempt set, after one
// dead interval in BACKUP in the case of carpd, and nobody else. Needs root, namespaces and
// /usr/sbin/ucarp.
import { equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import { soleMaster } from '../../lab/peer.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';
import {
  between,
  bothStay,
  complainsOnlyOf,
  deadMs,
  ELECTION_MS,
  holdsAlone,
  intervalMs,
  path,
  REACTION_MS,
  startDuo,
  startRole,
  twoHosts,
  UCARP_HEARS_MS,
  type Role,
} from './duo.ts';

const WORSE = { advskew: 100 } as const;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('a better node with preempt', { skip, concurrency: true }, () => {
  for (const [kind, worse] of [
    ['carpd', 'ucarp'],
    ['carpd', 'carpd'],
    ['carpd-ucarp', 'ucarp'],
  ] as const) {
    test(`${kind} waits for a dead interval, then takes the VIP from ${worse}`, async (t) => {
      const roles = [
        { kind: worse, ...WORSE },
        { kind, preempt: true },
      ] as const;
      const { lab, client, master, backup } = await startDuo(t, ...roles);
      const seen = await Capture.start(client);
      const backedUp = backup.transitions.at(-1);
      const promoted = await backup.waitFor('MASTER', ELECTION_MS);
      equal(promoted.cause, 'preempt');
      // It acts on the first advert of the master that it hears after that time.
      const waitedMs = promoted.atMs - (backedUp?.atMs ?? 0);
      t.diagnostic(`${waitedMs.toFixed(0)} ms as backup`);
      between(waitedMs, deadMs({}) - 50, deadMs({}) + 2_000 + intervalMs(WORSE), 'wait as backup');
      const yielded = await master.nextTransition('BACKUP', promoted.atMs - 100, ELECTION_MS);
      const mostMs = worse === 'ucarp' ? UCARP_HEARS_MS : REACTION_MS;
      between(yielded.atMs - promoted.atMs, -50, mostMs, 'promotion to yield');
      await bothStay(master, backup);
      await holdsAlone(lab, backup);
      await seen.stop();
      const [first] = seen.adverts({ source: backup.host.address });
      const heard = seen
        .adverts({ source: master.host.address })
        .filter(({ atMs }) => atMs < (first?.atMs ?? 0));
      equal(first?.advert.counter, (heard.at(-1)?.advert.counter ?? 0n) + 1n);
      // The farewell of the yielding master is an advert of a worse one.
      complainsOnlyOf(backup, 'conflict');
      if (worse === 'carpd') complainsOnlyOf(master);
    });
  }

  for (const kind of ['carpd', 'carpd-ucarp'] as const) {
    test(`ucarp takes the VIP from ${kind}, which says farewell once`, async (t) => {
      const { lab, a, b, client } = await twoHosts(t);
      const master = startRole(a, { kind, ...WORSE });
      const { atMs } = await master.waitFor('MASTER', ELECTION_MS);
      await holdsAlone(lab, master);
      const seen = await Capture.start(client);
      const backup = startRole(b, { kind: 'ucarp', preempt: true });
      const yielded = await master.nextTransition('BACKUP', atMs, ELECTION_MS);
      equal(yielded.cause, 'better-advert');
      equal(await soleMaster([master, backup], ELECTION_MS), backup);
      await bothStay(master, backup);
      await holdsAlone(lab, backup);
      await seen.stop();
      const [better] = seen.adverts({ source: b.address });
      ok(better !== undefined);
      between(yielded.atMs - better.atMs, -50, REACTION_MS, 'better advert to yield');
      const after = seen.adverts({ source: a.address, afterMs: better.atMs });
      // A regular advert may have left at the same moment; it counts from another number.
      const farewell = after.filter(({ advert }) => advert.counter === better.advert.counter + 1n);
      equal(farewell.length, 1);
      equal(after.at(-1), farewell[0], 'and then silence');
      complainsOnlyOf(master);
    });
  }
});

describe('the master stays where the backup', { skip, concurrency: true }, () => {
  stays('is better, without preempt', { kind: 'ucarp', ...WORSE }, { kind: 'carpd' });
  stays('is better, without preempt', { kind: 'carpd', ...WORSE }, { kind: 'ucarp' });
  stays('is better, without preempt', { kind: 'carpd', ...WORSE }, { kind: 'carpd' });
  // The equal address of the backup (.2) or of the master (.1) plays no part in preemption.
  stays('is equal, with preempt', { kind: 'ucarp' }, { kind: 'carpd', preempt: true });
  stays('is equal, with preempt', { kind: 'carpd' }, { kind: 'ucarp', preempt: true });
  stays('is worse, with preempt', { kind: 'ucarp' }, { kind: 'carpd', preempt: true, ...WORSE });
});

function stays(what: string, first: Role, second: Role): void {
  test(`${what}: ${second.kind} under ${first.kind}`, async (t) => {
    const { lab, master, backup } = await startDuo(t, first, second);
    const before = [path(master), path(backup)].join(' / ');
    // Two dead intervals and an interval more: time enough for a preemption, were there one.
    await throughout(() => master.state() === 'MASTER' && backup.state() === 'BACKUP', {
      forMs: 8_000,
      what: 'the same master',
      detail: () => lab.report(),
    });
    equal([path(master), path(backup)].join(' / '), before);
    await holdsAlone(lab, master);
    for (const peer of [master, backup]) complainsOnlyOf(peer);
  });
}
