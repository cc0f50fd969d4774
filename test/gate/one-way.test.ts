// Links that pass frames one way only, under a backup and under a master, with answers to our own
// ARP required and without. Needs root, namespaces and the stock ucarp.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Capture } from '../../lab/capture.ts';
import { logEntries } from '../../lab/carpd-log.ts';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';
import {
  calm,
  GATED,
  GROUP,
  LONG_MS,
  neverLeft,
  scene,
  startGated,
  VIP,
  WITHIN_MS,
} from './trio.ts';

const skip = await labSkipReason();

describe('a link that passes frames one way only', { skip, concurrency: true }, () => {
  const strict = { policy: 'hold', requireProbe: true };

  test('inwards is dead: a BACKUP that requires answers is held', async (t) => {
    const { lab, questioned, master } = await scene(t);
    const second = startGated(questioned, strict);
    await second.waitFor('BACKUP', WITHIN_MS);
    // An answer that came after the last advert would count for a promotion. One of two more
    // adverts at least is heard behind it.
    const seen = await Capture.start(lab.switch, { filter: 'proto 112' });
    await seen.advert(2, {}, WITHIN_MS);
    const rule = await lab.dropOnPort(questioned, 'to-host');
    await second.waitFor('HELD', WITHIN_MS);
    await calm(master, second, LONG_MS);
    const reasons = logEntries(second, { event: 'gate-closed' }).at(-1)?.fields['reasons'];
    equal(reasons, 'no-answer-since-advert');
    await rule.remove();
    await second.waitFor('BACKUP', WITHIN_MS);
    await calm(master, second, LONG_MS);
    neverLeft(master);
  });

  test('outwards is dead: a BACKUP hears the master and stays', async (t) => {
    const { lab, questioned, master } = await scene(t);
    const second = startGated(questioned, strict);
    await second.waitFor('BACKUP', WITHIN_MS);
    await lab.dropOnPort(questioned, 'from-host');
    await calm(master, second, LONG_MS);
    await master.kill();
    await second.waitFor('HELD', WITHIN_MS);
    await throughout(() => second.state() === 'HELD', { forMs: LONG_MS, what: 'it is held' });
  });

  for (const dead of ['to-host', 'from-host'] as const) {
    test(`from the start (${dead} dead): held where answers are required`, async (t) => {
      const { lab, questioned, master } = await scene(t);
      await lab.dropOnPort(questioned, dead);
      const second = startGated(questioned, strict);
      await second.waitFor('HELD', WITHIN_MS);
      await calm(master, second, LONG_MS);
      equal(second.state(), 'HELD');
      neverLeft(master);
    });
  }

  test('inwards is dead, no answers required: a BACKUP that hears nobody bids low', async (t) => {
    const { lab, questioned, master } = await scene(t);
    const second = startCarpd(questioned, GATED);
    await second.waitFor('BACKUP', WITHIN_MS);
    const rule = await lab.dropOnPort(questioned, 'to-host');
    await second.waitFor('MASTER', WITHIN_MS);
    await throughout(() => master.state() === 'MASTER', {
      forMs: LONG_MS,
      what: 'the master to serve on, since its bid is better',
    });
    await rule.remove();
    await second.waitFor('BACKUP', WITHIN_MS);
    neverLeft(master);
  });

  test('inwards is dead from the start: held, answers required or not', async (t) => {
    const { lab, questioned, master } = await scene(t);
    await lab.dropOnPort(questioned, 'to-host');
    const second = startCarpd(questioned, GATED);
    await second.waitFor('HELD', WITHIN_MS);
    await calm(master, second, LONG_MS);
    equal(second.state(), 'HELD');
    neverLeft(master);
  });

  test('outwards is dead, no answers required: a BACKUP follows, then takes over', async (t) => {
    const { lab, questioned, master } = await scene(t);
    await lab.dropOnPort(questioned, 'from-host');
    const second = startCarpd(questioned, GATED);
    await second.waitFor('BACKUP', WITHIN_MS);
    await calm(master, second, LONG_MS);
    neverLeft(master);
    await master.kill();
    await second.waitFor('MASTER', WITHIN_MS);
  });

  for (const requireProbe of [false, true]) {
    const asks = requireProbe ? 'requires answers' : 'does not require answers';
    test(`inwards is dead under a MASTER that ${asks}: it serves on`, async (t) => {
      const { lab, first, second } = await masterAndWorse(t, { policy: 'hold', requireProbe });
      await lab.dropOnPort(first.host, 'to-host');
      await calm(first, second, LONG_MS);
      neverLeft(first);
    });

    test(`outwards is dead under a MASTER that ${asks}: it yields to a worse one`, async (t) => {
      const { lab, first, second } = await masterAndWorse(t, { policy: 'hold', requireProbe });
      await lab.dropOnPort(first.host, 'from-host');
      await second.waitFor('MASTER', WITHIN_MS);
      // Nobody answers who did before: it bids low, and yields to the first advert that it hears.
      const { cause } = await first.waitFor('BACKUP', WITHIN_MS);
      equal(cause, 'path-unconfirmed');
      deepEqual(logEntries(first, { event: 'doubt' }), []);
      const holdsIt = async (): Promise<boolean> =>
        (await whoHolds([first.host, second.host], VIP)).every((host) => host === second.host);
      await eventually(holdsIt, {
        withinMs: WITHIN_MS,
        what: 'only the other to hold the address',
      });
    });
  }
});

/**
 * A carpd that is master and knows whom to ask, and a stock ucarp that is worse in all respects.
 */
async function masterAndWorse(
  t: TestContext,
  gate: Readonly<Record<string, unknown>>,
): Promise<{ readonly lab: Lab; readonly first: Peer; readonly second: Peer }> {
  const lab = await Lab.create(t);
  const hostA = await lab.host('a', '10.77.0.1/24');
  const hostB = await lab.host('b', '10.77.0.9/24');
  const first = startGated(hostA, { ...gate, probe: { targets: [hostB.address] } });
  await first.waitFor('MASTER', WITHIN_MS);
  const second = startUcarp(hostB, { ...GROUP, advskew: 100 });
  await second.waitFor('BACKUP', WITHIN_MS);
  return { lab, first, second };
}
