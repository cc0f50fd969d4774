// ucarp's carp.c, rule by rule: what leaves a master. Intervals, counters, announcements, and what
// failing sends do (carp_send_ad); odd settings at the end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { micros, plus } from '../../../src/base/time.ts';
import type { Effect } from '../../../src/election/effects.ts';
import type { Rig } from '../../support/rig.ts';
import { backup, HIGHER, LOWER, master } from '../../support/rig.ts';

type SentAdvert = Extract<Effect, { kind: 'send-advert' }>;

function advertsOf(rig: Rig): { at: number; advert: SentAdvert }[] {
  return rig.trace.flatMap((entry) =>
    'effect' in entry && entry.effect.kind === 'send-advert'
      ? [{ at: entry.at, advert: entry.effect }]
      : [],
  );
}

describe('regular adverts', () => {
  it('leave every advbase + advskew/256 seconds, in whole microseconds, without drift', () => {
    const rig = backup({ advbase: 1, advskew: 100 });
    rig.runTo(10_000);
    const times = advertsOf(rig).map(({ at }) => at);
    assert.deepEqual(
      times,
      [0, 1, 2, 3, 4].map((count) => 3_390_625 + count * 1_390_625),
    );
  });

  it('keep their rhythm when a wake-up comes a little late', () => {
    const rig = master();
    rig.runTo(3_999);
    rig.now = plus(rig.election.deadline() ?? rig.now, micros(700));
    assert.deepEqual(rig.feed({ kind: 'woken' }), ['advert regular 1/0']);
    assert.equal(rig.deadlineMs, 5_000);
  });

  it('deviation: after a stall one advert makes up for all that were missed', () => {
    const rig = master();
    rig.now = rig.election.deadline() ?? rig.now;
    rig.now = (rig.now + 7_300_000) as typeof rig.now;
    assert.deepEqual(rig.feed({ kind: 'woken' }), ['ask-for-vip', 'advert regular 1/0']);
    assert.equal(rig.election.deadline(), rig.now + 1_000_000);
  });
});

describe('the counter', () => {
  const countersOf = (rig: Rig) => advertsOf(rig).map(({ advert }) => advert.counter);

  it('deviation: grows from its random start (ucarp draws each until it has heard one)', () => {
    const rig = backup({ initialCounter: 1000n });
    rig.runTo(5_500);
    assert.deepEqual(countersOf(rig), [1001n, 1002n, 1003n]);
  });

  it('goes on from the last counter heard, as BACKUP', () => {
    const rig = backup({ initialCounter: 1000n });
    rig.hear(LOWER, 1, 0, { counter: 0x0102030405060707n });
    rig.runTo(4_500);
    assert.deepEqual(countersOf(rig), [0x0102030405060708n, 0x0102030405060709n]);
  });

  it('goes on from the last counter heard, as HELD', () => {
    const rig = backup();
    rig.feed({ kind: 'gate-changed', open: false });
    rig.hear(LOWER, 1, 0, { counter: 70n });
    rig.feed({ kind: 'gate-changed', open: true });
    rig.runTo(3_000);
    assert.deepEqual(countersOf(rig), [71n]);
  });

  it('goes on from the last counter heard, as MASTER, in the farewell too', () => {
    const rig = master();
    rig.hear(HIGHER, 2, 0, { counter: 500n });
    rig.runTo(4_000);
    rig.hear(HIGHER, 0, 1, { counter: 0xaan });
    assert.deepEqual(countersOf(rig), [501n, 0xabn]);
  });

  it('adopts an older counter as readily', () => {
    const rig = backup({ initialCounter: 1000n });
    rig.hear(LOWER, 1, 0, { counter: 4n });
    rig.runTo(3_000);
    assert.deepEqual(countersOf(rig), [5n]);
  });

  it('wraps from 64 ones to 0', () => {
    const rig = backup();
    rig.hear(LOWER, 1, 0, { counter: 0xfffffffffffffffen });
    rig.runTo(4_500);
    assert.deepEqual(countersOf(rig), [0xffffffffffffffffn, 0n]);
  });
});

