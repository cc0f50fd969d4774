// A process that stands still (SIGSTOP, a stalled or paused machine) in each role, alone and with a
// peer: no false takeover, and a lone master goes on serving. Needs root, namespaces and the ucarp.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { throughout } from '../../lab/wait.ts';
import { calm, GATED, LONG_MS, neverLeft, scene, startGated, WITHIN_MS } from './trio.ts';

/** Below the dead interval, above it, far above it. */
const STOPS_MS = [1_000, 5_000, 10_000];
const skip = await labSkipReason();

describe('a process that stands still', { skip, concurrency: true }, () => {
  for (const stopMs of STOPS_MS) {
    for (const program of ['ucarp', 'carpd'] as const) {
      test(`as BACKUP for ${stopMs} ms: the master of ${program} stays`, async (t) => {
        const { questioned, master } = await scene(t, program);
        const backup = startCarpd(questioned, GATED);
        await backup.waitFor('BACKUP', WITHIN_MS);
        await sleep(1_500);
        await standStill(backup, stopMs);
        await calm(master, backup, LONG_MS);
        neverLeft(master);
        const epochs = logEntries(backup, { event: 'link-epoch' });
        deepEqual(
          epochs.map(({ fields }) => fields['cause']),
          stopMs > 3_000 ? ['late-wake'] : [],
        );
      });
    }

    test(`as HELD for ${stopMs} ms: it is held`, async (t) => {
      const { lab, questioned, master } = await scene(t);
      await lab.port(questioned).block();
      const held = startCarpd(questioned, GATED);
      await held.waitFor('HELD', WITHIN_MS);
      await standStill(held, stopMs);
      await calm(master, held, LONG_MS);
      equal(held.state(), 'HELD');
    });

    test(`as MASTER for ${stopMs} ms, with a peer: one master, who served meanwhile`, async (t) => {
      const lab = await Lab.create(t);
      const hostA = await lab.host('a', '10.77.0.1/24');
      const hostB = await lab.host('b', '10.77.0.9/24');
      const first = startGated(hostA, { policy: 'hold', probe: { targets: [hostB.address] } });
      await first.waitFor('MASTER', WITHIN_MS);
      const second = startCarpd(hostB, { ...GATED, advskew: 20 });
      await second.waitFor('BACKUP', WITHIN_MS);
      await sleep(1_500);
      await standStill(first, stopMs);
      const replaced = second.state() === 'MASTER';
      equal(replaced, stopMs > 5_000 || second.state() === 'MASTER');
      await sleep(2_000);
      const [winner, loser] = replaced ? [second, first] : [first, second];
      await calm(winner, loser, LONG_MS);
      const promotions = [first, second].map(
        ({ transitions }) => transitions.filter(({ to }) => to === 'MASTER').length,
      );
      deepEqual(promotions, [1, replaced ? 1 : 0], 'nobody takes it back');
    });

    test(`as MASTER for ${stopMs} ms, alone: it goes on serving`, async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('a', '10.77.0.1/24');
      const gateway = await lab.host('gw', '10.77.0.254/24');
      const peer = startGated(host, { policy: 'hold', probe: { targets: [gateway.address] } });
      await peer.waitFor('MASTER', WITHIN_MS);
      await standStill(peer, stopMs);
      await throughout(() => peer.state() === 'MASTER', { forMs: LONG_MS, what: 'it serves' });
      const doubts = logEntries(peer, { event: 'doubt' }).map(({ level }) => level);
      deepEqual(doubts, stopMs > 3_000 ? ['warn', 'info'] : [], peer.child.tail());
    });
  }
});

async function standStill(peer: Peer, milliseconds: number): Promise<void> {
  peer.signal('SIGSTOP');
  await sleep(milliseconds);
  peer.signal('SIGCONT');
}
