// What each policy makes of the same link, and of a virtual IP that somebody else has.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromMillis, fromSeconds, micros, type Micros } from '../../../src/base/time.ts';
import { judgeGate, type GateSettings, type GateView } from '../../../src/readiness/gate.ts';
import { MET, type Condition, type Conditions } from '../../../src/readiness/judge.ts';
import type { Reason } from '../../../src/readiness/reasons.ts';
import { holderForgottenAt, judgeHolder } from '../../../src/readiness/vip-in-use.ts';
import { HOLD } from '../../support/readiness-rig.ts';
import { mac } from '../../support/packets.ts';

const NONE: Condition = { status: 'not-applicable', reasons: [] };
const DOWN: Condition = { status: 'not-met', reasons: ['no-carrier'] };
const UNREAD: Condition = { status: 'unknown', reasons: ['carrier-unknown'] };
const NO_LACP: Condition = { status: 'not-met', reasons: ['no-partner'] };
const LACP_UNREAD: Condition = { status: 'unknown', reasons: ['ports-unknown'] };
const SILENT: Condition = { status: 'not-met', reasons: ['no-frames'] };

const READY: Conditions = { carrier: MET, lacp: NONE, frames: MET };
const LATE: GateSettings = { ...HOLD, policy: 'promote-after', promoteAfter: fromSeconds(60) };
const OFF: GateSettings = { ...HOLD, policy: 'off' };

const UP_AT = fromSeconds(100);
const SOON = fromSeconds(159);
const THEN = fromSeconds(160);

function gate(
  settings: GateSettings,
  conditions: Partial<Conditions>,
  now: Micros,
  view: Partial<GateView> = {},
) {
  const carrierUpAt = conditions.carrier === DOWN ? undefined : UP_AT;
  const whole = { ...READY, ...conditions };
  return judgeGate(
    settings,
    { conditions: whole, carrierUpAt, epochSince: UP_AT, vipInUse: false, ...view },
    now,
  );
}

