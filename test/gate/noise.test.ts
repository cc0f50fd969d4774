// A port that forwards nothing is not silent: what it emits by itself proves nothing, each kind
// alone and all together. Needs root and namespaces.
import { equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startCarpd } from '../lab/carpd-peer.ts';
import { logEntries } from '../lab/carpd-log.ts';
import type { Host } from '../lab/host.ts';
import { Lab, labSkipReason } from '../lab/namespaces.ts';
import { throughout } from '../lab/wait.ts';
import { arpBody, frame, hopByHop, icmp, ipv4, ipv6, NO_IPV6 } from '../support/frames.ts';
import { GATED, WITHIN_MS } from './trio.ts';

const NOISE = fileURLToPath(new URL('../lab/noise.py', import.meta.url));
const NOISY_MS = 10_000;
const SWITCH_MAC = '02:00:00:00:ee:01';
const skip = await labSkipReason();

const from = SWITCH_MAC;
const padded = (bytes: readonly number[]): number[] => [...bytes, ...Array<number>(46).fill(0)];
const KINDS: Readonly<Record<string, (own: string) => Uint8Array>> = {
  lacpdu: () => frame({ from, to: '01:80:c2:00:00:02', type: 0x8809 }, padded([1, 1])),
  lldp: () => frame({ from, to: '01:80:c2:00:00:0e', type: 0x88cc }, padded([2, 7])),
  bpdu: () => frame({ from, to: '01:80:c2:00:00:00', type: 38 }, padded([0x42, 0x42, 3])),
  pvst: () => frame({ from, to: '01:00:0c:cc:cc:cd', type: 50 }, padded([0xaa, 0xaa, 3])),
  cdp: () => frame({ from, to: '01:00:0c:cc:cc:cc', type: 50 }, padded([0xaa, 0xaa, 3])),
  pause: () => frame({ from, to: '01:80:c2:00:00:01', type: 0x8808 }, padded([0, 1])),
  keepalive: () => frame({ from, to: from, type: 0x9000 }, padded([0, 0])),
  igmp: () => frame({ from, to: '01:00:5e:00:00:16', type: 0x0800 }, padded(ipv4(2))),
  mld: () =>
    frame(
      { from, to: '33:33:00:00:00:16', type: 0x86dd },
      ipv6(0, [...hopByHop(58), ...icmp(143)]),
    ),
  solicitation: () => frame({ from, type: 0x86dd }, ipv6(58, icmp(133))),
  nobody: () => frame({ from, type: 0x86dd }, ipv6(58, icmp(135), NO_IPV6)),
  reflected: (own) => frame({ from: own, type: 0x0806 }, padded(arpBody(1, own))),
  vlan: () => frame({ from, tags: [0x8100, 9], type: 0x0806 }, padded(arpBody())),
};

describe('noise of a port that forwards nothing', { skip, concurrency: true }, () => {
  test('of each kind alone opens no gate; one ARP request of a station does', async (t) => {
    const lab = await Lab.create(t);
    const names = Object.keys(KINDS);
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
    const station = frame({ from, type: 0x0806 }, padded(arpBody()));
    for (const { host } of nodes) send(lab, host, [station]);
    await Promise.all(nodes.map(({ peer }) => peer.waitFor('MASTER', WITHIN_MS)));
  });

  test('of all kinds together opens none in half a minute', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await lab.port(host).block();
    makeNoise(lab, host, Object.keys(KINDS));
    const peer = startCarpd(host, GATED);
    await peer.waitFor('HELD', WITHIN_MS);
    await throughout(() => peer.state() === 'HELD', { forMs: 30_000, what: 'it is held' });
  });
});

function makeNoise(lab: Lab, host: Host, kinds: readonly string[]): void {
  send(
    lab,
    host,
    kinds.flatMap((kind) => KINDS[kind]?.(host.mac) ?? []),
  );
}

/** Out of the switch's port, again and again, past the bridge that forwards nothing to it. */
function send(lab: Lab, host: Host, frames: readonly Uint8Array[]): void {
  const words = frames.map((bytes) => Buffer.from(bytes).toString('hex'));
  lab.switch.spawn(['python3', NOISE, `p-${host.name}`, ...words], { label: 'noise' });
}

/** What the kernel counts, noise and all. */
function received(host: Host): number {
  const pid = host.children[0]?.pid;
  const table = readFileSync(`/proc/${String(pid)}/net/dev`, 'utf8');
  return Number(/eth0:\s*\d+\s+(\d+)/.exec(table)?.[1]);
}
