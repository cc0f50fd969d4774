// The path of a bonded node changes while carrier stays: a failover of the active slave onto a port
// that is silent at first, a cable lost and back, a blip. Needs root and bonding.
import { deepEqual, fail, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Lab } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
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
  type Span,
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
/** A silence that no peer of that patience can act on: an advert comes before and after it. */
const SILENT_MS_MAX = 4_000;
/** Less than an advertisement interval, for which a master waits for its carrier. */
const BLIP_MS_MAX = 800;
const ATTEMPTS = 3;

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
          const scene = { program, role, options: { mode: 'active-backup' }, settings } as const;
          const play = async ({ b }: Scene): Promise<number> => {
            await b.switchSide.block([b.switchSide.port(1)]);
            return b.switchSide.lateFailover(silentMs);
          };
          const result = await brief(t, scene, play, short ? SILENT_MS_MAX : Infinity);
          deepEqual(result, short ? NOTHING[role] : SILENCE[program][role]);
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
      provesItselfAtOnce(ours, span);
    });

    // LACP needs some three seconds to form again: with less patience A takes over meanwhile.
    for (const [mode, settings] of [
      ['active-backup', {}],
      ['802.3ad', PATIENT],
    ] as const) {
      test(`${program}, MASTER: the carrier of a bond (${mode}) gone for 200 ms`, async (t) => {
        const scene = { program, role: 'MASTER', options: { mode }, settings } as const;
        const play = ({ b }: Scene): Promise<number> => b.switchSide.blip(BLIP_MS);
        // Of stock ucarp nothing is asked, however long it lasts.
        const atMostMs = program === 'carpd' ? BLIP_MS_MAX : Infinity;
        keepsServing(program, await brief(t, scene, play, atMostMs));
      });
    }
  }
});

/** What a scene is made of. */
interface Cast {
  readonly program: Program;
  readonly role: Role;
  readonly options: BondOptions;
  readonly settings: Settings;
}

/**
 * Plays a fault that lasts at most so many ms, by what `play` says. A machine that was too slow to
 * make it so short has made another fault: the scene is made and played again.
 */
async function brief(
  t: TestContext,
  { program, role, options, settings }: Cast,
  play: (scene: Scene) => Promise<number>,
  atMostMs: number,
): Promise<Outcome> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const scene = await pair(t, program, role, options, settings);
    const fromMs = nowMs();
    const lastedMs = await play(scene);
    const toMs = nowMs();
    t.diagnostic(`the fault lasted ${lastedMs} ms`);
    if (lastedMs <= atMostMs) {
      if (settings === PATIENT) await sleep(PATIENCE_MS);
      return outcome(t, scene.peers, { fromMs, toMs });
    }
    scene.lab.close();
  }
  return fail(`the machine is too slow for a fault of ${atMostMs} ms`);
}

/**
 * Where the other cable is not known to have passed a frame, it proves itself at once. A machine
 * that stood still has an epoch of its own.
 */
function provesItselfAtOnce(ours: Peer, { fromMs: afterMs }: Span): void {
  const causes = logEntries(ours, { event: 'link-epoch', afterMs }).map(
    ({ fields }) => fields['cause'],
  );
  if (causes.includes('late-wake')) return;
  deepEqual(
    causes.filter((cause) => cause !== 'port-lost'),
    [],
    ours.log(),
  );
  const doubts = logEntries(ours, { event: 'doubt', afterMs });
  const [begun, ended] = doubts.map(({ fields }) => Date.parse(String(fields['time'])));
  ok(doubts.length === 0 || doubts.length === 2, ours.log());
  if (begun !== undefined && ended !== undefined) ok(ended - begun < ADVERT_MS, ours.log());
}

/** Stock ucarp gives up if it happens to look while the carrier is away: no more is sure. */
function keepsServing(program: Program, { after, takeovers }: Outcome): void {
  if (program === 'carpd') deepEqual({ after, takeovers }, { after: 'b', takeovers: 0 });
}

interface Scene {
  readonly lab: Lab;
  readonly b: BondHost;
  readonly ours: Peer;
  readonly peers: readonly Peer[];
}

/** A runs stock ucarp; B the program, in the role that it gets by being first or second. */
async function pair(
  t: TestContext,
  program: Program,
  role: Role,
  options: BondOptions,
  settings: Settings = {},
): Promise<Scene> {
  const { lab, a, b } = await twoHosts(t, options);
  if (options.mode === '802.3ad') await b.lacpFormed();
  if (role === 'BACKUP') {
    const peer = await startMaster('ucarp', a, b, settings);
    const ours = await startWaiting(program, b, settings);
    await ours.waitFor('BACKUP', 40_000);
    return { lab, b, ours, peers: [peer, ours] };
  }
  const ours = await startMaster(program, b, a, settings);
  const peer = await startWaiting('ucarp', a, settings);
  return { lab, b, ours, peers: [peer, ours] };
}
