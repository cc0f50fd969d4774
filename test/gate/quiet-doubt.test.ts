// A master in doubt on a segment on which nobody but its peer is left to speak. Needs root and
// namespaces.
import { equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpdInstances } from '../../lab/carpd-peer.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { OTHER } from './bridge-host.ts';
import { GATED, neverLeft, WITHIN_MS } from './trio.ts';

const skip = await labSkipReason();

describe('a blip of the carrier of a master, nobody else on the segment', { skip }, () => {
  test('the backup asks it, and so ends its doubt', async (t) => {
    const lab = await Lab.create(t);
    const one = await lab.host('b', '10.77.0.1/24');
    const two = await lab.host('a', '10.77.0.9/24');
    const groups = { one: GATED, two: { ...OTHER, gate: 'hold' } } as const;
    // Whoever is slow to start becomes the master all the same.
    const pair = startCarpdInstances(one, {
      one: { ...groups.one, preempt: true },
      two: { ...groups.two, preempt: true },
    });
    const backups = startCarpdInstances(two, {
      one: { ...groups.one, advskew: 50 },
      two: { ...groups.two, advskew: 50 },
    });
    for (const peer of pair) await peer.waitFor('MASTER', WITHIN_MS);
    for (const peer of backups) await peer.waitFor('BACKUP', WITHIN_MS);
    await lab.carrier(one, false);
    await lab.carrier(one, true);
    const [master] = pair;
    ok(master !== undefined);
    // The end of a doubt is told by the same event, without a cause.
    const doubts = (): readonly unknown[] =>
      logEntries(master, { event: 'doubt' }).map(({ fields }) => fields['cause']);
    await logEntry(master, { event: 'doubt' }, WITHIN_MS);
    const isOver = (): true | undefined =>
      doubts().filter((cause) => cause === undefined).length === 2 ? true : undefined;
    await master.child.until(isOver, 'both to doubt no more', WITHIN_MS);
    equal(doubts().filter((cause) => cause === 'epoch-ended').length, 2);
    for (const peer of pair) neverLeft(peer);
    for (const peer of backups) equal(peer.state(), 'BACKUP');
  });
});
