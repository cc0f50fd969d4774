// A port that forwards nothing is not silent: what it emits by itself proves nothing, each kind
// alone and all together. Needs root and namespaces.
import { equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { throughout } from '../../lab/wait.ts';
import { makeNoise, NOISE_KINDS, send, STATION_ASKS } from './noise.ts';
import { GATED, WITHIN_MS } from './trio.ts';

const NOISY_MS = 10_000;
const skip = await labSkipReason();

describe('noise of a port that forwards nothing', { skip, concurrency: true }, () => {
  test('of each kind alone opens no gate; one ARP request of a station does', async (t) => {
    const lab = await Lab.create(t);
    const names = Object.keys(NOISE_KINDS);
    const nodes = await Promise.all(
      names.map(async (name, index) => {
        const host = await lab.host(name, `10.77.0.${String(index + 1)}/24`);
        await lab.port(host).block();
        makeNoise(lab, host, [name]);
        const vip = `10.77.1.${String(index + 1)}`;
        return { host, peer: startCarpd(host, { ...GATED, vhid: index + 1, vip }) };
      }),
    );
    await Promise.all(nodes.map(({ peer }) => peer.waitFor('HELD', 2 * WITHIN_MS)));
    const held = (): boolean => nodes.every(({ peer }) => peer.state() === 'HELD');
    const detail = (): string => nodes.map(({ peer }) => peer.log()).join('\n');
    await throughout(held, { forMs: NOISY_MS, what: 'all of them to be held', detail });
    for (const { host, peer } of nodes) {
      ok(received(host) > 50, `${host.name} has received frames`);
      const last = logEntries(peer, { event: 'gate-closed' }).at(-1);
      equal(last?.fields['reasons'], 'no-frames', host.name);
    }
    for (const { host } of nodes) send(lab, host, [STATION_ASKS]);
    await Promise.all(nodes.map(({ peer }) => peer.waitFor('MASTER', WITHIN_MS)));
  });

  test('of all kinds together opens none in half a minute', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await lab.port(host).block();
    makeNoise(lab, host, Object.keys(NOISE_KINDS));
    const peer = startCarpd(host, GATED);
    await peer.waitFor('HELD', WITHIN_MS);
    await throughout(() => peer.state() === 'HELD', { forMs: 30_000, what: 'it is held' });
  });
});

/** What the kernel counts, noise and all. */
function received(host: Host): number {
  const pid = host.children[0]?.pid;
  const table = readFileSync(`/proc/${String(pid)}/net/dev`, 'utf8');
  return Number(/eth0:\s*\d+\s+(\d+)/.exec(table)?.[1]);
}
