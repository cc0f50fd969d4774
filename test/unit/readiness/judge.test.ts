// The three conditions and the verdict they add up to.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { micros } from '../../../src/base/time.ts';
import type { Status } from '../../../src/readiness/evidence.ts';
import {
  carrierCondition,
  framesCondition,
  isLacpMissing,
  judge,
  lacpCondition,
  MET,
  provedByFallback,
  strictFramesCondition,
  type Condition,
} from '../../../src/readiness/judge.ts';
import { judgeBond } from '../../../src/readiness/lacp.ts';
import { REASONS, WARNINGS } from '../../../src/readiness/reasons.ts';
import { ACTIVE_BACKUP, LACP, LACP_MISSING, PLAIN } from '../../support/readiness-rig.ts';

const NO: Condition = { status: 'not-met', reasons: ['no-frames'] };
const UNKNOWN: Condition = { status: 'unknown', reasons: ['carrier-unknown'] };
const NONE: Condition = { status: 'not-applicable', reasons: [] };

describe('judge', () => {
  const table: readonly (readonly [string, Condition, Condition, Condition, string])[] = [
    ['all met', MET, MET, MET, 'ready'],
    ['no LACP asked for', MET, NONE, MET, 'ready'],
    ['one unknown', UNKNOWN, MET, MET, 'unknown'],
    ['one unknown, no LACP asked for', MET, NONE, UNKNOWN, 'unknown'],
    ['one missing', MET, MET, NO, 'not-ready'],
    ['one missing and one unknown', UNKNOWN, MET, NO, 'not-ready'],
    ['one unknown and one missing', NO, UNKNOWN, MET, 'not-ready'],
    ['all unknown', UNKNOWN, UNKNOWN, UNKNOWN, 'unknown'],
  ];
  for (const [what, carrier, lacp, frames, state] of table) {
    it(`${what}: ${state}`, () => assert.equal(judge({ carrier, lacp, frames }).state, state));
  }

  it('gives all reasons, in the order of the conditions', () => {
    const lacp: Condition = { status: 'not-met', reasons: ['no-partner', 'no-ready-port'] };
    assert.deepEqual(judge({ carrier: UNKNOWN, lacp, frames: NO }).reasons, [
      'carrier-unknown',
      'no-partner',
      'no-ready-port',
      'no-frames',
    ]);
    assert.deepEqual(judge({ carrier: MET, lacp: NONE, frames: MET }).reasons, []);
  });
});

describe('the carrier', () => {
  const table = [
    ['nobody has looked yet', 'unread', 'unknown', ['carrier-unknown']],
    ['there is no interface', undefined, 'not-met', ['interface-missing']],
    ['it could not be read', { ...PLAIN, carrier: undefined }, 'unknown', ['carrier-unknown']],
    ['it is down', { ...PLAIN, carrier: false }, 'not-met', ['no-carrier']],
    [
      'nothing leads outside',
      { ...PLAIN, carrier: false, uplinkFault: 'no-uplink' },
      'not-met',
      ['no-uplink'],
    ],
    [
      'the bridge does not forward',
      { ...PLAIN, carrier: false, uplinkFault: 'uplink-blocked' },
      'not-met',
      ['uplink-blocked'],
    ],
    ['it is up', PLAIN, 'met', []],
  ] as const;
  for (const [what, facts, status, reasons] of table) {
    it(`${what}: ${status}`, () => assert.deepEqual(carrierCondition(facts), { status, reasons }));
  }
});

describe('LACP', () => {
  const missing = judgeBond(LACP_MISSING);
  const unknown = judgeBond({ ...LACP, partnerMac: undefined });
  const noLink = judgeBond({ ...ACTIVE_BACKUP, ports: [] });
  const table = [
    ['no bond', undefined, false, 'not-applicable'],
    ['no bond, answers', undefined, true, 'not-applicable'],
    ['formed', judgeBond(LACP), false, 'met'],
    ['missing', missing, false, 'not-met'],
    ['missing, answers stand for it', missing, true, 'met'],
    ['unknown, answers do not help', unknown, true, 'unknown'],
    ['no link in another mode, answers do not help', noLink, true, 'not-met'],
  ] as const;
  for (const [what, bond, met, status] of table) {
    it(`${what}: ${status}`, () => assert.equal(lacpCondition(bond, { met }).status, status));
  }

  it('passes on what the bond lacks', () => {
    assert.deepEqual(lacpCondition(missing, { met: false }).reasons, missing.reasons);
    assert.deepEqual(lacpCondition(missing, { met: true }).reasons, []);
  });

  it('is missing only where it should be and is known not to be', () => {
    const bonds = [undefined, judgeBond(LACP), missing, unknown, noLink];
    assert.deepEqual(bonds.map(isLacpMissing), [false, false, true, false, false]);
    assert.deepEqual(
      bonds.map((bond) => provedByFallback(bond, { met: true })),
      [false, false, true, false, false],
    );
    assert.equal(provedByFallback(missing, { met: false }), false);
  });
});

describe('frames', () => {
  it('are met by any evidence, and only by it', () => {
    assert.deepEqual(framesCondition({ proved: true }), MET);
    assert.deepEqual(framesCondition({ proved: false }), {
      status: 'not-met',
      reasons: ['no-frames'],
    });
  });

  const table: readonly (readonly [
    string,
    number | undefined,
    number | undefined,
    boolean,
    Status,
    readonly string[],
  ])[] = [
    ['nobody answered', undefined, undefined, false, 'not-met', ['no-probe-answer']],
    ['adverts, but nobody answered', undefined, 5, true, 'not-met', ['no-probe-answer']],
    ['an answer, no advert ever', 5, undefined, true, 'met', []],
    ['an answer, adverts since, all well', 5, 9, false, 'met', []],
    ['an answer, adverts since, then silence', 5, 9, true, 'not-met', ['no-answer-since-advert']],
    [
      'an answer with the last advert, then silence',
      9,
      9,
      true,
      'not-met',
      ['no-answer-since-advert'],
    ],
    ['an answer after the last advert', 10, 9, true, 'met', []],
  ];
  for (const [what, answered, advertAt, silent, status, reasons] of table) {
    it(`where an answer is required: ${what}: ${status}`, () => {
      const answeredAt = answered === undefined ? undefined : micros(answered);
      const verdict = strictFramesCondition({ answeredAt }, { silent, advertAt });
      assert.deepEqual(verdict, { status, reasons });
    });
  }
});

describe('the lists of reasons and warnings', () => {
  it('say of each what it means and what helps', () => {
    const all = [...Object.values(REASONS), ...Object.values(WARNINGS)];
    assert.equal(all.length, 28);
    assert.equal(new Set(all.map(({ meaning }) => meaning)).size, all.length);
    for (const { meaning, remedy } of all) assert.ok(meaning.length > 15 && remedy.length > 15);
  });
});
