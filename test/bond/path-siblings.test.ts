// Relatives of the path that goes dark without a word of the kernel, and of a leg that passes LACP
// alone: one of two VLAN tags that leaves the trunk, a team device, a switch of an MLAG pair that
// goes. Afterwards the node that served meanwhile serves. Needs root and bonding.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { logEntries } from '../../lab/carpd-log.ts';
import type { Peer } from '../../lab/peer.ts';
import type { BondHost } from './bond-host.ts';
import { isFormed } from './bond-host.ts';
import { mlag } from './mlag.ts';
import {
  outcome,
  skip,
  startMaster,
  startWaiting,
  suffer,
  twoHosts,
  type Hosts,
  type Outcome,
  type Program,
} from './scene.ts';
import {
  doubleTagOnBond,
  doubleTagOnPlainLink,
  failOverTeam,
  teamInsteadOfBond,
} from './stacks.ts';
import type { Fault } from './switch-side.ts';

type Role = 'BACKUP' | 'MASTER';

const FAULT_MS = 12_000;
const SETTLED_MS = 60_000;

/** B runs carpd and has the lower address: it would win what it fights for. */
const SERVES_ON: Outcome = { during: 'a and b', after: 'a', takeovers: 1 };
const NOTHING: Outcome = { during: 'a', after: 'a', takeovers: 0 };
/** Two carpd alone on a segment can't tell whose path was dark: who took over stays. */
const TAKES_IT: Outcome = { ...SERVES_ON, after: 'b' };

describe('a path that goes dark without a word', { skip, concurrency: 2 }, () => {
  for (const [tag, role, beside, expected] of [
    ['outerTag', 'BACKUP', 'ucarp', SERVES_ON],
    ['outerTag', 'MASTER', 'carpd', SERVES_ON],
    ['innerTag', 'BACKUP', 'carpd', TAKES_IT],
    ['innerTag', 'MASTER', 'ucarp', SERVES_ON],
  ] as const) {
    test(`the ${tag} of two leaves the trunk: ${role} beside ${beside}`, async (t) => {
      const { a, b: bond } = await twoHosts(t, { mode: '802.3ad' });
      await doubleTagOnPlainLink(a);
      await bond.lacpFormed();
      const b = await doubleTagOnBond(bond);
      const { ours, peers } = await pair(role, beside, { a, b });
      const result = await lasting(t, peers, () => b.switchSide.lacks(tag));
      ok((await b.slaves()).every(isFormed), 'LACP has stayed');
      deepEqual(result, expected, ours.log());
    });
  }

  for (const [role, beside] of [
    ['BACKUP', 'ucarp'],
    ['MASTER', 'carpd'],
  ] as const) {
    test(`every frame of a team device is lost: ${role} beside ${beside}`, async (t) => {
      const { a, b } = await twoTeams(t);
      const { ours, peers } = await pair(role, beside, { a, b });
      deepEqual(await lasting(t, peers, () => b.switchSide.dark()), SERVES_ON, ours.log());
    });

    test(`a team device fails over to a silent port: ${role} beside ${beside}`, async (t) => {
      const { a, b } = await twoTeams(t);
      const { ours, peers } = await pair(role, beside, { a, b });
      const second = [b.switchSide.port(1)];
      await b.switchSide.block(second);
      const result = await lasting(t, peers, async () => {
        await failOverTeam(b);
        return { remove: () => b.switchSide.unblock(second) };
      });
      deepEqual(result, SERVES_ON, ours.log());
    });
  }
});

describe('one switch of an MLAG pair goes', { skip, concurrency: 2 }, () => {
  for (const [system, role, beside] of [
    ['same', 'BACKUP', 'ucarp'],
    ['same', 'MASTER', 'carpd'],
    ['other', 'BACKUP', 'carpd'],
    ['other', 'MASTER', 'ucarp'],
  ] as const) {
    const name = `the ${system} system id on the one that stays, silent at first`;
    test(`${name}: ${role} beside ${beside}`, async (t) => {
      const options = { mode: '802.3ad', formed: false, forwarding: false } as const;
      const { lab, a, b } = await twoHosts(t, options);
      const switches = await mlag(b, lab.switch, system);
      const { ours, peers } = await pair(role, beside, { a, b });
      const result = await lasting(t, peers, async () => {
        await switches.loseFirst();
        return { remove: () => switches.secondIsReady() };
      });
      equal(result.after, 'a', peers.map((peer) => peer.log()).join('\n\n'));
      const causes = logEntries(ours, { event: 'link-epoch' }).map(({ fields }) => fields['cause']);
      t.diagnostic(`epochs: ${causes.join()}`);
      deepEqual(result, role === 'BACKUP' ? NOTHING : SERVES_ON, ours.log());
    });
  }
});

async function twoTeams(t: TestContext): Promise<Hosts> {
  const { lab, a, b } = await twoHosts(t, { mode: 'active-backup', up: false });
  return { lab, a, b: await teamInsteadOfBond(b) };
}

/** What came of a fault that lasts for past two dead intervals. */
async function lasting(
  t: TestContext,
  peers: readonly Peer[],
  begin: () => Promise<Fault>,
): Promise<Outcome> {
  let fault: Fault | undefined;
  const span = await suffer({
    begin: async () => {
      fault = await begin();
    },
    forMs: FAULT_MS,
    repair: async () => fault?.remove(),
  });
  return outcome(t, peers, span);
}

/** B runs carpd, in the role that it gets by being first or second. */
async function pair(
  role: Role,
  beside: Program,
  { a, b }: { readonly a: Hosts['a']; readonly b: BondHost },
): Promise<{ readonly ours: Peer; readonly peers: readonly Peer[] }> {
  const isMaster = role === 'MASTER';
  const [one, other] = isMaster ? [b, a] : [a, b];
  const first = await startMaster(isMaster ? 'carpd' : beside, one, other);
  const second = await startWaiting(isMaster ? beside : 'carpd', other);
  await second.waitFor('BACKUP', SETTLED_MS);
  return isMaster
    ? { ours: first, peers: [second, first] }
    : { ours: second, peers: [first, second] };
}
