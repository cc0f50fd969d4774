// The incident that carpd exists for, with the stock ucarp and real bonds: a node that boots onto a
// bond with carrier and LACP, but whose switch port does not forward yet, takes the virtual IP from
// the healthy master. This is how ucarp behaves; the test holds the baseline. Needs root and
// bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { nowMs } from '../lab/clock.ts';
import { Lab } from '../lab/namespaces.ts';
import { startUcarp, ucarpSkipReason } from '../lab/ucarp-peer.ts';
import { whoHolds } from '../lab/vip.ts';
import { eventually, throughout } from '../lab/wait.ts';
import { bondSkipReason } from './native.ts';
import { addBondHost } from './topology.ts';

const GROUP = { vhid: 7, vip: '10.9.0.100', password: 'secret' };
const START_MS = 20_000;
/** Master-down time of ucarp's defaults, with room for a slow machine. */
const TAKEOVER_MS = 12_000;

const skip = (await bondSkipReason()) || ucarpSkipReason();

test('stock ucarp: a node on a bond that passes nothing yet takes the VIP', { skip }, async (t) => {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.9.0.20/24');
  const ucarpA = startUcarp(a, GROUP);
  await ucarpA.waitFor('MASTER', START_MS);

  const b = await addBondHost(lab, 'b', '10.9.0.10/24', { mode: '802.3ad', forwarding: false });
  const slaves = await b.lacpFormed();
  t.diagnostic(`LACP on B: ${JSON.stringify(slaves)}`);
  ok(await b.hasCarrier(), 'the bond has carrier and is up');
  ok((await b.rxPackets()) > 0, 'the bond counts received packets: LACPDUs, no data frame');

  const startedMs = nowMs();
  const ucarpB = startUcarp(b, GROUP);
  const promoted = await ucarpB.waitFor('MASTER', TAKEOVER_MS);
  t.diagnostic(`B became master ${Math.round(promoted.atMs - startedMs)} ms after its start`);
  equal(ucarpA.state(), 'MASTER', 'A is healthy and serves');
  // ucarp reports the state before it runs its upscript.
  await eventually(async () => (await whoHolds([a, b], GROUP.vip)).length === 2, {
    withinMs: 5_000,
    what: 'two masters, both with the VIP',
  });
  equal(ucarpA.state(), 'MASTER', 'A knows nothing of B');

  const forwardingMs = nowMs();
  await b.switchSide.unblock();
  const yielded = await ucarpA.nextTransition('BACKUP', forwardingMs, TAKEOVER_MS);
  t.diagnostic(`A gave up ${Math.round(yielded.atMs - forwardingMs)} ms after the port forwarded`);
  await throughout(() => ucarpA.state() === 'BACKUP' && ucarpB.state() === 'MASTER', {
    forMs: 3_000,
    what: 'B keeps the VIP that it took from the healthy master',
  });
  deepEqual(await whoHolds([a, b], GROUP.vip), [b]);
});
