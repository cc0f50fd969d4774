// The incident that carpd exists for, on real bonds: a node boots onto a link that has carrier and
// passes nothing. Stock ucarp takes the virtual IP from the healthy master; carpd stays held. The
// stock halves hold the baseline. Needs root and bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Peer } from '../../lab/peer.ts';
import {
  BOOTED,
  ELECTION_MS,
  LONG,
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
  type Hosts,
} from './scene.ts';
import { bridgeOnBond, vlanOnBond, vlanOnPlainLink } from './topology.ts';

const FAULT_MS = 10_000;
const LONG_FAULT_MS = 40_000;

describe(
  'a node boots onto a bond that passes nothing',
  { skip, concurrency: SIDE_BY_SIDE },
  () => {
    for (const program of PROGRAMS) {
      for (const forMs of LONG ? [FAULT_MS, LONG_FAULT_MS] : [FAULT_MS]) {
        const seconds = forMs / 1_000;

        test(`${program}: LACP formed, port not forwarding for ${seconds} s`, async (t) => {
          const scene = await twoHosts(t, { mode: '802.3ad', forwarding: false });
          deepEqual(await boot(t, program, scene, forMs), BOOTED[program]);
        });
      }

      test(`${program}: the same on a VLAN of the bond`, async (t) => {
        const { lab, a, b } = await twoHosts(t, { mode: '802.3ad', forwarding: false });
        await vlanOnPlainLink(a, 5);
        const scene = { lab, a, b: await vlanOnBond(b, 5) };
        deepEqual(await boot(t, program, scene, FAULT_MS), BOOTED[program]);
      });

      test(`${program}: the same on a bridge over the bond`, async (t) => {
        const { lab, a, b } = await twoHosts(t, { mode: '802.3ad', forwarding: false });
        const scene = { lab, a, b: await bridgeOnBond(b) };
        deepEqual(await boot(t, program, scene, FAULT_MS), BOOTED[program]);
      });
    }
  },
);

/** A serves, B boots with LACP formed on a blocked channel, which then forwards. */
async function boot(
  t: TestContext,
  program: Program,
  { a, b }: Hosts,
  forMs: number,
): Promise<Outcome> {
  const [healthy] = await Promise.all([startMaster('ucarp', a, b), b.lacpFormed()]);
  ok(await b.hasCarrier(), 'the link of B has carrier and is up');
  ok((await b.rxPackets()) > 0, 'the bond counts received packets: LACPDUs, no data frame');
  const booted = await startWaiting(program, b);
  if (program === 'carpd') equal(booted.state(), 'HELD', booted.child.tail());
  const span = await suffer({ forMs, repair: () => b.switchSide.unblock() });
  const result = await outcome(t, [healthy, booted], span);
  if (program === 'carpd') await takesOverFrom(healthy, booted);
  return result;
}

/** The gate must not keep a backup from a real failover. */
async function takesOverFrom(master: Peer, backup: Peer): Promise<void> {
  equal(backup.state(), 'BACKUP', backup.child.tail());
  await master.kill();
  await master.host.linkDown();
  await backup.waitFor('MASTER', ELECTION_MS);
}
