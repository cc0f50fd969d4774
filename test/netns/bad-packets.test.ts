// carpd under thousands of broken packets of its own protocol: it goes on, says so in few lines,
// and the election takes no notice. Needs root, namespaces and python3.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DROP_REASONS } from '../../src/carp/accept.ts';
import { Capture } from '../../lab/capture.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { holds, whoHolds } from '../../lab/vip.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const MASTER_MS = 15_000;
const FLOOD = fileURLToPath(new URL('../../lab/flood.py', import.meta.url));
const FLOOD_MS = 60_000;
const PACKETS = 8_000;
/** A flood costs time on a machine that does other things as well; two adverts are never missed. */
const GAP_MS = 1_900;
const START_MS = 15_000;
const skip = await labSkipReason();

describe('thousands of broken packets', { skip, concurrency: false }, () => {
  for (const seed of [1, 2]) {
    test(`leave MASTER and BACKUP as they are (seed ${seed})`, async (t) => {
      const { lab, attacker, master, backup } = await trio(t);
      const peers = [master, backup];
      const source = master.host.address;
      const seen = await Capture.start(lab.switch, { filter: `proto 112 and src host ${source}` });
      const ofAnotherKey = await strangersAdvert(lab, attacker);
      const before = peers.map((peer) => peer.transitions.length);
      const startMs = nowMs();
      const words = [FLOOD, 'eth0', String(seed), String(PACKETS), ...ofAnotherKey];
      const flood = attacker.spawn(['python3', ...words], { label: 'flood' });
      equal((await flood.ended(FLOOD_MS)).code, 0, flood.tail());
      const endMs = nowMs();
      t.diagnostic(`${PACKETS} packets in ${Math.round(endMs - startMs)} ms`);
      // What was queued must have been judged, and nobody may have missed a master for too long.
      await seen.until(() => regular(seen, endMs)[4], 'adverts after the flood', 15_000);
      const after = peers.map((peer) => peer.transitions.length);
      deepEqual(after, before, `the roles have changed\n${lab.report()}`);
      deepEqual(
        peers.map((peer) => peer.state()),
        ['MASTER', 'BACKUP'],
      );
      deepEqual(await whoHolds(lab.hosts, VIP), [master.host]);
      const times = regular(seen, startMs - 1_500);
      const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
      const longest = Math.max(...gaps);
      t.diagnostic(`longest time between two adverts: ${longest.toFixed(0)} ms`);
      ok(longest < GAP_MS, `${longest} ms between two adverts`);
      for (const peer of peers) toldInFewLines(peer);
      for (const peer of peers.toReversed()) equal((await peer.stop()).code, 0, peer.child.tail());
      equal(await holds(master.host, VIP), false);
    });
  }
});

/** When the master's own adverts left; the flood forges its address as well, on another card. */
function regular(seen: Capture, afterMs: number): readonly number[] {
  return seen
    .adverts({ afterMs })
    .filter(({ advert }) => advert.ethernetSource !== '02:00:00:00:00:ee')
    .map(({ atMs }) => atMs);
}

async function trio(t: TestContext): Promise<{
  readonly lab: Lab;
  readonly attacker: Host;
  readonly master: Peer;
  readonly backup: Peer;
}> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/16');
  const b = await lab.host('b', '10.77.0.2/16');
  const attacker = await lab.host('attacker', '10.77.0.9/16');
  const master = startCarpd(a, GROUP);
  await master.waitFor('MASTER', MASTER_MS);
  const backup = startCarpd(b, { ...GROUP, advskew: 50 });
  await backup.waitFor('BACKUP', START_MS);
  return { lab, attacker, master, backup };
}

/** Frames of a real node with the same vhid and another password, in hexadecimal. */
async function strangersAdvert(lab: Lab, host: Host): Promise<readonly string[]> {
  const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
  const stranger = startCarpd(host, { ...GROUP, password: 'of a stranger', deadRatio: 1 });
  await seen.advert(2, { source: host.address }, MASTER_MS);
  await stranger.stop();
  return seen
    .adverts({ source: host.address })
    .map(({ bytes }) => Buffer.from(bytes).toString('hex'));
}

/** It is alive, has told of drops under their own names, and has not told of each. */
function toldInFewLines(peer: Peer): void {
  equal(peer.child.exited, undefined);
  const told = logEntries(peer, { event: 'advert-rejected' });
  ok(told.length > 0 && told.length < 100, `${told.length} lines of dropped packets`);
  const reasons = new Set(told.map(({ fields }) => fields['reason']).filter(Boolean));
  for (const reason of reasons) ok(String(reason) in DROP_REASONS, String(reason));
  ok(reasons.size >= 4, `only ${[...reasons].join(', ')}`);
  deepEqual(logEntries(peer, { event: 'daemon-failed' }), []);
  deepEqual(logEntries(peer, { event: 'socket-failed' }), []);
  ok(peer.child.lines.every(({ stream }) => stream === 'stdout'));
}
