// Relatives of the incident and of the path that changes: a team device, two VLAN tags, LACP at the
// slow rate, bonds whose MAC addresses follow the active slave, another partner. Needs root and
// bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import {
  BOOTED,
  outcome,
  PROGRAMS,
  SIDE_BY_SIDE,
  skip,
  startMaster,
  startWaiting,
  suffer,
  twoHosts,
  type Hosts,
  type Outcome,
  type Program,
} from './scene.ts';
import { doubleTagOnBond, doubleTagOnPlainLink, teamInsteadOfBond } from './stacks.ts';

const FAULT_MS = 10_000;
const SETTLED_MS = 60_000;

describe('siblings of the incident', { skip, concurrency: SIDE_BY_SIDE }, () => {
  for (const program of PROGRAMS) {
    test(`${program}: boots onto a team device whose ports pass nothing`, async (t) => {
      const options = { mode: 'active-backup', forwarding: false, up: false } as const;
      const { lab, a, b } = await twoHosts(t, options);
      const scene = { lab, a, b: await teamInsteadOfBond(b) };
      deepEqual(await boot(t, program, scene), BOOTED[program]);
    });

    test(`${program}: boots onto two VLAN tags of an LACP bond that passes nothing`, async (t) => {
      const { lab, a, b } = await twoHosts(t, { mode: '802.3ad', forwarding: false });
      await doubleTagOnPlainLink(a);
      await b.lacpFormed();
      deepEqual(await boot(t, program, { lab, a, b: await doubleTagOnBond(b) }), BOOTED[program]);
    });

    test(`${program}: boots onto an LACP bond at the slow rate that passes nothing`, async (t) => {
      const options = { mode: '802.3ad', lacpRate: 'slow', forwarding: false } as const;
      const scene = await twoHosts(t, options);
      await scene.b.lacpFormed();
      deepEqual(await boot(t, program, scene), BOOTED[program]);
    });

    for (const role of ['BACKUP', 'MASTER'] as const) {
      test(`${program}, ${role}: fail_over_mac 2, failover onto a silent path`, async (t) => {
        const options = { mode: 'active-backup', extra: 'fail_over_mac 2' } as const;
        const { a, b } = await twoHosts(t, options);
        const peers = await pair(program, role, a, b);
        const second = [b.switchSide.port(1)];
        await b.switchSide.block(second);
        const span = await suffer({
          begin: () => b.switchSide.cableDown(0),
          forMs: FAULT_MS,
          repair: () => b.switchSide.unblock(second),
        });
        judge(program, await outcome(t, peers, span));
      });

      test(`${program}, ${role}: another LACP partner, silent at first`, async (t) => {
        const { a, b } = await twoHosts(t, { mode: '802.3ad' });
        await b.lacpFormed();
        const peers = await pair(program, role, a, b);
        const span = await suffer({
          begin: async () => {
            await b.switchSide.block();
            await b.switchSide.speakLacp();
          },
          forMs: FAULT_MS,
          repair: () => b.switchSide.unblock(),
        });
        judge(program, await outcome(t, peers, span));
      });
    }
  }
});

/** A serves, B boots; the switch's ports forward after a while. */
async function boot(t: TestContext, program: Program, { a, b }: Hosts): Promise<Outcome> {
  const healthy = await startMaster('ucarp', a, b);
  ok(await b.hasCarrier(), 'the link of B has carrier and is up');
  const booted = await startWaiting(program, b);
  if (program === 'carpd') equal(booted.state(), 'HELD', booted.child.tail());
  const span = await suffer({ forMs: FAULT_MS, repair: () => b.switchSide.unblock() });
  return outcome(t, [healthy, booted], span);
}

/** A runs stock ucarp; B the program, in the role that it gets by being first or second. */
async function pair(program: Program, role: 'BACKUP' | 'MASTER', a: Hosts['a'], b: Hosts['b']) {
  const isMaster = role === 'MASTER';
  const first = await startMaster(isMaster ? program : 'ucarp', isMaster ? b : a, isMaster ? a : b);
  const second = await startWaiting(isMaster ? 'ucarp' : program, isMaster ? a : b);
  await second.waitFor('BACKUP', SETTLED_MS);
  return [first, second];
}

/** Who served meanwhile goes on serving; stock ucarp with the lower address takes it away. */
function judge(program: Program, { after, takeovers }: Outcome): void {
  equal(after, program === 'ucarp' ? 'b' : 'a');
  ok(takeovers <= 1 || program === 'ucarp', `${takeovers} takeovers`);
}
