// The steps of docs/migrating.md, played with the real programs that hosts come from, while a
// client pings the virtual IP. Needs root, namespaces, /usr/sbin/ucarp and /usr/sbin/keepalived.
import { equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import { startCarpd, type CarpdOptions } from '../../lab/carpd-peer.ts';
import { logEntry } from '../../lab/carpd-log.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { keepalivedSkipReason, startKeepalived } from '../../lab/keepalived.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { holds, startPing, whoHolds, type Ping } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret', gate: 'hold' } as const;
const PING_INTERVAL_MS = 20;
/** Pings on a loaded machine; two of them lost would be longer. */
const NO_GAP_MS = 300;
const WITHIN_MS = 20_000;
const skip = (await labSkipReason()) || ucarpSkipReason() || keepalivedSkipReason();

interface Stage {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: Host;
  readonly ping: () => Promise<Ping>;
}

async function stage(t: TestContext): Promise<Stage> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  const b = await lab.host('b', '10.77.0.2/24');
  const client = await lab.host('client', '10.77.0.9/24');
  const ping = async (): Promise<Ping> => {
    const pinging = startPing(client, VIP, PING_INTERVAL_MS);
    await pinging.answer(nowMs(), WITHIN_MS);
    return pinging;
  };
  return { lab, a, b, ping };
}

function startNew(host: Host, peer: Host, options: Partial<CarpdOptions>): Peer {
  const { config, ...others } = options;
  return startCarpd(host, { ...GROUP, ...others, config: { peers: [peer.address], ...config } });
}

async function onlyHolder(lab: Lab, host: Host): Promise<void> {
  const alone = async (): Promise<boolean> => {
    const holders = await whoHolds(lab.hosts, VIP);
    return holders.length === 1 && holders[0] === host;
  };
  const detail = (): string => lab.report();
  await eventually(alone, { withinMs: WITHIN_MS, what: `${host.name} alone to hold`, detail });
}

async function gapMs(t: TestContext, ping: Ping, what: string): Promise<number> {
  const { longestGapMs, lost } = await ping.stop();
  t.diagnostic(`${what}: longest gap ${longestGapMs.toFixed(0)} ms, ${lost} pings lost`);
  return longestGapMs;
}

describe('from ucarp', { skip, concurrency: true }, () => {
  for (const { name, worse, better } of [
    { name: 'with a higher advskew', worse: 50, better: { advskew: 0 } },
    { name: 'with advskew 0', worse: 0, better: { advbase: 0, advskew: 255 } },
  ]) {
    test(`carpd with preempt takes over from a ucarp ${name}, and nothing is lost`, async (t) => {
      const { lab, a, b, ping } = await stage(t);
      const old = startUcarp(a, { ...GROUP, advskew: worse });
      await old.waitFor('MASTER', WITHIN_MS);
      const oldBackup = startUcarp(b, { ...GROUP, advskew: worse + 50 });
      await oldBackup.waitFor('BACKUP', WITHIN_MS);
      const pinging = await ping();
      await oldBackup.stop();
      const next = startNew(b, a, { preempt: true, ...better });
      await next.waitFor('MASTER', WITHIN_MS);
      await old.nextTransition('BACKUP', -Infinity, WITHIN_MS);
      await onlyHolder(lab, b);
      await old.stop();
      const last = startNew(a, b, { advskew: 10 });
      await last.waitFor('BACKUP', WITHIN_MS);
      await onlyHolder(lab, b);
      const gap = await gapMs(t, pinging, name);
      ok(gap < NO_GAP_MS, `the client had no answer for ${gap} ms`);
    });
  }
});

describe('from keepalived', { skip, concurrency: true }, () => {
  async function keepalivedPair(
    t: TestContext,
  ): Promise<Stage & { readonly stop: () => Promise<unknown> }> {
    const scene = await stage(t);
    const { lab, a, b } = scene;
    const master = startKeepalived(a, VIP, 150);
    const backup = startKeepalived(b, VIP, 100);
    await onlyHolder(lab, a);
    await backup.stop();
    return { ...scene, stop: () => master.stop() };
  }

  test('carpd beside its master is held, and takes over when keepalived is stopped', async (t) => {
    const { lab, a, b, ping, stop } = await keepalivedPair(t);
    const pinging = await ping();
    const next = startNew(b, a, {});
    const { fields } = await logEntry(next, { event: 'promotion-held' }, WITHIN_MS);
    equal(fields['reason'], 'vip-in-use');
    equal(await holds(b, VIP), false);
    await stop();
    await next.waitFor('MASTER', WITHIN_MS);
    await onlyHolder(lab, b);
    const last = startNew(a, b, { advskew: 10 });
    await last.waitFor('BACKUP', WITHIN_MS);
    const gap = await gapMs(t, pinging, 'vipInUse unheard');
    ok(gap < 8_000, `the client had no answer for ${gap} ms`);
  });

  test('with vipInUse off carpd takes the address beside it, and nothing is lost', async (t) => {
    const { lab, a, b, ping, stop } = await keepalivedPair(t);
    const pinging = await ping();
    const next = startNew(b, a, { config: { gate: { policy: 'hold', vipInUse: 'off' } } });
    await next.waitFor('MASTER', WITHIN_MS);
    await eventually(() => holds(b, VIP), { withinMs: WITHIN_MS, what: 'b to hold' });
    await stop();
    await onlyHolder(lab, b);
    const last = startNew(a, b, { advskew: 10 });
    await last.waitFor('BACKUP', WITHIN_MS);
    const gap = await gapMs(t, pinging, 'vipInUse off');
    ok(gap < NO_GAP_MS, `the client had no answer for ${gap} ms`);
  });
});

test('docs/migrating.md says what these tests play', () => {
  const page = readFileSync('docs/migrating.md', 'utf8');
  for (const word of ['preempt: true', 'advbase: 0', 'advskew: 255', 'vipInUse: off']) {
    ok(page.includes(word), word);
  }
});
