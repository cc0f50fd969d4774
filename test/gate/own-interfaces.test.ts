// A second interface of the host on the same segment: what it says is no word of another station.
// Needs root and namespaces.
import { equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startCarpdInstances } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startPing } from '../../lab/vip.ts';
import { throughout } from '../../lab/wait.ts';
import { OTHER } from './bridge-host.ts';
import { GATED, LONG_MS, WITHIN_MS } from './trio.ts';

const skip = await labSkipReason();

/** eth1 of the host, on the switch beside its eth0, with an address of its own. */
async function secondInterface(lab: Lab, host: Host, cidr: string): Promise<void> {
  const port = `q-${host.name}`;
  const peer = ['peer', 'name', 'eth1', 'netns', host.netns];
  await lab.switch.ip('link', 'add', port, 'type', 'veth', ...peer);
  await lab.switch.ip('link', 'set', port, 'master', 'br0', 'up');
  await host.ip('link', 'set', 'eth1', 'up');
  await host.ip('addr', 'add', cidr, 'dev', 'eth1');
}

describe('a second interface of the host on the segment', { skip, concurrency: true }, () => {
  test('opens no gate, and answers for nobody else', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('b', '10.77.0.1/24');
    const pair = startCarpdInstances(host, { one: GATED, two: { ...OTHER, gate: 'hold' } });
    for (const peer of pair) await peer.waitFor('HELD', WITHIN_MS);
    // It comes only now, and speaks at once.
    await secondInterface(lab, host, '10.77.1.1/24');
    const asking = host.spawn(['arping', '-I', 'eth1', '10.77.1.9'], { label: 'arping' });
    const held = (): boolean => pair.every((peer) => peer.state() === 'HELD');
    await throughout(held, { forMs: LONG_MS, what: 'both are held' });
    equal(asking.exited, undefined);
    const client = await lab.host('c', '10.77.0.50/24');
    const ping = startPing(client, host.address);
    for (const peer of pair) await peer.waitFor('MASTER', WITHIN_MS);
    await ping.stop();
  });
});
