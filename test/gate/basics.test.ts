// The gate at its plainest: two hosts on one segment, with a port that passes nothing at first.
// Needs root, namespaces and the stock ucarp.
import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import { startCarpd, startCarpdUcarp } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { startPing, whoHolds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';
import { neverLeft, statesOf } from './trio.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const GATED = { ...GROUP, gate: 'hold' } as const;
const WITHIN_MS = 15_000;
/** Longer than the dead interval and the time a stock ucarp takes to decide. */
const BLOCKED_MS = 8_000;
const skip = await labSkipReason();

describe('a host that boots behind a port that passes nothing', { skip, concurrency: true }, () => {
  for (const master of ['ucarp', 'carpd'] as const) {
    test(`is held, and follows the ${master} master once it hears it`, async (t) => {
      const lab = await Lab.create(t);
      // The lower address wins every tie: what has gone wrong would not right itself.
      const healthy = await lab.host('a', '10.77.0.9/24');
      const booting = await lab.host('b', '10.77.0.1/24');
      const client = await lab.host('c', '10.77.0.50/24');
      await lab.port(booting).block();
      const first = master === 'ucarp' ? startUcarp(healthy, GROUP) : startCarpd(healthy, GATED);
      const ping = startPing(client, VIP);
      await first.waitFor('MASTER', WITHIN_MS);
      const second = startCarpd(booting, GATED);
      await second.waitFor('HELD', WITHIN_MS);
      const still = (): boolean => second.state() === 'HELD' && first.state() === 'MASTER';
      await throughout(still, { forMs: BLOCKED_MS, what: 'the booting host is held' });
      const told = logEntries(second, { event: 'gate-closed' }).at(-1);
      equal(told?.fields['reasons'], 'no-frames');
      match(told.message, /check that the switch port forwards/);
      await lab.port(booting).unblock();
      await second.waitFor('BACKUP', WITHIN_MS);
      await throughout(() => first.state() === 'MASTER' && second.state() === 'BACKUP', {
        forMs: BLOCKED_MS,
        what: 'the healthy master stays',
        detail: () => `${first.log()}\n${second.log()}`,
      });
      neverLeft(first);
      statesOf(second, ['HELD', 'BACKUP']);
      deepEqual(await whoHolds([healthy, booting], VIP), [healthy]);
      await ping.stop();
    });
  }

  test('takes the address with the stock ucarp: what the gate is for', async (t) => {
    const lab = await Lab.create(t);
    const healthy = await lab.host('a', '10.77.0.9/24');
    const booting = await lab.host('b', '10.77.0.1/24');
    await lab.port(booting).block();
    const first = startUcarp(healthy, GROUP);
    await first.waitFor('MASTER', WITHIN_MS);
    const second = startUcarp(booting, GROUP);
    await second.waitFor('MASTER', WITHIN_MS);
    await lab.port(booting).unblock();
    await first.waitFor('BACKUP', WITHIN_MS);
    equal(second.state(), 'MASTER');
  });
});

describe('a silent segment', { skip, concurrency: true }, () => {
  test('two carpd that boot together open each other', async (t) => {
    const lab = await Lab.create(t);
    const hosts = [await lab.host('a', '10.77.0.1/24'), await lab.host('b', '10.77.0.2/24')];
    const peers = hosts.map((host) => startCarpd(host, GATED));
    const masters = (): number => peers.filter((peer) => peer.state() === 'MASTER').length;
    await eventually(() => masters() === 1, { withinMs: WITHIN_MS, what: 'one master' });
    await throughout(() => masters() === 1, { forMs: 4_000, what: 'one master' });
  });

  test('a lone host is held until a client asks for anything', async (t) => {
    const lab = await Lab.create(t);
    const peer = startCarpd(await lab.host('a', '10.77.0.1/24'), GATED);
    const client = await lab.host('c', '10.77.0.50/24');
    await peer.waitFor('HELD', WITHIN_MS);
    await throughout(() => peer.state() === 'HELD', { forMs: BLOCKED_MS, what: 'it is held' });
    const askedMs = nowMs();
    const ping = startPing(client, VIP);
    await peer.nextTransition('BACKUP', askedMs, WITHIN_MS);
    await peer.waitFor('MASTER', WITHIN_MS);
    await ping.answer(askedMs, WITHIN_MS);
    await ping.stop();
  });

  test('a lone host whose gateway answers is opened by that', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await lab.host('gw', '10.77.0.254/24');
    await host.ip('route', 'add', 'default', 'via', '10.77.0.254');
    const peer = startCarpd(host, GATED);
    await peer.waitFor('MASTER', WITHIN_MS);
  });

  test('promote-after opens all the same, and warns', async (t) => {
    const lab = await Lab.create(t);
    const gate = { policy: 'promote-after', promoteAfter: '3s' };
    const peer = startCarpd(await lab.host('a', '10.77.0.1/24'), { ...GROUP, config: { gate } });
    await peer.waitFor('HELD', WITHIN_MS);
    await logEntry(peer, { event: 'gate-warning', level: 'warn' }, WITHIN_MS);
    await peer.waitFor('MASTER', WITHIN_MS);
  });

  test('the ucarp front end is gated as well, unless it is told not to be', async (t) => {
    const lab = await Lab.create(t);
    const held = startCarpdUcarp(await lab.host('a', '10.77.0.1/24'), { ...GROUP, gate: 'hold' });
    await held.waitFor('HELD', WITHIN_MS);
    const free = await Lab.create(t);
    const open = startCarpdUcarp(await free.host('a', '10.77.0.1/24'), { ...GROUP, gate: 'off' });
    await open.waitFor('MASTER', WITHIN_MS);
    equal(held.state(), 'HELD');
  });
});