describe('a gate', () => {
  const table: readonly (readonly [
    string,
    GateSettings,
    Partial<Conditions>,
    Micros,
    string | undefined,
    Micros | undefined,
  ])[] = [
    ['hold, proved', HOLD, {}, SOON, 'proof', undefined],
    ['hold, no frames', HOLD, { frames: SILENT }, THEN, undefined, undefined],
    ['hold, no LACP', HOLD, { lacp: NO_LACP }, THEN, undefined, undefined],
    ['hold, LACP unread', HOLD, { lacp: LACP_UNREAD }, THEN, undefined, undefined],
    ['hold, no carrier', HOLD, { carrier: DOWN }, THEN, undefined, undefined],
    ['hold, carrier unread', HOLD, { carrier: UNREAD }, THEN, undefined, undefined],
    ['promote-after, proved', LATE, {}, SOON, 'proof', undefined],
    ['promote-after, no frames, too soon', LATE, { frames: SILENT }, SOON, undefined, THEN],
    [
      'promote-after, no frames, in time',
      LATE,
      { frames: SILENT },
      THEN,
      'promote-after',
      undefined,
    ],
    ['promote-after, no LACP', LATE, { lacp: NO_LACP }, THEN, 'promote-after', undefined],
    ['promote-after, LACP unread', LATE, { lacp: LACP_UNREAD }, THEN, 'promote-after', undefined],
    ['promote-after, no carrier', LATE, { carrier: DOWN }, THEN, undefined, undefined],
    ['promote-after, carrier unread', LATE, { carrier: UNREAD }, THEN, undefined, undefined],
    ['off, proved', OFF, {}, SOON, 'off', undefined],
    ['off, nothing proved', OFF, { lacp: LACP_UNREAD, frames: SILENT }, SOON, 'off', undefined],
    ['off, no carrier', OFF, { carrier: DOWN }, THEN, undefined, undefined],
    ['off, carrier unread', OFF, { carrier: UNREAD }, THEN, undefined, undefined],
  ];
  for (const [what, settings, conditions, now, by, opensAt] of table) {
    it(`${what}: ${by ?? 'closed'}`, () => {
      const verdict = gate(settings, conditions, now);
      assert.deepEqual(
        { open: verdict.open, by: verdict.by, opensAt: verdict.opensAt },
        { open: by !== undefined, by, opensAt },
      );
    });
  }

  it('tells what is missing, also where it was overridden', () => {
    const missing = { lacp: NO_LACP, frames: SILENT };
    for (const settings of [HOLD, LATE, OFF]) {
      assert.deepEqual(gate(settings, missing, THEN).reasons, ['no-partner', 'no-frames']);
    }
    assert.deepEqual(gate(HOLD, { ...missing, carrier: DOWN }, THEN).reasons, [
      'no-carrier',
      'no-partner',
      'no-frames',
    ]);
  });

  it('with no way out asks for one, unless it asks for no proof at all', () => {
    const told = (reason: Reason): unknown => {
      const carrier: Condition = { status: 'not-met', reasons: [reason] };
      return [HOLD, LATE, OFF].map((settings) => gate(settings, { carrier }, THEN).open);
    };
    assert.deepEqual(told('no-uplink'), [false, false, true]);
    assert.deepEqual(told('uplink-blocked'), [false, false, false]);
    assert.deepEqual(told('no-carrier'), [false, false, false]);
    const unknown: Condition = { status: 'unknown', reasons: ['carrier-unknown'] };
    assert.equal(gate(OFF, { carrier: unknown }, THEN).open, false);
  });

  it('stays closed while the virtual IP is in use, whatever its policy', () => {
    for (const settings of [HOLD, LATE, OFF]) {
      const verdict = gate(settings, {}, THEN, { vipInUse: true });
      assert.equal(verdict.open, false);
      assert.deepEqual(verdict.reasons, ['vip-in-use']);
    }
  });

  it('has no time limit where it is not known since when there is carrier', () => {
    const verdict = gate(LATE, { frames: SILENT }, THEN, { carrierUpAt: undefined });
    assert.deepEqual([verdict.open, verdict.opensAt], [false, undefined]);
  });

  describe('that ignores the link state', () => {
    const ignoring = (settings: GateSettings) => ({ ...settings, ignoreLinkState: true });

    it('asks for proof all the same, under hold', () => {
      assert.equal(gate(ignoring(HOLD), { carrier: DOWN, frames: SILENT }, THEN).open, false);
      assert.equal(gate(ignoring(HOLD), { carrier: DOWN }, THEN).by, 'proof');
      assert.deepEqual(gate(ignoring(HOLD), { carrier: DOWN, frames: SILENT }, THEN).reasons, [
        'no-frames',
      ]);
    });

    it('counts its time limit from the beginning of the epoch', () => {
      const view = { epochSince: fromSeconds(110) };
      const silent = { carrier: DOWN, frames: SILENT };
      assert.equal(gate(ignoring(LATE), silent, THEN, view).opensAt, fromSeconds(170));
      assert.equal(gate(ignoring(LATE), silent, fromSeconds(170), view).by, 'promote-after');
    });

    it('is open at once where it is off', () => {
      assert.equal(gate(ignoring(OFF), { carrier: UNREAD, frames: SILENT }, SOON).by, 'off');
    });
  });
});

describe('a foreign holder of the virtual IP', () => {
  const table = [
    ['unheard', false, 'wait'],
    ['unheard', true, 'warn'],
    ['always', false, 'wait'],
    ['always', true, 'wait'],
    ['off', false, 'ignore'],
    ['off', true, 'ignore'],
  ] as const;
  for (const [policy, heard, verdict] of table) {
    it(`${policy}, a master was ${heard ? '' : 'not '}heard: ${verdict}`, () => {
      assert.equal(judgeHolder(policy, heard), verdict);
    });
  }

  it('is forgotten after three probes, and not sooner than 2 s', () => {
    const holder = { mac: mac('02:00:00:00:00:02'), at: micros(5) };
    assert.equal(holderForgottenAt(holder, fromMillis(500)), 2_000_005);
    assert.equal(holderForgottenAt(holder, fromSeconds(1)), 3_000_005);
  });
});
