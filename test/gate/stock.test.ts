// What the stock ucarp does in the places where carpd is tested beside this file: noise, one-way
// links, a silent segment, a process that stands still, an address in use. Needs root, namespaces
// and the stock ucarp.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';
import { makeNoise, NOISE_KINDS } from './noise.ts';
import { calm, GROUP, LONG_MS, neverLeft, scene, statesOf, VIP, WITHIN_MS } from './trio.ts';

/** Half as long again as the dead interval of a peer with an advskew of 100. */
const DEAD_MS = 5_000;
/** A host may take ten seconds to answer a query (RFC 3376, 8.3). */
const QUERIED_MS = 14_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('the stock ucarp', { skip, concurrency: true }, () => {
  describe('on a link in question', { concurrency: true }, () => {
    test('with all kinds of noise on a dead port: takes over from the master', async (t) => {
      const { lab, questioned, master } = await scene(t);
      await lab.port(questioned).block();
      makeNoise(lab, questioned, Object.keys(NOISE_KINDS));
      const second = startUcarp(questioned, GROUP);
      await second.waitFor('MASTER', WITHIN_MS);
      await lab.port(questioned).unblock();
      await master.waitFor('BACKUP', WITHIN_MS);
      equal(second.state(), 'MASTER');
    });

    for (const when of ['from the start', 'later'] as const) {
      test(`inwards is dead ${when}: takes the address from the master`, async (t) => {
        const { lab, questioned, master } = await scene(t);
        if (when === 'from the start') await lab.dropOnPort(questioned, 'to-host');
        const second = startUcarp(questioned, GROUP);
        await second.waitFor('BACKUP', WITHIN_MS);
        if (when === 'later') await lab.dropOnPort(questioned, 'to-host');
        await second.waitFor('MASTER', WITHIN_MS);
        await master.waitFor('BACKUP', WITHIN_MS);
      });

      test(`outwards is dead ${when}: backup, and a deaf master when the other dies`, async (t) => {
        const { lab, questioned, master } = await scene(t);
        if (when === 'from the start') await lab.dropOnPort(questioned, 'from-host');
        const second = startUcarp(questioned, GROUP);
        await second.waitFor('BACKUP', WITHIN_MS);
        if (when === 'later') await lab.dropOnPort(questioned, 'from-host');
        await calm(master, second, LONG_MS);
        await master.kill();
        await second.waitFor('MASTER', WITHIN_MS);
      });
    }

    test('outwards is dead under a master: two masters, for as long as it lasts', async (t) => {
      const { lab, first, second } = await pair(t);
      await lab.dropOnPort(first.host, 'from-host');
      await second.waitFor('MASTER', WITHIN_MS);
      const two = (): boolean => first.state() === 'MASTER' && second.state() === 'MASTER';
      await throughout(two, { forMs: LONG_MS, what: 'two masters' });
      deepEqual(await whoHolds([first.host, second.host], VIP), [first.host, second.host]);
    });

    test('inwards is dead under a master: it goes on, and nobody can reach it', async (t) => {
      const { lab, first, second } = await pair(t);
      await lab.dropOnPort(first.host, 'to-host');
      await calm(first, second, LONG_MS);
    });
  });

  describe('on a silent segment', { concurrency: true }, () => {
    test('two that boot together: one master in the end', async (t) => {
      const lab = await Lab.create(t);
      const hosts = [await lab.host('a', '10.77.0.1/24'), await lab.host('b', '10.77.0.2/24')];
      const peers = hosts.map((host) => startUcarp(host, GROUP));
      const masters = (): readonly Peer[] => peers.filter((peer) => peer.state() === 'MASTER');
      await eventually(() => masters().length > 0, { withinMs: WITHIN_MS, what: 'a master' });
      await eventually(() => masters().length === 1, { withinMs: WITHIN_MS, what: 'one master' });
      t.diagnostic(peers.map((peer) => peer.transitions.map(({ to }) => to).join(' ')).join('; '));
    });

    test('a lone one is master, whether its link passes frames or not', async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('a', '10.77.0.1/24');
      await lab.port(host).block();
      await startUcarp(host, GROUP).waitFor('MASTER', WITHIN_MS);
    });
  });

  describe('that stands still', { concurrency: true }, () => {
    for (const stopMs of [1_000, 10_000]) {
      test(`as BACKUP for ${stopMs} ms`, async (t) => {
        const { questioned, master } = await scene(t);
        const backup = startUcarp(questioned, GROUP);
        await backup.waitFor('BACKUP', WITHIN_MS);
        await sleep(1_500);
        await standStill(backup, stopMs);
        await sleep(LONG_MS);
        // It reads what waits before it looks at the clock, as a rule: nothing promises it.
        tell(t, master, backup);
        const one = (): boolean =>
          [master, backup].filter((peer) => peer.state() === 'MASTER').length === 1;
        await eventually(one, { withinMs: WITHIN_MS, what: 'one master' });
      });

      test(`as MASTER for ${stopMs} ms, with a peer: takes it back`, async (t) => {
        const { first, second } = await pair(t);
        await standStill(first, stopMs);
        await sleep(LONG_MS);
        tell(t, first, second);
        neverLeft(first);
        const takesOver = stopMs > DEAD_MS ? ['BACKUP', 'MASTER', 'BACKUP'] : ['BACKUP'];
        statesOf(second, takesOver);
      });
    }

    test('as MASTER, alone: goes on', async (t) => {
      const lab = await Lab.create(t);
      const peer = startUcarp(await lab.host('a', '10.77.0.1/24'), GROUP);
      await peer.waitFor('MASTER', WITHIN_MS);
      await standStill(peer, 10_000);
      await sleep(LONG_MS);
      neverLeft(peer);
    });
  });

  describe('and an address in use', { concurrency: true }, () => {
    test('another host has it and does not advertise: two hosts have it', async (t) => {
      const lab = await Lab.create(t);
      const host = await lab.host('a', '10.77.0.1/24');
      const squatter = await lab.host('x', '10.77.0.50/24');
      await squatter.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
      const peer = startUcarp(host, GROUP);
      await peer.waitFor('MASTER', WITHIN_MS);
      await holdIt([host, squatter]);
    });

    test('the adverts of the master never come through: the master gives up', async (t) => {
      const { lab, questioned, master } = await scene(t);
      await lab.dropOnPort(questioned, 'to-host', 'ip protocol 112');
      const second = startUcarp(questioned, GROUP);
      await second.waitFor('MASTER', WITHIN_MS);
      await master.waitFor('BACKUP', WITHIN_MS);
    });

    test('the master was killed with the address left on: taken over without a word', async (t) => {
      const { healthy, questioned, master } = await scene(t);
      const second = startUcarp(questioned, GROUP);
      await second.waitFor('BACKUP', WITHIN_MS);
      await master.kill();
      await second.waitFor('MASTER', WITHIN_MS);
      await holdIt([healthy, questioned]);
    });
  });

  describe('and what is on the way', { concurrency: true }, () => {
    test('a firewall drops protocol 112 on the way in: it hears before it', async (t) => {
      const { lab, questioned, master } = await scene(t);
      await lab.dropInFirewall(questioned, 'input', 'ip protocol 112');
      const second = startUcarp(questioned, GROUP);
      await second.waitFor('BACKUP', WITHIN_MS);
      await calm(master, second, LONG_MS);
    });

    test('a firewall drops protocol 112 on the way out: it sends past it', async (t) => {
      const { lab, first, second } = await pair(t);
      await lab.dropInFirewall(first.host, 'output', 'ip protocol 112');
      await calm(first, second, LONG_MS);
    });

    test('a snooping switch with a querier forgets it: it takes over', async (t) => {
      const { master, backup } = await forgotten(t, '1');
      await backup.waitFor('MASTER', WITHIN_MS);
      await master.waitFor('BACKUP', WITHIN_MS);
    });

    test('a snooping switch without a querier forgets it: nothing happens', async (t) => {
      const { master, backup } = await forgotten(t, '0');
      await calm(master, backup, LONG_MS);
    });

    test('three nodes: the one behind a dead port takes it from the third', async (t) => {
      const { lab, questioned, master } = await scene(t);
      const third = startUcarp(await lab.host('c', '10.77.0.20/24'), { ...GROUP, advskew: 10 });
      await third.waitFor('BACKUP', WITHIN_MS);
      await lab.port(questioned).block();
      const booting = startUcarp(questioned, GROUP);
      await booting.waitFor('MASTER', WITHIN_MS);
      await master.kill();
      await third.waitFor('MASTER', WITHIN_MS);
      await lab.port(questioned).unblock();
      await third.waitFor('BACKUP', WITHIN_MS);
      equal(booting.state(), 'MASTER');
    });
  });
});

