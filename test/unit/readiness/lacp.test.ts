// Port-state bytes as they were seen on real bonds, and what each means to an operator.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BondFacts, PortFacts } from '../../../src/readiness/facts.ts';
import { judgeBond, PORT_FAULTS, stateBits, STATE_BITS } from '../../../src/readiness/lacp.ts';
import { ACTIVE_BACKUP, LACP, LACP_MISSING, READY_PORT } from '../../support/readiness-rig.ts';
import { mac } from '../../support/packets.ts';

const withPort = (changes: Partial<PortFacts>): BondFacts => ({
  ...LACP,
  ports: [{ ...READY_PORT, ...changes }],
});

const port = (changes: Partial<PortFacts>) => judgeBond(withPort(changes)).ports[0]!;

describe('stateBits', () => {
  const table = [
    [0, []],
    [1, ['activity']],
    [5, ['activity', 'aggregation']],
    [7, ['activity', 'short-timeout', 'aggregation']],
    [13, ['activity', 'aggregation', 'sync']],
    [61, ['activity', 'aggregation', 'sync', 'collecting', 'distributing']],
    [63, ['activity', 'short-timeout', 'aggregation', 'sync', 'collecting', 'distributing']],
    [69, ['activity', 'aggregation', 'defaulted']],
    [71, ['activity', 'short-timeout', 'aggregation', 'defaulted']],
    [77, ['activity', 'aggregation', 'sync', 'defaulted']],
    [128, ['expired']],
  ] as const;
  for (const [state, bits] of table) {
    it(`${state} is ${bits.join(' ') || 'nothing'}`, () => {
      assert.deepEqual(stateBits(state), bits);
    });
  }

  it('knows eight different bits', () => {
    assert.deepEqual(Object.values(STATE_BITS), [1, 2, 4, 8, 16, 32, 64, 128]);
    assert.deepEqual(stateBits(255), Object.keys(STATE_BITS));
  });
});

describe('our side of a port, the partner being ready', () => {
  const missing = ['not-in-sync', 'not-collecting', 'not-distributing'];
  const table = [
    [63, []],
    [61, []],
    [5, missing],
    [7, missing],
    [13, ['not-collecting', 'not-distributing']],
    [29, ['not-distributing']],
    [45, ['not-collecting']],
    [53, ['not-in-sync']],
    [191, ['expired']],
    [69, ['defaulted', ...missing]],
    [71, ['defaulted', ...missing]],
    [77, ['defaulted', 'not-collecting', 'not-distributing']],
    [125, ['defaulted']],
    [0, missing],
  ] as const;
  for (const [actorState, faults] of table) {
    it(`${actorState}: ${faults.join(', ') || 'ready'}`, () => {
      const verdict = port({ actorState });
      assert.deepEqual(verdict.faults, faults);
      assert.equal(verdict.status, faults.length === 0 ? 'met' : 'not-met');
      assert.deepEqual(verdict.actorBits, stateBits(actorState));
    });
  }
});

describe('the partner side of a port, ours being ready', () => {
  const table = [
    [63, []],
    [61, []],
    [29, []],
    [5, ['partner-not-in-sync', 'partner-not-collecting']],
    [7, ['partner-not-in-sync', 'partner-not-collecting']],
    [13, ['partner-not-collecting']],
    [21, ['partner-not-in-sync']],
    [69, ['partner-defaulted', 'partner-not-in-sync', 'partner-not-collecting']],
    [71, ['partner-defaulted', 'partner-not-in-sync', 'partner-not-collecting']],
    [77, ['partner-defaulted', 'partner-not-collecting']],
    [191, ['partner-expired']],
  ] as const;
  for (const [partnerState, faults] of table) {
    it(`${partnerState}: ${faults.join(', ') || 'ready'}`, () => {
      const verdict = port({ partnerState });
      assert.deepEqual(verdict.faults, faults);
      assert.equal(verdict.status, faults.length === 0 ? 'met' : 'not-met');
      assert.deepEqual(verdict.partnerBits, stateBits(partnerState));
    });
  }
});

