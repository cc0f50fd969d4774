// A master and its backup leave each other alone: one minute of carpd and the real ucarp in both
// roles without a transition. Needs root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Capture, type AdvertFrame } from '../../lab/capture.ts';
import { nowMs } from '../../lab/clock.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';
import { between, complainsOnlyOf, countsUp, holdsAlone, startDuo, VIP, type Role } from './duo.ts';

const STEADY_MS = 60_000;
/** Two intervals and what stock ucarp adds: by then the delayed announcement is over. */
const SETTLED_ADVERTS = 4;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('one minute without a transition', { skip, concurrency: true }, () => {
  steady('carpd under a ucarp master', { kind: 'ucarp' }, { kind: 'carpd' });
  steady('ucarp under a carpd master', { kind: 'carpd' }, { kind: 'ucarp' });
  steady("carpd's ucarp under a ucarp master", { kind: 'ucarp' }, { kind: 'carpd-ucarp' });
  steady("ucarp under a master that is carpd's ucarp", { kind: 'carpd-ucarp' }, { kind: 'ucarp' });
  steady('carpd under a carpd master', { kind: 'carpd' }, { kind: 'carpd' });
  // Without preemption a better backup lets a worse master be.
  steady('ucarp under a slower carpd', { kind: 'carpd', advskew: 200 }, { kind: 'ucarp' });
});

function steady(name: string, first: Role, second: Role): void {
  test(name, async (t) => {
    const { lab, client, master, backup } = await startDuo(t, first, second);
    const seen = await Capture.start(client);
    await seen.advert(SETTLED_ADVERTS, {}, 15_000);
    const fromMs = nowMs();
    const before = [master.transitions.length, backup.transitions.length];
    await throughout(() => master.state() === 'MASTER' && backup.state() === 'BACKUP', {
      forMs: STEADY_MS,
      what: 'one master and one backup',
      detail: () => lab.report(),
    });
    await holdsAlone(lab, master);
    deepEqual([master.transitions.length, backup.transitions.length], before);
    for (const peer of [master, backup]) complainsOnlyOf(peer);
    await seen.stop();
    const adverts = seen.adverts({ afterMs: fromMs });
    equal(seen.adverts({ source: backup.host.address }).length, 0, 'the backup is silent');
    deepEqual(seen.gratuitousArps(VIP, fromMs), [], 'nothing is announced without a cause');
    checkPace(master, first, adverts);
  });
}

/** The master's adverts come at the interval of the formula, and each counts one up. */
function checkPace(master: Peer, { advskew = 0 }: Role, adverts: readonly AdvertFrame[]): void {
  const times = adverts.map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
  const meanMs = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / gaps.length;
  const formulaMs = 1_000 + (advskew * 1_000) / 256;
  if (master.kind === 'ucarp') {
    // Its poll ends late every time, and a master that never heard anybody counts at random.
    between(meanMs, formulaMs, formulaMs + 300, 'mean interval');
    return;
  }
  // A late advert does not put off the next one, so that the mean is much better than each of them.
  between(meanMs, formulaMs - 50, formulaMs + 50, 'mean interval');
  between(Math.max(...gaps), formulaMs - 10, formulaMs + 1_500, 'longest interval');
  countsUp(adverts);
}