/** A master and a backup, and a switch that has just forgotten that the backup listens. */
async function forgotten(
  t: TestContext,
  querier: '0' | '1',
): Promise<{ readonly master: Peer; readonly backup: Peer }> {
  const lab = await Lab.create(t);
  // The link-local groups, the usual one among them, are never snooped upon.
  const options = { ...GROUP, group: '239.1.1.18' };
  // Hundredths of a second between the first queries: none but the very first comes in the way.
  const queries = ['mcast_startup_query_interval', '20000', 'mcast_query_interval', '20000'];
  const snooping = ['mcast_snooping', '1', ...queries, 'mcast_querier', querier];
  await lab.switch.ip('link', 'set', 'br0', 'type', 'bridge', ...snooping);
  const master = startUcarp(await lab.host('a', '10.77.0.9/24'), options);
  await master.waitFor('MASTER', WITHIN_MS);
  const backup = startUcarp(await lab.host('b', '10.77.0.1/24'), options);
  await backup.waitFor('BACKUP', WITHIN_MS);
  // Until it has answered the first query of the switch.
  await calm(master, backup, QUERIED_MS);
  const member = ['port', 'p-b', 'grp', options.group];
  await lab.switch.exec(['bridge', 'mdb', 'del', 'dev', 'br0', ...member]);
  return { master, backup };
}

/** A master with the better address, and a backup that is worse by its advskew as well. */
async function pair(
  t: TestContext,
): Promise<{ readonly lab: Lab; readonly first: Peer; readonly second: Peer }> {
  const lab = await Lab.create(t);
  const hostA = await lab.host('a', '10.77.0.1/24');
  const hostB = await lab.host('b', '10.77.0.9/24');
  const first = startUcarp(hostA, GROUP);
  await first.waitFor('MASTER', WITHIN_MS);
  const second = startUcarp(hostB, { ...GROUP, advskew: 100 });
  await second.waitFor('BACKUP', WITHIN_MS);
  await sleep(1_500);
  return { lab, first, second };
}

/** The up hook adds the address a moment after the transition. */
async function holdIt(hosts: Parameters<typeof whoHolds>[0]): Promise<void> {
  const all = async (): Promise<boolean> => (await whoHolds(hosts, VIP)).length === hosts.length;
  await eventually(all, { withinMs: WITHIN_MS, what: 'all of them to hold the address' });
}

async function standStill(peer: Peer, milliseconds: number): Promise<void> {
  peer.signal('SIGSTOP');
  await sleep(milliseconds);
  peer.signal('SIGCONT');
}

function tell(t: TestContext, ...peers: readonly Peer[]): void {
  const states = peers.map(({ transitions }) => transitions.map(({ to }) => to).join(' '));
  t.diagnostic(states.join('; '));
}