describe('a port', () => {
  it('that heard no LACPDU is not told what its partner lacks', () => {
    assert.deepEqual(port({ actorState: 125, partnerState: 1 }).faults, ['defaulted']);
  });

  const table: readonly (readonly [string, Partial<PortFacts>, string, readonly string[]])[] = [
    ['without link', { linkUp: false }, 'not-met', ['no-link']],
    ['whose link could not be read', { linkUp: undefined }, 'unknown', ['link-unknown']],
    ['of another aggregator', { aggregatorId: 2 }, 'not-met', ['other-aggregator']],
    ['in no aggregator', { aggregatorId: undefined }, 'unknown', ['aggregator-unknown']],
    ['whose state could not be read', { actorState: undefined }, 'unknown', ['actor-unknown']],
    ['of an unread partner', { partnerState: undefined }, 'unknown', ['partner-unknown']],
    [
      'known to fail, the rest unread',
      { actorState: 7, partnerState: undefined, aggregatorId: undefined },
      'not-met',
      [
        'aggregator-unknown',
        'not-in-sync',
        'not-collecting',
        'not-distributing',
        'partner-unknown',
      ],
    ],
  ];
  for (const [what, changes, status, faults] of table) {
    it(`${what} is ${status}`, () => {
      const verdict = port(changes);
      assert.deepEqual(verdict.faults, faults);
      assert.equal(verdict.status, status);
    });
  }

  it('has words for each fault', () => {
    assert.equal(PORT_FAULTS.defaulted, 'defaulted: no LACPDU heard');
    assert.equal(PORT_FAULTS['partner-not-collecting'], 'partner not collecting');
    assert.equal(new Set(Object.values(PORT_FAULTS)).size, Object.keys(PORT_FAULTS).length);
  });

  it('has no bits where nothing was read', () => {
    const verdict = port({ actorState: undefined, partnerState: undefined });
    assert.deepEqual([verdict.actorBits, verdict.partnerBits], [undefined, undefined]);
  });
});

describe('a bond', () => {
  const bad = { ...READY_PORT, name: 'eth1', ifindex: 11, actorState: 7 };
  const unread = { ...READY_PORT, name: 'eth1', ifindex: 11, actorState: undefined };
  const table: readonly (readonly [string, BondFacts, string, readonly string[], string])[] = [
    ['of ready ports', LACP, 'met', [], 'met'],
    ['of one ready port', { ...LACP, ports: [bad, READY_PORT] }, 'met', [], 'met'],
    ['of a ready and an unread port', { ...LACP, ports: [unread, READY_PORT] }, 'met', [], 'met'],
    ['of bad ports', { ...LACP, ports: [bad] }, 'not-met', ['no-ready-port'], 'not-met'],
    [
      'of a bad and an unread port',
      { ...LACP, ports: [bad, unread] },
      'unknown',
      ['ports-unknown'],
      'unknown',
    ],
    ['without ports', { ...LACP, ports: [] }, 'not-met', ['no-ports'], 'not-met'],
    ['without partner', LACP_MISSING, 'not-met', ['no-partner', 'no-ready-port'], 'not-met'],
    [
      'with ready ports and a zero partner',
      { ...LACP, partnerMac: mac('00:00:00:00:00:00') },
      'not-met',
      ['no-partner'],
      'met',
    ],
    [
      'with an unread partner',
      { ...LACP, partnerMac: undefined },
      'unknown',
      ['partner-unknown'],
      'met',
    ],
    [
      'without an active aggregator',
      { ...LACP, activeAggregatorId: undefined },
      'unknown',
      ['aggregator-unknown', 'ports-unknown'],
      'unknown',
    ],
    [
      'with nothing read but a failing port',
      { ...LACP, activeAggregatorId: undefined, partnerMac: undefined, ports: [bad] },
      'not-met',
      ['aggregator-unknown', 'partner-unknown', 'no-ready-port'],
      'not-met',
    ],
    ['of unread mode', { ...LACP, mode: undefined }, 'unknown', ['mode-unknown'], 'unknown'],
    ['in active-backup', ACTIVE_BACKUP, 'met', [], 'met'],
    [
      'in active-backup without link',
      { ...ACTIVE_BACKUP, ports: [{ ...READY_PORT, linkUp: false }] },
      'not-met',
      ['no-port-with-link'],
      'not-met',
    ],
    [
      'in balance-xor with one link of two',
      { ...ACTIVE_BACKUP, mode: 'balance-xor', ports: [{ ...bad, linkUp: false }, READY_PORT] },
      'met',
      [],
      'met',
    ],
    [
      'in balance-rr with unread links',
      { ...ACTIVE_BACKUP, mode: 'balance-rr', ports: [{ ...READY_PORT, linkUp: undefined }] },
      'unknown',
      ['ports-unknown'],
      'unknown',
    ],
    [
      'in broadcast without ports',
      { ...ACTIVE_BACKUP, mode: 'broadcast', ports: [] },
      'not-met',
      ['no-ports'],
      'not-met',
    ],
  ];
  for (const [what, facts, status, reasons, portReady] of table) {
    it(`${what} is ${status}`, () => {
      const verdict = judgeBond(facts);
      assert.equal(verdict.status, status);
      assert.deepEqual(verdict.reasons, reasons);
      assert.equal(verdict.portReady, portReady);
      assert.equal(verdict.lacp, facts.mode === '802.3ad');
    });
  }

  it('without LACP says what its ports lack', () => {
    const verdict = judgeBond({
      ...ACTIVE_BACKUP,
      ports: [
        { ...READY_PORT, linkUp: false },
        { ...READY_PORT, linkUp: undefined },
      ],
    });
    assert.deepEqual(
      verdict.ports.map(({ faults }) => faults),
      [['no-link'], ['link-unknown']],
    );
    assert.equal(verdict.ports[0]?.actorBits, undefined);
  });
});
