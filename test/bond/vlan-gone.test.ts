// The VLAN of a bonded node leaves the trunk for a while: LACP and carrier stay, and the kernel
// tells nothing. Afterwards the node that served meanwhile serves. Needs root and bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import type { Peer } from '../../lab/peer.ts';
import { isFormed } from './bond-host.ts';
import { ELECTION_MS, outcome, PROGRAMS, skip, type Outcome, type Program } from './scene.ts';
import { startPair, trunk, type Nodes, type Role, type Stack } from './trunk.ts';

const ROLES: readonly Role[] = ['BACKUP', 'MASTER'];
/** Past two dead intervals of 3 s. */
const GONE_MS = 12_000;
const SEVERAL = 3;

/** B has the lower address: it would win what it fights for. */
const SERVES_ON: Outcome = { during: 'a and b', after: 'a', takeovers: 1 };
const TAKES_IT: Outcome = { ...SERVES_ON, after: 'b' };

describe('the VLAN leaves the trunk', { skip, concurrency: 2 }, () => {
  for (const role of ROLES) {
    for (const beside of PROGRAMS) {
      const lone = loneOutcome(beside, role);
      test(`carpd beside ${beside}, ${role}: for 12 s`, async (t) => {
        await gone(t, { role, beside }, lone);
      });
      test(`carpd beside ${beside}, ${role}, on a VLAN-aware bridge: for 12 s`, async (t) => {
        await gone(t, { role, beside, stack: 'VLAN bridge' }, lone);
      });
      test(`carpd beside ${beside}, ${role}, several virtual IPs: for a moment`, async (t) => {
        const third = beside === 'carpd';
        await gone(t, { role, beside, third, count: SEVERAL, brief: true }, SERVES_ON);
      });
    }

    test(`carpd beside carpd, ${role}, and a station that answers: for 12 s`, async (t) => {
      await gone(t, { role, beside: 'carpd', third: true }, SERVES_ON);
    });

    test(`ucarp beside ucarp, ${role}: for 12 s`, async (t) => {
      await gone(t, { role, beside: 'ucarp', program: 'ucarp' }, TAKES_IT);
    });
  }
});

/** Two carpd alone on a segment can't tell whose path was dark: who took over stays. */
function loneOutcome(beside: Program, role: Role): Outcome {
  return beside === 'carpd' && role === 'BACKUP' ? TAKES_IT : SERVES_ON;
}

interface Gone {
  readonly role: Role;
  /** What A runs. */
  readonly beside: Program;
  /** What B runs; carpd if not given. */
  readonly program?: Program;
  readonly stack?: Stack;
  readonly third?: boolean;
  /** How many virtual IPs; one if not given. */
  readonly count?: number;
  /** Only until another one is master too; for 12 s if not given. */
  readonly brief?: boolean;
}

/** Plays it: the same has to come of each virtual IP. */
async function gone(t: TestContext, is: Gone, expected: Outcome): Promise<void> {
  const { role, beside, program = 'carpd', stack = 'VLAN', third = false } = is;
  const { count = 1, brief = false } = is;
  const scene = await trunk(t, { bond: { mode: '802.3ad' }, stack, third });
  const { nodeA, nodeB } = await startPair(scene, { role, beside, program, count });
  const span = await scene.vlanGone((fromMs) =>
    brief ? takenOver(is, { nodeA, nodeB }, fromMs) : sleep(GONE_MS),
  );
  ok(await scene.b.hasCarrier(), 'the carrier has stayed');
  ok((await scene.b.slaves()).every(isFormed), 'LACP has stayed');
  const results: Outcome[] = [];
  for (const [index, a] of nodeA.entries()) {
    const b = nodeB[index];
    if (b !== undefined) results.push(await outcome(t, [a, b], span));
  }
  if (program === 'carpd') equal(epochsSince(nodeB, span.fromMs), 0, 'the kernel tells nothing');
  const logs = [nodeA, nodeB].map(([peer]) => peer?.log() ?? '').join('\n');
  const wanted = results.map(() => expected);
  deepEqual(results, wanted, `${JSON.stringify(results)}\n${logs}`);
}

/** Waits until there are two masters, and B, if it was the first, knows that it hears nobody. */
async function takenOver({ role }: Gone, { nodeA, nodeB }: Nodes, afterMs: number): Promise<void> {
  const [b] = nodeB;
  for (const peer of role === 'MASTER' ? nodeA : nodeB) {
    await peer.waitFor('MASTER', ELECTION_MS);
  }
  if (role === 'BACKUP' || b === undefined) return;
  const fields = { warning: 'path-unconfirmed' };
  const doubts = (): boolean =>
    logEntries(b, { event: 'gate-warning', fields, afterMs }).length >= nodeB.length;
  await b.child.until(doubts, 'B to distrust its path', ELECTION_MS);
}

/** How many link epochs have begun; those of a machine that stood still don't count. */
function epochsSince([b]: readonly Peer[], afterMs: number): number {
  if (b === undefined) return 0;
  const all = logEntries(b, { event: 'link-epoch', afterMs });
  return all.filter(({ fields }) => fields['cause'] !== 'late-wake').length;
}
