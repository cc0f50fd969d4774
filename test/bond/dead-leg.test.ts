// A leg of a bond is lost, and what the bond goes on by passes no data though all looks well: a leg
// that only LACP has passed, a path that is silent at first. Needs root and bonding.
import { deepEqual, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { logEntries, logEntry } from '../../lab/carpd-log.ts';
import type { Peer } from '../../lab/peer.ts';
import { eventually } from '../../lab/wait.ts';
import type { BondHost } from './bond-host.ts';
import {
  LONG,
  outcome,
  PROGRAMS,
  skip,
  startMaster,
  startWaiting,
  suffer,
  twoHosts,
  type Hosts,
  type Outcome,
  type Program,
  type Settings,
} from './scene.ts';
import { slaveName } from './switch-side.ts';
import type { BondOptions } from './topology.ts';

type Role = 'BACKUP' | 'MASTER';

const ROLES: readonly Role[] = ['BACKUP', 'MASTER'];
const FAULT_MS = 8_000;
/** The switch may send adverts by the dead leg as soon as it has joined, and LACP takes a while. */
const PATIENT: Settings = { deadRatio: 8 };
const PATIENT_FAULT_MS = 14_000;
const START_MS = 60_000;
const LACP_MS = 40_000;

/** B runs carpd and has the lower address: it would win what it fights for. */
const EXPECTED: Readonly<Record<Role, Outcome>> = {
  BACKUP: { during: 'a', after: 'a', takeovers: 0 },
  MASTER: { during: 'a and b', after: 'a', takeovers: 1 },
};

/** Modes whose legs share the traffic, without LACP. */
const STATIC: readonly BondOptions['mode'][] = LONG
  ? ['balance-xor', 'balance-rr', 'broadcast']
  : ['balance-xor'];

describe('the leg that stays never passed a frame', { skip, concurrency: 2 }, () => {
  for (const role of ROLES) {
    for (const beside of PROGRAMS) {
      test(`802.3ad, ${role} beside ${beside}`, async (t) => {
        deepEqual(await deadLeg(t, { mode: '802.3ad' }, role, beside), EXPECTED[role]);
      });
    }
    for (const mode of STATIC) {
      test(`${mode}, ${role}`, async (t) => {
        deepEqual(await deadLeg(t, { mode }, role, 'ucarp'), EXPECTED[role]);
      });
    }
  }
});

describe('the active slave of a bond that balances', { skip, concurrency: 2 }, () => {
  for (const mode of ['balance-alb', 'balance-tlb'] as const) {
    for (const role of ROLES) {
      for (const beside of LONG ? PROGRAMS : (['ucarp'] as const)) {
        test(`${mode}, ${role} beside ${beside}: failover onto a silent path`, async (t) => {
          const { a, b } = await twoHosts(t, { mode });
          const second = [b.switchSide.port(1)];
          const { ours, peers } = await pair(role, beside, { a, b });
          // Not before: balance-alb has the peers answer to either slave.
          await b.switchSide.block(second);
          const span = await suffer({
            begin: () => b.switchSide.cableDown(0),
            forMs: FAULT_MS,
            repair: () => b.switchSide.unblock(second),
          });
          deepEqual(await outcome(t, peers, span), EXPECTED[role]);
          // The kernel may tell of the lost link before it tells of the new active slave.
          const [cause] = epochs(ours, span.fromMs);
          ok(cause === 'active-port-changed' || cause === 'port-lost', ours.log());
        });
      }
    }
  }
});

/** B comes up on one leg; the other one joins, passes no data, and is soon the only one. */
async function deadLeg(
  t: TestContext,
  options: BondOptions,
  role: Role,
  beside: Program,
): Promise<Outcome> {
  const { a, b } = await twoHosts(t, options);
  await b.switchSide.cableDown(1);
  await ready(b, [true, false]);
  const { ours, peers } = await pair(role, beside, { a, b }, PATIENT);
  const dead = await b.switchSide.dropData([1]);
  await b.switchSide.cableUp(1);
  await ready(b, [true, true]);
  // The kernel tells nobody of LACP: carpd reads it now and then, and has to know of this leg.
  const known = { port: slaveName(1), status: 'met' };
  await logEntry(ours, { event: 'lacp-port', fields: known }, LACP_MS);
  const span = await suffer({
    begin: () => b.switchSide.cableDown(0),
    forMs: PATIENT_FAULT_MS,
    repair: () => dead.remove(),
  });
  const result = await outcome(t, peers, span);
  deepEqual(epochs(ours, span.fromMs), ['port-lost'], ours.log());
  return result;
}

/** Waits until the bond uses these legs, with LACP where it is spoken. */
async function ready(b: BondHost, legs: readonly boolean[]): Promise<void> {
  await eventually(
    async () => {
      const slaves = await b.slaves();
      return legs.every((used, leg) => {
        const { linkUp, active, lacp } = slaves[leg] ?? {};
        const inUse = linkUp === true && active === true;
        return inUse === used && (!used || lacp === undefined || isCollecting(lacp.partner));
      });
    },
    { withinMs: LACP_MS, everyMs: 50, what: `the legs of ${b.name} to be ${legs.join()}` },
  );
}

const COLLECTING_IN_SYNC = 0x18;

function isCollecting(state: number): boolean {
  return (state & COLLECTING_IN_SYNC) === COLLECTING_IN_SYNC;
}

function epochs(peer: Peer, afterMs: number): readonly unknown[] {
  const causes = logEntries(peer, { event: 'link-epoch', afterMs }).map(
    ({ fields }) => fields['cause'],
  );
  // Of a machine that stands still.
  return causes.filter((cause) => cause !== 'late-wake');
}

/** B runs carpd, in the role that it gets by being first or second. */
async function pair(
  role: Role,
  beside: Program,
  { a, b }: Pick<Hosts, 'a' | 'b'>,
  settings: Settings = {},
): Promise<{ readonly ours: Peer; readonly peers: readonly Peer[] }> {
  const isMaster = role === 'MASTER';
  const [one, other] = isMaster ? [b, a] : [a, b];
  const first = await startMaster(isMaster ? 'carpd' : beside, one, other, settings);
  const second = await startWaiting(isMaster ? beside : 'carpd', other, settings);
  await second.waitFor('BACKUP', START_MS);
  return isMaster
    ? { ours: first, peers: [second, first] }
    : { ours: second, peers: [first, second] };
}
