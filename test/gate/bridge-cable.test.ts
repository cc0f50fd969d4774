// A bridge whose way out is a cable (a veth) to another bridge of the same host, with a guest on
// that one. Needs root and namespaces.
import { equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startPing } from '../../lab/vip.ts';
import { throughout } from '../../lab/wait.ts';
import { bridged, guestOf, startBridgedPair } from './bridge-host.ts';
import { LONG_MS, WITHIN_MS } from './trio.ts';

const skip = await labSkipReason();

/** The host's address stays on br0; the link to the switch is a port of br1 behind it. */
async function cabled(host: Host): Promise<void> {
  await bridged(host);
  await host.ip('link', 'add', 'br1', 'up', 'type', 'bridge', 'mcast_snooping', '0');
  await host.ip('link', 'set', 'eth0', 'nomaster');
  await host.ip('link', 'set', 'eth0', 'master', 'br1');
  await host.ip('link', 'add', 'near', 'type', 'veth', 'peer', 'far');
  await host.ip('link', 'set', 'near', 'master', 'br0', 'up');
  await host.ip('link', 'set', 'far', 'master', 'br1', 'up');
}

describe('a bridge behind another bridge', { skip, concurrency: true }, () => {
  test('a guest of the far one opens no gate, what comes through its port does', async (t) => {
    const lab = await Lab.create(t);
    const client = await lab.host('c', '10.77.0.50/24');
    const host = await lab.host('b', '10.77.0.1/24');
    await cabled(host);
    await lab.port(host).block();
    const guest = await guestOf(lab, host, 'g', '10.77.0.60/24');
    await host.ip('link', 'set', 'p-g', 'master', 'br1');
    const pair = startBridgedPair(host);
    for (const peer of pair) await peer.waitFor('HELD', WITHIN_MS);
    const chatter = startPing(guest, host.address);
    await chatter.answer(nowMs(), WITHIN_MS);
    const held = (): boolean => pair.every((peer) => peer.state() === 'HELD');
    await throughout(held, { forMs: LONG_MS / 2, what: 'both are held' });
    await lab.port(host).unblock();
    const ping = startPing(client, host.address);
    for (const peer of pair) await peer.waitFor('MASTER', WITHIN_MS);
    // The near bridge keeps its carrier by the cable.
    const lostMs = nowMs();
    await lab.carrier(host, false);
    for (const peer of pair) await peer.nextTransition('HELD', lostMs, WITHIN_MS);
    await throughout(held, { forMs: LONG_MS / 2, what: 'both are held' });
    await ping.stop();
    equal((await chatter.stop()).sent > 0, true);
  });
});
