// What becomes of a master whose link is set down or loses its carrier, with carpd and the real
// ucarp in both roles. Needs root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nowMs } from '../../lab/clock.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import type { PeerKind } from '../../lab/peer.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';
import {
  between,
  bothStay,
  complainsOnlyOf,
  holdsAlone,
  inFormula,
  path,
  startDuo,
  takeover,
  VIP,
  watched,
  type Duo,
} from './duo.ts';

const PAIRS: readonly (readonly [master: PeerKind, backup: PeerKind])[] = [
  ['carpd', 'ucarp'],
  ['carpd', 'carpd'],
  ['carpd-ucarp', 'ucarp'],
];
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('the link of the master is set down', { skip, concurrency: true }, () => {
  for (const second of ['ucarp', 'carpd'] as const) {
    test(`carpd: has no state, ${second} takes over; up again it is the backup`, async (t) => {
      const { lab, client, master, backup } = await startDuo(
        t,
        { kind: 'carpd' },
        { kind: second },
      );
      const seen = await watched(client, master);
      const downMs = nowMs();
      await master.host.linkDown();
      const left = await master.nextTransition('INIT', downMs, 5_000);
      equal(left.cause, 'interface-down');
      between(left.atMs - downMs, -50, 2_500, 'link down to step down');
      const { last, first } = await takeover(seen, master, backup);
      inFormula(t, backup, first.atMs - last.atMs);
      await holdsAlone(lab, backup);
      await master.host.linkUp();
      await master.nextTransition('BACKUP', left.atMs, 5_000);
      await bothStay(master, backup);
      await holdsAlone(lab, backup);
      complainsOnlyOf(backup);
      complainsOnlyOf(master, 'interface-unusable', 'send-failed', 'announce-failed');
    });
  }

  test("carpd's ucarp: ends with 0 and without the VIP, ucarp takes over", async (t) => {
    const roles = [{ kind: 'carpd-ucarp' }, { kind: 'ucarp' }] as const;
    const { lab, client, master, backup } = await startDuo(t, ...roles);
    const seen = await watched(client, master);
    await master.host.linkDown();
    equal((await master.child.ended(5_000)).code, 0);
    equal(master.hookLog().at(-1)?.hook, 'down');
    const { last, first } = await takeover(seen, master, backup);
    inFormula(t, backup, first.atMs - last.atMs);
    await holdsAlone(lab, backup);
  });

  test('ucarp: carpd takes over', async (t) => {
    const roles = [{ kind: 'ucarp' }, { kind: 'carpd' }] as const;
    const { client, master, backup } = await startDuo(t, ...roles);
    const seen = await watched(client, master);
    await master.host.linkDown();
    const { last, first } = await takeover(seen, master, backup);
    inFormula(t, backup, first.atMs - last.atMs);
    await eventually(async () => (await whoHolds([backup.host], VIP)).length === 1, {
      withinMs: 15_000,
      what: 'the VIP on the backup',
    });
    complainsOnlyOf(backup);
  });
});

describe('the master loses its carrier', { skip, concurrency: true }, () => {
  for (const [first, second] of PAIRS) {
    test(`${first}: held after an interval, ${second} takes over and keeps the VIP`, async (t) => {
      const duo = await startDuo(t, { kind: first }, { kind: second });
      const { lab, client, master, backup } = duo;
      const seen = await watched(client, master);
      const lostMs = nowMs();
      await lab.carrier(master.host, false);
      const held = await master.nextTransition('HELD', lostMs, 5_000);
      equal(held.cause, 'carrier-lost');
      // From when the kernel tells of it, which is not at once, to when the address is off.
      between(held.atMs - lostMs, 900, 4_000, 'carrier lost to step down');
      const { last, first: taken } = await takeover(seen, master, backup);
      inFormula(t, backup, taken.atMs - last.atMs);
      await holdsAlone(lab, backup);
      await lab.carrier(master.host, true);
      await master.nextTransition('BACKUP', held.atMs, 5_000);
      await bothStay(master, backup);
      await holdsAlone(lab, backup);
      complainsOnlyOf(backup);
      complainsOnlyOf(master, 'send-failed', 'announce-failed');
    });
  }

  for (const [kind, other] of [
    ['carpd', 'ucarp'],
    ['carpd', 'carpd'],
  ] as const) {
    test(`${kind}: a blip of less than an interval changes nothing, under ${other}`, async (t) => {
      // An interval that a blip made by a busy machine does not outlast, in one command.
      const slow = { advbase: 3 };
      const { lab, master, backup } = await startDuo(
        t,
        { kind, ...slow },
        { kind: other, ...slow },
      );
      const before = [path(master), path(backup)];
      const port = `p-${master.host.name}`;
      const blip = `ip link set ${port} down; sleep 0.2; ip link set ${port} up`;
      await lab.switch.exec(['sh', '-ec', blip]);
      await throughout(() => master.state() === 'MASTER' && backup.state() === 'BACKUP', {
        forMs: 5_000,
        what: 'the same master',
        detail: () => lab.report(),
      });
      deepEqual([path(master), path(backup)], before);
      await holdsAlone(lab, master);
    });
  }

  test('ucarp: carpd takes over, and keeps the VIP when ucarp comes back', async (t) => {
    const duo = await startDuo(t, { kind: 'ucarp' }, { kind: 'carpd' });
    const { lab, client, master, backup } = duo;
    const seen = await watched(client, master);
    await lab.carrier(master.host, false);
    const { last, first } = await takeover(seen, master, backup);
    inFormula(t, backup, first.atMs - last.atMs);
    await master.waitFor('BACKUP', 5_000);
    await lab.carrier(master.host, true);
    // It looks at its carrier every 10 s only, and then waits for its dead interval.
    await throughout(() => backup.state() === 'MASTER' && master.state() === 'BACKUP', {
      forMs: 15_000,
      what: 'carpd to stay master',
      detail: () => lab.report(),
    });
    await holdsAlone(lab, backup);
  });

  test('a backup without carrier is held, and the master does not care', async (t) => {
    const duo = await startDuo(t, { kind: 'ucarp' }, { kind: 'carpd' });
    const { lab, master, backup } = duo;
    await lab.carrier(backup.host, false);
    await backup.waitFor('HELD', 5_000);
    await staysFor(duo, 'HELD', 4_000);
    await lab.carrier(backup.host, true);
    await backup.waitFor('BACKUP', 5_000);
    await staysFor(duo, 'BACKUP', 4_000);
    equal(master.transitions.length, 2);
    await holdsAlone(lab, master);
    complainsOnlyOf(backup);
  });
});

function staysFor({ master, backup }: Duo, state: 'HELD' | 'BACKUP', forMs: number): Promise<void> {
  return throughout(() => master.state() === 'MASTER' && backup.state() === state, {
    forMs,
    what: `a master and a ${state}`,
  });
}
