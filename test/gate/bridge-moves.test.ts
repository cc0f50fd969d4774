// A port that leaves the bridge of the host and is back before anybody looks. Needs root and
// namespaces.
import { deepEqual } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { runSync } from '../../lab/command.ts';
import type { Host } from '../../lab/host.ts';
import { labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startPing } from '../../lab/vip.ts';
import { bridgeScene, masterOverBridge, startBridged } from './bridge-host.ts';
import { calm, LONG_MS, neverLeft, WITHIN_MS } from './trio.ts';

const skip = await labSkipReason();

/** One process and one burst of events, with a guest that keeps the bridge's carrier meanwhile. */
function outAndIn({ netns }: Host): void {
  const lines = ['link set eth0 nomaster', 'link set eth0 master br0'];
  runSync(['ip', '-n', netns, '-batch', '-'], `${lines.join('\n')}\n`);
}

async function epochEnds(peer: Peer): Promise<void> {
  await logEntry(peer, { event: 'link-epoch' }, WITHIN_MS);
  const causes = logEntries(peer, { event: 'link-epoch' }).map(({ fields }) => fields['cause']);
  deepEqual([...new Set(causes)], ['uplink-changed']);
}

describe('a port that leaves the bridge and is back at once', { skip, concurrency: true }, () => {
  test('of a backup: it has to prove itself anew', async (t) => {
    const { questioned, master } = await bridgeScene(t);
    const second = startBridged(questioned);
    await second.waitFor('BACKUP', WITHIN_MS);
    outAndIn(questioned);
    await epochEnds(second);
    await second.waitFor('BACKUP', WITHIN_MS);
    await calm(master, second, LONG_MS / 2);
    neverLeft(master);
  });

  test('of a master of two groups: in doubt until a frame comes in, and master', async (t) => {
    const { healthy, questioned, pair } = await masterOverBridge(t);
    outAndIn(questioned);
    for (const peer of pair) {
      await epochEnds(peer);
      await logEntry(peer, { event: 'doubt', fields: { cause: 'epoch-ended' } }, WITHIN_MS);
    }
    const ping = startPing(healthy, questioned.address);
    const isOver = (peer: Peer): true | undefined => {
      const told = logEntries(peer, { event: 'doubt' });
      return told.length > 0 && told.length % 4 === 0 ? true : undefined;
    };
    for (const peer of pair) {
      await peer.child.until(() => isOver(peer), 'nobody to doubt any more', WITHIN_MS);
    }
    await ping.stop();
    for (const peer of pair) neverLeft(peer);
  });
});
