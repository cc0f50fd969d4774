// Ten minutes of real time: a master and its backup leave each other alone, carpd and the real
// ucarp in both roles. Needs root, namespaces and /usr/sbin/ucarp.
import { deepEqual } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { complainsOnlyOf, holdsAlone, startDuo, type Role } from '../interop/duo.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';

const TEN_MINUTES_MS = 600_000;
/** The start and the delayed announcement lie behind by then. */
const SETTLED_MS = 5_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('ten minutes without a transition', { skip, concurrency: true }, () => {
  steady('carpd under a ucarp master', { kind: 'ucarp' }, { kind: 'carpd' });
  steady('ucarp under a carpd master', { kind: 'carpd' }, { kind: 'ucarp' });
  steady('carpd under a carpd master', { kind: 'carpd' }, { kind: 'carpd' });
  steady("carpd's ucarp under a ucarp master", { kind: 'ucarp' }, { kind: 'carpd-ucarp' });
});

function steady(name: string, first: Role, second: Role): void {
  test(name, async (t) => {
    const { lab, master, backup } = await startDuo(t, first, second);
    const isSettled = (): boolean => master.state() === 'MASTER' && backup.state() === 'BACKUP';
    const detail = (): string => lab.report();
    await throughout(isSettled, { forMs: SETTLED_MS, what: 'one master and one backup', detail });
    const before = [master.transitions.length, backup.transitions.length];
    await throughout(isSettled, { forMs: TEN_MINUTES_MS, what: 'no transition', detail });
    deepEqual([master.transitions.length, backup.transitions.length], before);
    await holdsAlone(lab, master);
    for (const peer of [master, backup]) complainsOnlyOf(peer);
  });
}
