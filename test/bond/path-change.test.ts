// The path of a bonded node changes while carrier stays: a failover of the active slave onto a port
// that is silent at first, a cable lost and back, a blip. Needs root and bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { logEntries } from '../lab/carpd-log.ts';
import type { Peer } from '../lab/peer.ts';
import type { BondHost } from './bond-host.ts';
import {
  outcome,
  PROGRAMS,
  SIDE_BY_SIDE,
  skip,
  startMaster,
  startWaiting,
  suffer,
  twoHosts,
  type Outcome,
  type Program,
  type Settings,
} from './scene.ts';
import type { BondOptions } from './topology.ts';

type Role = 'BACKUP' | 'MASTER';

const SHORT_MS = 1_000;
const SILENT_MS = 8_000;
const BLIP_MS = 200;
const ADVERT_MS = 1_000;
/** A dead interval of 6 s, where a short fault must stay short on a busy machine too. */
const PATIENT: Settings = { deadRatio: 6 };
/** With it a takeover comes later than `outcome` would wait for. */
const PATIENCE_MS = 3_000;

/** B has the lower address: it wins between equals. A stays master where B is backup. */
const NOTHING: Readonly<Record<Role, Outcome>> = {
  BACKUP: { during: 'a', after: 'a', takeovers: 0 },
  MASTER: { during: 'b', after: 'b', takeovers: 0 },
};

/** After 8 s of silence on the new path. */
const SILENCE: Readonly<Record<Program, Readonly<Record<Role, Outcome>>>> = {
  ucarp: {
    BACKUP: { during: 'a and b', after: 'b', takeovers: 1 },
    MASTER: { during: 'a and b', after: 'b', takeovers: 1 },
  },
  carpd: {
    BACKUP: { during: 'a', after: 'a', takeovers: 0 },
    MASTER: { during: 'a and b', after: 'a', takeovers: 1 },
  },
};

describe('the path changes and the carrier stays', { skip, concurrency: SIDE_BY_SIDE }, () => {
  for (const program of PROGRAMS) {
    for (const role of ['BACKUP', 'MASTER'] as const) {
      for (const silentMs of [SHORT_MS, SILENT_MS]) {
        const name = `${program}, ${role}: failover onto a path silent for ${silentMs / 1_000} s`;
        test(name, async (t) => {
          const short = silentMs === SHORT_MS;
          const settings = short ? PATIENT : {};
          const { b, peers } = await pair(t, program, role, { mode: 'active-backup' }, settings);
          const second = [b.switchSide.port(1)];
          await b.switchSide.block(second);
          const span = await suffer({
            begin: () => b.switchSide.cableDown(0),
            forMs: silentMs,
            repair: () => b.switchSide.unblock(second),
          });
          if (short) await sleep(PATIENCE_MS);
          const expected = short ? NOTHING[role] : SILENCE[program][role];
          deepEqual(await outcome(t, peers, span), expected);
        });
      }
    }

    test(`${program}, MASTER: a cable of an LACP bond lost and back`, async (t) => {
      const { b, ours, peers } = await pair(t, program, 'MASTER', { mode: '802.3ad' });
      const span = await suffer({
        begin: () => b.switchSide.cableDown(0),
        forMs: 5_000,
        repair: () => b.switchSide.cableUp(0),
      });
      await b.lacpFormed();
      deepEqual(await outcome(t, peers, span), NOTHING.MASTER);
      // Where the other cable is not known to have passed a frame, it proves itself at once.
      for (const { fields } of logEntries(ours, { event: 'link-epoch', afterMs: span.fromMs })) {
        equal(fields['cause'], 'port-lost');
      }
      const doubts = logEntries(ours, { event: 'doubt', afterMs: span.fromMs });
      const [begun, ended] = doubts;
      ok(doubts.length === 0 || doubts.length === 2, ours.log());
      if (begun && ended) ok(ended.atMs - begun.atMs < ADVERT_MS, ours.log());
    });

    test(`${program}, MASTER: the carrier of an active-backup bond gone for 200 ms`, async (t) => {
      const { b, peers } = await pair(t, program, 'MASTER', { mode: 'active-backup' });
      keepsServing(program, await blip(t, b, peers));
    });

    // LACP needs some three seconds to form again: with less patience A takes over meanwhile.
    test(`${program}, MASTER: the carrier of an LACP bond gone for 200 ms`, async (t) => {
      const { b, peers } = await pair(t, program, 'MASTER', { mode: '802.3ad' }, PATIENT);
      keepsServing(program, await blip(t, b, peers));
    });
  }
});

async function blip(t: TestContext, b: BondHost, peers: readonly Peer[]): Promise<Outcome> {
  const span = await suffer({
    begin: () => b.switchSide.carrier(false),
    forMs: BLIP_MS,
    repair: () => b.switchSide.carrier(true),
  });
  await sleep(PATIENCE_MS);
  return outcome(t, peers, span);
}

/** Stock ucarp gives up if it happens to look while the carrier is away: no more is sure. */
function keepsServing(program: Program, { after, takeovers }: Outcome): void {
  if (program === 'carpd') deepEqual({ after, takeovers }, { after: 'b', takeovers: 0 });
}

/** A runs stock ucarp; B the program, in the role that it gets by being first or second. */
async function pair(
  t: TestContext,
  program: Program,
  role: Role,
  options: BondOptions,
  settings: Settings = {},
): Promise<{ b: BondHost; ours: Peer; peers: readonly Peer[] }> {
  const { a, b } = await twoHosts(t, options);
  if (options.mode === '802.3ad') await b.lacpFormed();
  if (role === 'BACKUP') {
    const peer = await startMaster('ucarp', a, b, settings);
    const ours = await startWaiting(program, b, settings);
    await ours.waitFor('BACKUP', 40_000);
    return { b, ours, peers: [peer, ours] };
  }
  const ours = await startMaster(program, b, a, settings);
  const peer = await startWaiting('ucarp', a, settings);
  return { b, ours, peers: [peer, ours] };
}