describe('announcements (sc_delayed_arp)', () => {
  it('come with the address and again right after the third advert', () => {
    const rig = backup();
    rig.runTo(8_000);
    assert.deepEqual(
      rig.timeline('claim-vip', 'state-changed', 'run-hook').filter((text) => /30|50/.test(text)),
      [
        '3000 advert regular 1/0',
        '3005 announce promotion burst',
        '5000 advert regular 1/0',
        '5000 announce delayed',
      ],
    );
    assert.equal(rig.timeline().filter((text) => text.includes('announce')).length, 2);
  });

  it('wait for the address, and count the two adverts from there', () => {
    const rig = backup();
    rig.answers.vipMs = 2_500;
    rig.runTo(12_000);
    const announced = rig.timeline().filter((text) => text.includes('announce'));
    assert.deepEqual(announced, ['5500 announce promotion burst', '7000 announce delayed']);
  });

  it('wait for the up hook where the hooks put the address up', () => {
    const rig = backup({ manageAddress: false });
    rig.answers.hookMs = 200;
    rig.runTo(6_000);
    assert.deepEqual(rig.timeline(), [
      '3000 advert regular 1/0',
      '3000 BACKUP -> MASTER master-down',
      '3050 hook up 1',
      '3250 announce promotion burst',
      '4000 advert regular 1/0',
      '5000 advert regular 1/0',
      '5000 announce delayed',
      '6000 advert regular 1/0',
    ]);
  });

  it('are not made before there is an address to announce', () => {
    const rig = backup();
    rig.answers.vipMs = undefined;
    rig.runTo(3_500);
    assert.deepEqual(rig.hear(HIGHER, 1, 1), ['conflict 10.77.0.9']);
    assert.deepEqual(
      rig.runTo(9_000).filter((text) => text.includes('announce')),
      [],
    );
  });

  it('are made when the address was missing and has been put back', () => {
    const rig = master();
    assert.deepEqual(rig.feed({ kind: 'vip-restored', term: 1 }), ['announce restored burst']);
    assert.deepEqual(rig.feed({ kind: 'vip-restored', term: 0 }), []);
    rig.hear(LOWER, 1, 0);
    assert.deepEqual(rig.feed({ kind: 'vip-restored', term: 1 }), []);
  });

  it('are made when the address is at another MAC address, unless it is in doubt', () => {
    const rig = master();
    assert.deepEqual(rig.feed({ kind: 'mac-changed' }), ['announce mac-changed burst']);
    rig.feed({ kind: 'doubt-changed', inDoubt: true });
    assert.deepEqual(rig.feed({ kind: 'mac-changed' }), []);
    rig.hear(LOWER, 1, 0);
    assert.deepEqual(rig.feed({ kind: 'mac-changed' }), []);
  });

  it('of a second term wait for the address of that term', () => {
    const rig = master();
    rig.hear(LOWER, 1, 0);
    rig.runFor(2_900);
    rig.answers.vipMs = undefined;
    rig.runFor(200);
    assert.deepEqual(rig.hear(HIGHER, 1, 1), ['conflict 10.77.0.9']);
  });

  it('are made of the address of this term only', () => {
    const rig = backup();
    rig.answers.vipMs = undefined;
    rig.runTo(3_100);
    assert.deepEqual(rig.feed({ kind: 'vip-claimed', term: 0, ok: true }), []);
    assert.deepEqual(rig.feed({ kind: 'vip-claimed', term: 1, ok: true }), [
      'announce promotion burst',
    ]);
  });
});

