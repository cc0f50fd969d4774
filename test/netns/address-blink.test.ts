// The addresses of a master that are flushed and added again within a second, as network scripts
// do (ifreload, nmcli device reapply): it stays master, and its clients lose no more than the time
// until the virtual IP is back. Needs root and namespaces.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { logEntry } from '../../lab/carpd-log.ts';
import { startCarpdInstances } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Host } from '../../lab/host.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { holds, startPing } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';

const WITHIN_MS = 30_000;
const PASSWORD = 'a secret';
/** Shorter than the advertisement interval by far: the host is busy as well. */
const BLINK_SECONDS = '0.3';
/** Three times that would be the dead interval. */
const GAP_MS_MAX = 1_000;
const skip = await labSkipReason();

describe('a blink of the own address of a master', { skip }, () => {
  for (const count of [1, 3]) {
    for (const promote of [0, 1]) {
      const what = `${count} in its prefix, promote_secondaries ${promote}`;
      test(`changes nothing: ${what}`, (t) => blink(t, count, promote));
    }
  }
});

async function blink(t: TestContext, count: number, promote: number): Promise<void> {
  const lab = await Lab.create(t);
  const [a, b, client] = [
    await lab.host('a', '10.77.0.1/24'),
    await lab.host('b', '10.77.0.2/24'),
    await lab.host('c', '10.77.0.3/24'),
  ];
  await a.exec(['sysctl', '-qw', `net.ipv4.conf.eth0.promote_secondaries=${promote}`]);
  const vips = Array.from({ length: count }, (_, index) => `10.77.0.${100 + index}`);
  const masters = start(a, vips);
  for (const peer of masters) await peer.waitFor('MASTER', WITHIN_MS);
  const backup = startUcarp(b, { vhid: 1, vip: vips[0] ?? '', password: PASSWORD, advskew: 100 });
  await backup.waitFor('BACKUP', WITHIN_MS);
  for (const vip of vips) {
    await eventually(() => holds(a, vip), { withinMs: WITHIN_MS, what: vip });
  }
  const before = [...masters, backup].map(({ transitions }) => transitions.length);
  const pings = vips.map((vip) => startPing(client, vip));
  for (const ping of pings) await ping.answer(nowMs(), WITHIN_MS);
  await a.exec(['sh', '-c', SCRIPT, 'sh', BLINK_SECONDS]);
  const first = masters[0];
  ok(first);
  await logEntry(first, { event: 'vip-restored' }, WITHIN_MS);
  for (const vip of vips) {
    await eventually(() => holds(a, vip), { withinMs: WITHIN_MS, what: `${vip} again` });
  }
  await throughout(() => masters.every((peer) => peer.state() === 'MASTER'), {
    forMs: 4_000,
    what: 'it stays master, by its own doing and its backup being content',
    detail: () => first.child.tail(),
  });
  deepEqual(
    [...masters, backup].map(({ transitions }) => transitions.length),
    before,
    first.child.tail(),
  );
  for (const ping of pings) {
    const { longestGapMs } = await ping.stop();
    t.diagnostic(`longest time without an answer: ${Math.round(longestGapMs)} ms`);
    ok(longestGapMs < GAP_MS_MAX, `${longestGapMs} ms`);
  }
  equal(await holds(a, '10.77.0.1'), true);
  equal((await first.stop()).code, 0, first.child.tail());
}

const SCRIPT = 'ip addr flush dev eth0 && sleep "$1" && ip addr add 10.77.0.1/24 brd + dev eth0';

function start(host: Host, vips: readonly string[]): readonly Peer[] {
  const instances = vips.map((vip, index) => {
    const config = { address: `${vip}/24`, source: undefined, hooks: {} };
    return [`vip${index}`, { vhid: 1 + index, vip, password: PASSWORD, config }] as const;
  });
  return startCarpdInstances(host, Object.fromEntries(instances));
}
