// A segment that falls apart and comes together again: both parts serve meanwhile, and afterwards
// the better node alone, at once and for good. Needs root, namespaces and /usr/sbin/ucarp.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { whoAnswers, whoHolds } from '../../lab/vip.ts';
import { eventually, sparsely, throughout } from '../../lab/wait.ts';

const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const WORSE_ADVSKEW = 50;
const ELECTION_MS = 15_000;
/** The advert that settles it comes within an interval; the rest is for a slow machine. */
const INTERVALS_MS = 2_000;
const MACHINE_MS = 2_500;
/** ucarp hears up to a second late and looks at its clock once an interval. */
const UCARP_MS = 2_500;
const CALM_MS = 10_000;
const skip = (await labSkipReason()) || ucarpSkipReason();

/** Cuts the carpd host off, and yields how to join it again. */
type Cut = (lab: Lab, peer: Peer) => Promise<() => Promise<void>>;

const byFirewall: Cut = async (lab, { host }) => {
  const rules = [
    await lab.dropOnPort(host, 'from-host', 'ip protocol 112'),
    await lab.dropOnPort(host, 'to-host', 'ip protocol 112'),
  ];
  return async () => {
    for (const rule of rules) await rule.remove();
  };
};

const byPortState: Cut = async (lab, { host }) => {
  const port = lab.port(host);
  await port.block();
  return () => port.unblock();
};

describe('after a partition', { skip, concurrency: true }, () => {
  for (const [how, cut] of [
    ['by a filter in the switch', byFirewall],
    ['by the state of a bridge port', byPortState],
  ] as const) {
    test(`${how}: ucarp yields to the better carpd`, async (t) => {
      const { lab, carpd, ucarp } = await pair(t, { carpd: 0, ucarp: WORSE_ADVSKEW });
      await heal(t, { lab, cut, carpd, winner: carpd, loser: ucarp });
    });

    test(`${how}: carpd yields to the better ucarp`, async (t) => {
      const { lab, carpd, ucarp } = await pair(t, { carpd: WORSE_ADVSKEW, ucarp: 0 });
      await heal(t, { lab, cut, carpd, winner: ucarp, loser: carpd });
    });
  }

  test('of equals, the lower address keeps the VIP', async (t) => {
    const { lab, carpd, ucarp } = await pair(t, { carpd: 0, ucarp: 0 });
    await heal(t, { lab, cut: byPortState, carpd, winner: carpd, loser: ucarp });
  });
});

async function pair(
  t: TestContext,
  advskew: { readonly carpd: number; readonly ucarp: number },
): Promise<{ readonly lab: Lab; readonly carpd: Peer; readonly ucarp: Peer }> {
  const lab = await Lab.create(t);
  const a = await lab.host('a', '10.77.0.1/24');
  const b = await lab.host('b', '10.77.0.2/24');
  await lab.host('client', '10.77.0.9/24');
  const carpd = startCarpd(a, { ...GROUP, advskew: advskew.carpd });
  const ucarp = startUcarp(b, { ...GROUP, advskew: advskew.ucarp });
  return { lab, carpd, ucarp };
}

async function heal(
  t: TestContext,
  parts: {
    readonly lab: Lab;
    readonly cut: Cut;
    readonly carpd: Peer;
    readonly winner: Peer;
    readonly loser: Peer;
  },
): Promise<void> {
  const { lab, cut, carpd, winner, loser } = parts;
  const peers = [winner, loser];
  const detail = (): string => lab.report();
  const rejoin = await cut(lab, carpd);
  await Promise.all(peers.map((peer) => peer.waitFor('MASTER', ELECTION_MS)));
  const both = async (): Promise<boolean> => (await whoHolds(lab.hosts, VIP)).length === 2;
  await eventually(both, { withinMs: 15_000, what: 'the address on both sides', detail });
  await throughout(() => peers.every((peer) => peer.state() === 'MASTER'), {
    forMs: 2_000,
    what: 'a master on each side',
    detail,
  });
  const healedMs = nowMs();
  await rejoin();
  const { atMs } = await loser.nextTransition('BACKUP', healedMs, ELECTION_MS);
  const tookMs = atMs - healedMs;
  t.diagnostic(`${loser.kind} yields ${tookMs.toFixed(0)} ms after the healing`);
  const boundMs = INTERVALS_MS + MACHINE_MS + (loser.kind === 'ucarp' ? UCARP_MS : 0);
  ok(tookMs < boundMs, `yielded ${tookMs} ms after the healing, more than ${boundMs}`);
  const alone = async (): Promise<boolean> => {
    const holders = await whoHolds(lab.hosts, VIP);
    return holders.length === 1 && holders[0] === winner.host;
  };
  await eventually(alone, {
    withinMs: 15_000,
    what: `only ${winner.kind} has the address`,
    detail,
  });
  const before = peers.map((peer) => peer.transitions.length);
  await throughout(sparsely(1_000, alone), {
    forMs: CALM_MS,
    what: 'the address stays where it is',
    detail,
  });
  const after = peers.map((peer) => peer.transitions.length);
  deepEqual(after, before, `no change of state after it was settled\n${detail()}`);
  equal(winner.state(), 'MASTER');
  const client = lab.hosts.find(({ name }) => name === 'client');
  ok(client !== undefined);
  deepEqual(await whoAnswers(client, VIP), [winner.host.mac]);
}
