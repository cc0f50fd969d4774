// Bonds side by side, as ports of one bridge: a change of any of them ends the epoch, and one that
// is ready is enough.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds, micros } from '../../../src/base/time.ts';
import { EpochTracker } from '../../../src/readiness/epoch.ts';
import type { BondFacts, LinkFacts } from '../../../src/readiness/facts.ts';
import { judgeBond, judgeBonds } from '../../../src/readiness/lacp.ts';
import { ACTIVE_BACKUP, LACP, LACP_MISSING, LinkRig, PLAIN } from '../../support/readiness-rig.ts';
import { mac } from '../../support/packets.ts';

const [FIRST = 0, SECOND = 0] = LACP.ports.map(({ ifindex }) => ifindex);
const OTHER_PORTS = LACP.ports.map((port) => ({ ...port, ifindex: port.ifindex + 10 }));
const OTHER: BondFacts = { ...LACP, name: 'bond1', ifindex: 4, ports: OTHER_PORTS };
const OTHER_BACKUP: BondFacts = { ...ACTIVE_BACKUP, name: 'bond1', ifindex: 4, activePort: 20 };

function beside(...bonds: readonly BondFacts[]): LinkFacts {
  const [only] = bonds;
  const lower = only !== undefined && bonds.length === 1 ? only : { kind: 'bonds' as const, bonds };
  return { ...PLAIN, uplinks: bonds.map(({ ifindex }) => ({ ifindex, vlans: [] })), lower };
}

const losing = (bond: BondFacts, losses: number): BondFacts => ({
  ...bond,
  ports: bond.ports.map((port, at) => ({ ...port, losses: at === 0 ? losses : 0 })),
});

function causes(...reports: readonly LinkFacts[]): readonly (string | undefined)[] {
  const tracker = new EpochTracker(micros(0));
  return reports.map((facts, second) => tracker.observe(facts, fromSeconds(second)));
}

describe('of bonds side by side', () => {
  const changes: readonly (readonly [string, BondFacts, BondFacts, string])[] = [
    ['the active slave', OTHER_BACKUP, { ...OTHER_BACKUP, activePort: 21 }, 'active-port-changed'],
    ['the aggregator', OTHER, { ...OTHER, activeAggregatorId: 2 }, 'aggregator-changed'],
    ['the partner', OTHER, { ...OTHER, partnerMac: mac('02:00:00:00:0b:0b') }, 'partner-changed'],
    ['a port', OTHER, { ...OTHER, ports: OTHER_PORTS.slice(1) }, 'port-lost'],
    ['every port', OTHER, { ...OTHER, ports: [] }, 'last-port-lost'],
    ['a link for a moment', losing(OTHER, 0), losing(OTHER, 1), 'port-lost'],
  ];
  for (const [what, before, after, cause] of changes) {
    it(`a change of any ends the epoch, once: ${what}`, () => {
      for (const order of [
        (bond: BondFacts): LinkFacts => beside(LACP, bond),
        (bond: BondFacts): LinkFacts => beside(bond, LACP),
      ]) {
        assert.deepEqual(causes(order(before), order(after), order(after)), [
          undefined,
          cause,
          undefined,
        ]);
      }
    });
  }

  it('one that joins ends nothing, whatever it brings along; one that leaves does', () => {
    const [alone, both] = [beside(LACP), beside(LACP, losing(OTHER, 7))];
    assert.deepEqual(causes(alone, both, alone, both), [
      undefined,
      undefined,
      'uplink-changed',
      undefined,
    ]);
  });

  it('one that changes while another joins still ends it', () => {
    const seen = causes(beside(LACP), beside({ ...LACP, activeAggregatorId: 2 }, OTHER));
    assert.deepEqual(seen, [undefined, 'aggregator-changed']);
  });

  it('a port that is known to pass frames speaks for its own bond only', () => {
    const tracker = new EpochTracker(micros(0));
    tracker.observe(beside(LACP, OTHER), fromSeconds(1));
    assert.equal(tracker.readyPorts, 2);
    const lost = beside({ ...LACP, ports: LACP.ports.slice(1) }, OTHER);
    assert.equal(tracker.observe(lost, fromSeconds(2), new Set([SECOND])), undefined);
    const more = beside({ ...LACP, ports: [] }, { ...OTHER, ports: OTHER_PORTS.slice(1) });
    assert.equal(tracker.observe(more, fromSeconds(3), new Set([FIRST])), 'last-port-lost');
    assert.equal(tracker.readyPorts, 1);
  });

  it('one whose mode can not be read now shares its traffic among no ports that are known', () => {
    const tracker = new EpochTracker(micros(0));
    tracker.observe(beside(LACP), micros(0));
    assert.equal(tracker.readyPorts, 2);
    tracker.observe(beside({ ...LACP, mode: undefined }), fromSeconds(1));
    assert.equal(tracker.readyPorts, 0);
  });

  it('leaves what is known of them as it was while none can be seen', () => {
    const unseen: LinkFacts = { ...beside(LACP, OTHER), lower: { kind: 'unseen' } };
    const changed = beside(LACP, { ...OTHER, activeAggregatorId: 2 });
    const seen = causes(beside(LACP, OTHER), unseen, changed);
    assert.deepEqual(seen, [undefined, undefined, 'aggregator-changed']);
  });

  it('a master whose other bond changes is in doubt', () => {
    const rig = LinkRig.master({}, beside(LACP, OTHER_BACKUP));
    rig.facts(beside(LACP, { ...OTHER_BACKUP, activePort: 21 }));
    assert.equal(rig.instance.doubt?.cause, 'epoch-ended');
  });
});

describe('the judgement of bonds side by side', () => {
  it('of none there is none, and one is judged as it is', () => {
    assert.equal(judgeBonds([]), undefined);
    assert.deepEqual(judgeBonds([LACP_MISSING]), judgeBond(LACP_MISSING));
  });

  it('one that is ready is enough', () => {
    const verdict = judgeBonds([LACP_MISSING, OTHER]);
    assert.deepEqual(
      [verdict?.status, verdict?.reasons, verdict?.portReady, verdict?.lacp],
      ['met', [], 'met', true],
    );
    assert.deepEqual(
      verdict?.ports.map(({ ifindex }) => ifindex),
      [...LACP_MISSING.ports, ...OTHER_PORTS].map(({ ifindex }) => ifindex),
    );
  });

  it('without one, all that is missing is named once', () => {
    const verdict = judgeBonds([LACP_MISSING, { ...LACP_MISSING, ifindex: 4 }]);
    assert.equal(verdict?.status, 'not-met');
    assert.deepEqual(verdict.reasons, judgeBond(LACP_MISSING).reasons);
  });

  it('one that can not be read leaves it open; LACP is missing only where all speak it', () => {
    assert.equal(judgeBonds([LACP_MISSING, { ...OTHER, mode: undefined }])?.status, 'unknown');
    const dead = { ...OTHER_BACKUP, ports: [] };
    const verdict = judgeBonds([LACP_MISSING, dead]);
    assert.deepEqual([verdict?.status, verdict?.lacp], ['not-met', false]);
  });
});
