// Two hosts boot on 802.3ad bonds, the switch passes frames without LACP, and nobody serves: they
// must not wait for each other. Needs root and bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { logEntry } from '../../lab/carpd-log.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startPing } from '../../lab/vip.ts';
import { BondHost, isFormed } from './bond-host.ts';
import { ELECTION_MS, GROUP, outcome, skip, startWaiting, type Outcome } from './scene.ts';
import { addBondHost } from './topology.ts';

/** Answers that stand for LACP span so long. */
const FALLBACK_MS = 10_000;
const PING_MS = 1_000;
const TOLERANCE_MS = 500;

describe('a cold start without LACP', { skip, concurrency: 2 }, () => {
  for (const asks of [false, true]) {
    const who = asks ? 'a client asks for the virtual IP' : 'nobody else is there';
    test(`carpd and carpd, ${who}`, async (t) => {
      const { lab, a, b } = await twoBonds(t);
      if (asks) startPing(await lab.host('c', '10.9.0.50/24'), GROUP.vip, PING_MS);
      const fromMs = nowMs();
      const nodes = [await startWaiting('carpd', a), await startWaiting('carpd', b)];
      // Both may promote themselves at once: the adverts settle it.
      const { takeovers } = await settled(t, nodes, fromMs);
      ok(takeovers <= 2, `${takeovers} takeovers`);
      await openedByFallback(nodes);
    });
  }

  test('carpd alone, a client asks for the virtual IP', async (t) => {
    const { lab, b } = await twoBonds(t);
    startPing(await lab.host('c', '10.9.0.50/24'), GROUP.vip, PING_MS);
    const node = await startWaiting('carpd', b);
    await node.waitFor('MASTER', ELECTION_MS);
    await openedByFallback([node]);
  });

  test('carpd alone, a client asks for its own address', async (t) => {
    const { lab, b } = await twoBonds(t);
    const client = await lab.host('c', '10.9.0.50/24');
    startPing(client, b.address, PING_MS);
    const node = await startWaiting('carpd', b);
    await node.waitFor('MASTER', ELECTION_MS);
    await openedByFallback([node]);
  });

  test('carpd, and then ucarp, which does not wait', async (t) => {
    const { a, b } = await twoBonds(t);
    const fromMs = nowMs();
    const ours = await startWaiting('carpd', b);
    equal(ours.state(), 'HELD', ours.child.tail());
    const peer = await startWaiting('ucarp', a);
    deepEqual(await settled(t, [peer, ours], fromMs), { during: 'a', after: 'a', takeovers: 1 });
    await openedByFallback([ours]);
  });

  test('carpd and carpd, and LACP comes at last', async (t) => {
    const { a, b } = await twoBonds(t);
    const nodes = [await startWaiting('carpd', a), await startWaiting('carpd', b)];
    const first = await settled(t, nodes, 0);
    const fromMs = nowMs();
    for (const { switchSide } of [a, b]) {
      await switchSide.form();
      await switchSide.unblock();
    }
    for (const host of [a, b]) await host.lacpFormed(ELECTION_MS);
    const { after } = await settled(t, nodes, fromMs);
    const master = nodes.find(({ host }) => host.name === first.after);
    const left = master?.transitions.some(({ atMs, to }) => atMs > fromMs && to === 'HELD');
    // The ports blink when the channel is made: on a slow machine for longer than it waits.
    if (left !== true) equal(after, first.after);
  });
});

/** Two hosts on 802.3ad bonds, whose ports forward each by itself. */
async function twoBonds(t: TestContext): Promise<{ lab: Lab; a: BondHost; b: BondHost }> {
  const lab = await Lab.create(t);
  const bond = { mode: '802.3ad', formed: false } as const;
  const a = await addBondHost(lab, 'a', '10.9.0.20/24', bond);
  const b = await addBondHost(lab, 'b', '10.9.0.10/24', bond);
  for (const { switchSide } of [a, b]) await switchSide.fallBack();
  return { lab, a, b };
}

/** One serves, and the other one is ready to. */
async function settled(t: TestContext, nodes: readonly Peer[], fromMs: number): Promise<Outcome> {
  const result = await outcome(t, nodes, { fromMs, toMs: Infinity });
  for (const node of nodes) {
    if (node.host.name !== result.after) await node.waitFor('BACKUP', ELECTION_MS);
  }
  return result;
}

/** Without LACP to this moment, after answers for long enough, and with a warning. */
async function openedByFallback(nodes: readonly Peer[]): Promise<void> {
  for (const node of nodes) {
    const { transitions } = node;
    const held = transitions.find(({ to }) => to === 'HELD');
    const opened = transitions.find(({ to }) => to === 'BACKUP');
    ok(held && opened, node.log());
    ok(opened.atMs - held.atMs > FALLBACK_MS - TOLERANCE_MS, node.log());
    await logEntry(
      node,
      { event: 'link-warning', fields: { warning: 'lacp-by-fallback' } },
      ELECTION_MS,
    );
    if (node.host instanceof BondHost) equal((await node.host.slaves()).some(isFormed), false);
  }
}