describe('send errors (CARP_SENDAD_MAX_ERRORS 3, CARP_SENDAD_MIN_SUCCESS 3)', () => {
  it('three in a row: an extra advert at once, with skew 240, and 240 from then on', () => {
    const rig = master({ advskew: 10 });
    rig.answers.sendOk = false;
    rig.runFor(6_000);
    const [, , third, extra, next] = advertsOf(rig);
    assert.deepEqual([third?.advert.advskew, extra?.advert.advskew], [10, 240]);
    assert.equal(extra?.at, third?.at);
    assert.equal((next?.at ?? 0) - (extra?.at ?? 0), 1_937_500);
    assert.ok(
      rig.timeline().some((text) => text.endsWith(' demoted')),
      'rig.timeline().some((text) => text.endsWith( demoted))',
    );
    assert.equal(rig.election.snapshot().effectiveAdvskew, 240);
  });

  it('two in a row and then a success change nothing', () => {
    const rig = master();
    for (const ok of [false, false, true, false, false, true]) {
      assert.deepEqual(rig.feed({ kind: 'advert-sent', ok }), []);
    }
  });

  it('three successes in a row end it: three go out with 240, the fourth is normal', () => {
    const rig = master({ advskew: 10 });
    rig.answers.sendOk = false;
    rig.runFor(3_100);
    rig.answers.sendOk = true;
    rig.trace.length = 0;
    rig.runFor(9_000);
    const skews = advertsOf(rig).map(({ advert }) => advert.advskew);
    assert.deepEqual(skews, [240, 240, 240, 10, 10]);
    assert.equal(rig.election.snapshot().demoted, false);
    assert.equal(rig.timeline().filter((text) => text.endsWith(' recovered')).length, 1);
  });

  it('a failure among the successes starts their count again', () => {
    const rig = master();
    const results = [false, false, false, true, true, false, true, true];
    for (const ok of results) rig.feed({ kind: 'advert-sent', ok });
    assert.equal(rig.election.snapshot().demoted, true);
    assert.deepEqual(rig.feed({ kind: 'advert-sent', ok: true }), [
      'recovered',
      'announce sends-recovered burst',
    ]);
  });

  it('a master in doubt announces nothing when it can send again', () => {
    const rig = master();
    rig.feed({ kind: 'doubt-changed', inDoubt: true });
    for (const ok of [false, false, false, true, true]) rig.feed({ kind: 'advert-sent', ok });
    assert.deepEqual(rig.feed({ kind: 'advert-sent', ok: true }), ['recovered']);
  });

  it('a skew above 240 is left alone', () => {
    const rig = master({ advskew: 250 });
    for (let count = 0; count < 3; count += 1) rig.feed({ kind: 'advert-sent', ok: false });
    assert.equal(rig.election.snapshot().effectiveAdvskew, 250);
  });

  it('yields by the demoted skew, and waits by the configured one', () => {
    const rig = master({ advskew: 10 });
    for (let count = 0; count < 3; count += 1) rig.feed({ kind: 'advert-sent', ok: false });
    assert.ok(
      rig.hear(HIGHER, 1, 200).includes('advert farewell 1/240'),
      'rig.hear(HIGHER, 1, 200).includes(advert farewell 1/240)',
    );
    const { masterDownAt, stateSince } = rig.election.snapshot();
    assert.equal((masterDownAt ?? 0) - stateSince, 3_039_062);
  });

  it('does not preempt while demoted (deviation: the name of ucarp promises it)', () => {
    const rig = master({ preempt: true, advskew: 250 });
    for (let count = 0; count < 3; count += 1) rig.feed({ kind: 'advert-sent', ok: false });
    rig.hear(LOWER, 1, 0);
    rig.runFor(2_000);
    rig.hear(LOWER, 1, 251);
    rig.runFor(2_000);
    assert.deepEqual(rig.hear(LOWER, 1, 251), []);
  });

  it('deviation: forgives a node that sends no more after ten dead intervals', () => {
    const rig = master();
    for (let count = 0; count < 3; count += 1) rig.feed({ kind: 'advert-sent', ok: false });
    rig.hear(LOWER, 1, 0);
    const left = rig.now;
    while (rig.now < left + 29_000_000) {
      assert.deepEqual(
        rig.runFor(1_000).filter((text) => text === 'recovered'),
        [],
      );
      rig.hear(LOWER, 1, 0);
    }
    assert.ok(rig.runFor(1_000).includes('recovered'), 'rig.runFor(1_000).includes(recovered)');
  });

  it('deviation: a master that is demoted again is not forgiven by the clock', () => {
    const rig = master();
    rig.answers.sendOk = false;
    for (let count = 0; count < 3; count += 1) rig.feed({ kind: 'advert-sent', ok: false });
    rig.hear(LOWER, 1, 0);
    assert.ok(!rig.runFor(60_000).includes('recovered'), '!rig.runFor(60_000).includes(recovered)');
    assert.deepEqual([rig.state, rig.election.snapshot().demoted], ['MASTER', true]);
  });

  it('a node that recovered by sending has nothing left to be forgiven', () => {
    const rig = master();
    for (let count = 0; count < 3; count += 1) rig.feed({ kind: 'advert-sent', ok: false });
    rig.hear(LOWER, 1, 0);
    rig.runFor(15_000);
    assert.equal(rig.election.snapshot().demoted, false);
    // It stays backup past the moment at which it would have been forgiven.
    for (let second = 0; second < 30; second += 1) {
      rig.hear(LOWER, 1, 0);
      assert.ok(!rig.runFor(1_000).includes('recovered'), `second ${second}`);
    }
    assert.equal(rig.state, 'BACKUP');
  });

  it('deviation: what became of an advert is no news once the node is no master', () => {
    const rig = backup();
    for (let count = 0; count < 5; count += 1) {
      assert.deepEqual(rig.feed({ kind: 'advert-sent', ok: false }), []);
    }
  });
});

describe('odd settings', () => {
  it('advskew 255 is legal: an interval of 1.996 s', () => {
    const rig = master({ advskew: 255 });
    assert.equal(rig.election.snapshot().advertiseAt, 3_996_093 + 1_996_093);
  });

  it('deviation: advbase 0 waits deadRatio times its skew (ucarp: one interval, and flaps)', () => {
    const rig = backup({ advbase: 0, advskew: 64 });
    assert.equal(rig.deadlineMs, 750);
    rig.runTo(1_600);
    assert.deepEqual(
      advertsOf(rig).map(({ at }) => at),
      [750_000, 1_000_000, 1_250_000, 1_500_000],
    );
  });

  it('deadRatio multiplies advbase only', () => {
    assert.equal(backup({ advbase: 2, advskew: 128, deadRatio: 5 }).deadlineMs, 10_500);
  });

  it('a dead ratio of 2^32-1 is exact (ucarp overflows 32 bits)', () => {
    const rig = backup({ advbase: 255, advskew: 1, deadRatio: 4_294_967_295 });
    assert.equal(rig.election.deadline(), 255 * 4_294_967_295 * 1_000_000 + 3_906);
  });
});
