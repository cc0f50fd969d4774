// The longest scenarios of the gate: what its shorter ones show in seconds, for up to a minute.
// Needs root, namespaces and the stock ucarp.
import { equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { calm, GATED, LONG_MS, neverLeft, scene, startGated, WITHIN_MS } from '../gate/trio.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { ucarpSkipReason } from '../../lab/ucarp-peer.ts';

const FREEZE_MS = 60_000;
const BLOCKED_MS = 40_000;
const FORWARD_DELAY_S = 15;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('for a long time', { skip, concurrency: true }, () => {
  test('a port passes nothing: held, and nothing happens to the master', async (t) => {
    const { lab, questioned, master } = await scene(t);
    await lab.port(questioned).block();
    const second = startCarpd(questioned, GATED);
    await second.waitFor('HELD', WITHIN_MS);
    await calm(master, second, BLOCKED_MS);
    await lab.port(questioned).unblock();
    await second.waitFor('BACKUP', WITHIN_MS);
    await calm(master, second, LONG_MS);
    neverLeft(master);
  });

  test('spanning tree listens and learns, with its usual delay', async (t) => {
    const { lab, questioned, master } = await scene(t);
    const delay = String(FORWARD_DELAY_S * 100);
    const options = ['stp_state', '1', 'forward_delay', delay];
    await lab.switch.ip('link', 'set', 'br0', 'type', 'bridge', ...options);
    await lab.carrier(questioned, false);
    await lab.carrier(questioned, true);
    const upMs = nowMs();
    const second = startCarpd(questioned, GATED);
    await second.waitFor('HELD', WITHIN_MS);
    const opened = await second.nextTransition('BACKUP', upMs, 60_000);
    ok(opened.atMs - upMs > FORWARD_DELAY_S * 1_000, 'not while the port listens');
    await calm(master, second, LONG_MS);
    neverLeft(master);
  });

  test('a backup stands still: nothing happens', async (t) => {
    const { questioned, master } = await scene(t);
    const second = startCarpd(questioned, GATED);
    await second.waitFor('BACKUP', WITHIN_MS);
    second.signal('SIGSTOP');
    await sleep(FREEZE_MS);
    second.signal('SIGCONT');
    await calm(master, second, LONG_MS);
    neverLeft(master);
  });

  test('a master stands still: who took over goes on', async (t) => {
    const lab = await Lab.create(t);
    const hostA = await lab.host('a', '10.77.0.1/24');
    const hostB = await lab.host('b', '10.77.0.9/24');
    const first = startGated(hostA, { policy: 'hold', probe: { targets: [hostB.address] } });
    await first.waitFor('MASTER', WITHIN_MS);
    const second = startCarpd(hostB, { ...GATED, advskew: 20 });
    await second.waitFor('BACKUP', WITHIN_MS);
    first.signal('SIGSTOP');
    await sleep(FREEZE_MS);
    equal(second.state(), 'MASTER');
    first.signal('SIGCONT');
    await sleep(2_000);
    await calm(second, first, LONG_MS);
  });
});
