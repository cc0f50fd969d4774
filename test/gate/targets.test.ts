// Probe targets that do not answer, and such that two hosts claim to be. Needs root and namespaces.
import { deepEqual } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startPing } from '../../lab/vip.ts';
import { throughout } from '../../lab/wait.ts';
import { calm, neverLeft, scene, startGated, WITHIN_MS } from './trio.ts';

/** Nobody's, unless a test gives it to somebody. */
const NOBODY = '10.77.0.77';
const CALM_MS = 8_000;
const skip = await labSkipReason();

describe('a probe target', { skip, concurrency: true }, () => {
  test('that nobody has: held where answers are required, whatever else is heard', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    startPing(await lab.host('c', '10.77.0.50/24'), '10.77.0.66');
    const peer = startGated(host, strict(NOBODY));
    const fields = { reasons: 'no-probe-answer' };
    const closed = { event: 'gate-closed', fields } as const;
    await peer.waitFor('HELD', WITHIN_MS);
    await logEntry(peer, closed, WITHIN_MS);
    await throughout(() => peer.state() === 'HELD', { forMs: CALM_MS, what: 'it is held' });
    deepEqual(logEntries(peer, { event: 'gate-closed' }).at(-1)?.fields['reasons'], fields.reasons);
  });

  test('that nobody has: the answers of the master are as good', async (t) => {
    const { questioned, master } = await scene(t);
    const second = startGated(questioned, strict(NOBODY));
    await second.waitFor('BACKUP', WITHIN_MS);
    await calm(master, second, CALM_MS);
    neverLeft(master);
  });

  test('that two hosts claim to be: either answer proves the link', async (t) => {
    const { lab, questioned, master } = await scene(t);
    await lab.host('g', `${NOBODY}/24`);
    await lab.host('h', `${NOBODY}/24`);
    const second = startGated(questioned, strict(NOBODY));
    await second.waitFor('BACKUP', WITHIN_MS);
    await calm(master, second, CALM_MS);
    neverLeft(master);
  });
});

function strict(target: string): Readonly<Record<string, unknown>> {
  return { policy: 'hold', requireProbe: true, probe: { targets: [target] } };
}
