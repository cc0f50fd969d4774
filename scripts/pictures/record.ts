// Plays what two of the pictures show, on real kernels in temporary network namespaces: a host that
// is held at its start, and a takeover. Needs root, tcpdump and ping, and dist/ to be built.
import { setTimeout as sleep } from 'node:timers/promises';
import { Capture } from '../../lab/capture.ts';
import { askCarpd } from '../../lab/carpd-command.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab } from '../../lab/namespaces.ts';
import { startPing } from '../../lab/vip.ts';
import type { Takeover } from './takeover.ts';

const GROUP = { vhid: 100, vip: '10.9.0.100', password: 'a picture' } as const;
const WITHIN_MS = 15_000;
const HELD_FOR_MS = 12_000;
/** So much before the last advert of the old master, and after the first of the new one, is shown. */
const BEFORE_MS = 2_500;
const AFTER_MS = 2_500;
const KILL_AFTER_ADVERT_MS = 500;
const PING_INTERVAL_MS = 20;

/** What `carpd explain` prints on a host whose segment is silent. */
export async function recordExplain(): Promise<string> {
  const lab = await Lab.create();
  try {
    const host = await lab.host('a', '10.9.0.10/24');
    const config = { peers: ['10.9.0.20'] };
    const peer = startCarpd(host, { ...GROUP, gate: 'hold', config });
    await peer.waitFor('HELD', WITHIN_MS);
    await sleep(HELD_FOR_MS);
    const { code, stdout, stderr } = await askCarpd(host, ['explain', 'vip']);
    if (code !== 0) throw new Error(`carpd explain: ${stderr}`);
    return stdout;
  } finally {
    lab.close();
  }
}

/** A master is killed, and its backup takes over. */
export async function recordTakeover(): Promise<Takeover> {
  const lab = await Lab.create();
  try {
    const a = await lab.host('a', '10.9.0.10/24');
    const b = await lab.host('b', '10.9.0.20/24');
    const client = await lab.host('client', '10.9.0.50/24');
    const master = startCarpd(a, { ...GROUP, gate: 'hold', config: { peers: [b.address] } });
    await master.waitFor('MASTER', WITHIN_MS);
    const backup = startCarpd(b, { ...GROUP, gate: 'hold', advskew: 10 });
    await backup.waitFor('BACKUP', WITHIN_MS);
    const capture = await Capture.start(client);
    const ping = startPing(client, GROUP.vip, PING_INTERVAL_MS);
    await ping.answer(nowMs(), WITHIN_MS);
    await capture.advert(4, { source: a.address }, WITHIN_MS);
    await sleep(KILL_AFTER_ADVERT_MS);
    const killedMs = nowMs();
    master.signal('SIGKILL');
    await lab.port(a).block();
    const first = await capture.advert(1, { source: b.address }, WITHIN_MS);
    await sleep(AFTER_MS);
    const { gaps } = await ping.stop();
    await capture.stop();
    const silence = gaps.find(({ toMs }) => toMs > killedMs);
    const last = capture.adverts({ source: a.address }).at(-1);
    if (silence === undefined || last === undefined) throw new Error('nothing was lost');
    const since = (atMs: number): number => Math.round((atMs - last.atMs) * 10) / 10;
    const shown = (atMs: number): boolean => atMs >= last.atMs - BEFORE_MS;
    const seen = [
      ...capture.adverts({ source: a.address }).map(({ atMs }) => ({ node: 'a' as const, atMs })),
      ...capture.adverts({ source: b.address }).map(({ atMs }) => ({ node: 'b' as const, atMs })),
    ];
    return {
      fromMs: -BEFORE_MS,
      toMs: since(first.atMs) + AFTER_MS,
      killedMs: since(killedMs),
      adverts: seen
        .filter(({ atMs }) => shown(atMs))
        .map(({ node, atMs }) => ({ node, atMs: since(atMs) })),
      announcements: capture
        .gratuitousArps(GROUP.vip, last.atMs)
        .filter(({ arp }) => arp.senderMac === b.mac)
        .map(({ atMs }) => since(atMs)),
      silence: { fromMs: since(silence.fromMs), toMs: since(silence.toMs) },
    };
  } finally {
    lab.close();
  }
}
