// The path goes dark: every frame is lost both ways for a while, LACPDUs too, carrier untouched.
// Afterwards there has to be one master, the one that served meanwhile. Needs root and bonding.
import { equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import {
  darken,
  LONG,
  outcome,
  PROGRAMS,
  SIDE_BY_SIDE,
  skip,
  startMaster,
  startWaiting,
  twoHosts,
  type Outcome,
  type Program,
  type Rank,
  type Settings,
} from './scene.ts';

/** How B stands when its path goes dark: `better` is the lower address. */
interface Case {
  readonly role: 'BACKUP' | 'MASTER';
  readonly rank: Rank;
}

const CASES: readonly Case[] = [
  { role: 'BACKUP', rank: 'better' },
  { role: 'MASTER', rank: 'better' },
  { role: 'MASTER', rank: 'worse' },
];

/** LACP at the fast rate notices after 3 s. */
const UNNOTICED_MS = 2_000;
const NOTICED_MS = 8_000;
/** So that two seconds are short on a busy machine too. */
const PATIENT: Settings = { deadRatio: 8 };
const DARK_MS = LONG ? [UNNOTICED_MS, NOTICED_MS, 20_000] : [NOTICED_MS];
/** LACP at the slow rate notices after 90 s; until then nothing but silence tells. */
const SLOW_NOTICED_MS = 105_000;

describe('the path goes dark', { skip, concurrency: SIDE_BY_SIDE }, () => {
  for (const { role, rank } of CASES) {
    for (const forMs of DARK_MS) {
      for (const program of PROGRAMS) {
        for (const beside of program === 'ucarp' ? (['ucarp'] as const) : PROGRAMS) {
          const who = `${program} beside ${beside}, ${role}, ${rank} address`;
          test(`${who}: dark for ${forMs / 1_000} s`, async (t) => {
            const result = await darkness(t, { program, beside, role, rank, forMs, rate: 'fast' });
            if (forMs === UNNOTICED_MS) return equal(result.after, role === 'MASTER' ? 'b' : 'a');
            if (program === 'carpd') equal(result.after, 'a');
            // Which of two stock ucarps wins in the end depends on how LACP comes back.
            else equal(result.during, 'a and b');
            ok(result.takeovers <= 1, JSON.stringify(result));
          });
        }
      }
    }
  }

  // As with a VLAN that leaves the trunk, the kernel tells nothing until it is over.
  for (const role of ['BACKUP', 'MASTER'] as const) {
    for (const beside of PROGRAMS) {
      for (const forMs of LONG ? [NOTICED_MS, SLOW_NOTICED_MS] : [NOTICED_MS]) {
        const who = `carpd beside ${beside}, ${role}, better address, slow LACP`;
        test(`${who}: dark for ${forMs / 1_000} s`, async (t) => {
          const is = { program: 'carpd', beside, role, rank: 'better', forMs } as const;
          const result = await darkness(t, { ...is, rate: 'slow' });
          // Two carpd alone on a segment can't tell whose path was dark: who took over stays.
          const tookOver = role === 'MASTER' ? 'a' : 'b';
          const isNoticed = forMs === SLOW_NOTICED_MS;
          equal(result.after, beside === 'carpd' && !isNoticed ? tookOver : 'a');
          ok(result.takeovers <= 1, JSON.stringify(result));
        });
      }
    }
  }
});

interface Darkness extends Case {
  readonly program: Program;
  /** What A runs. */
  readonly beside: Program;
  readonly forMs: number;
  readonly rate: 'fast' | 'slow';
}

async function darkness(t: TestContext, is: Darkness): Promise<Outcome> {
  const { program, beside, role, rank, forMs, rate } = is;
  const { a, b } = await twoHosts(t, { mode: '802.3ad', lacpRate: rate }, rank);
  await b.lacpFormed();
  const isMaster = role === 'MASTER';
  const settings = forMs === UNNOTICED_MS ? PATIENT : {};
  const first = await startMaster(
    isMaster ? program : beside,
    isMaster ? b : a,
    isMaster ? a : b,
    settings,
  );
  const second = await startWaiting(isMaster ? beside : program, isMaster ? a : b, settings);
  await second.waitFor('BACKUP', 40_000);
  const span = await darken(b, forMs);
  return outcome(t, isMaster ? [second, first] : [first, second], span);
}
