// A master and those who say that its address is theirs (RFC 5227, section 2.4; FreeBSD's arp): it
// says so again, asks whether they still do, and keeps quiet where it may not claim the address.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromMillis, fromSeconds } from '../../../src/base/time.ts';
import type { ElectionSettings } from '../../../src/election/settings.ts';
import { HIGHER, LOWER, OWN, Rig } from '../../support/rig.ts';

const CONTESTED = { kind: 'vip-contested' } as const;
const DOUBT = { kind: 'doubt-changed', inDoubt: true } as const;
const SURE = { kind: 'doubt-changed', inDoubt: false } as const;

/** Its address has been up for 2.5 s: all that a promotion announces has been said. */
function master(settings: Partial<ElectionSettings> = {}): Rig {
  const rig = new Rig(settings);
  rig.feed(
    { kind: 'started' },
    { kind: 'interface-ready', source: OWN },
    { kind: 'carrier-changed', up: true },
    { kind: 'gate-changed', open: true },
  );
  rig.runTo(5_505);
  rig.trace.length = 0;
  return rig;
}

const times = (rig: Rig, kind: 'announce' | 'ask-for-vip'): readonly number[] =>
  rig.trace.flatMap((entry) =>
    'effect' in entry && entry.effect.kind === kind ? [entry.at / 1_000] : [],
  );

describe('an address that another host claims', () => {
  it('is announced at once, and once more two adverts later', () => {
    const rig = master();
    assert.deepEqual(rig.feed(CONTESTED), ['announce contested']);
    rig.runFor(5_000);
    assert.deepEqual(times(rig, 'announce'), [5_505, 7_000]);
  });

  it('is no business of a node that is not master', () => {
    const rig = master();
    rig.hear(LOWER, 1, 0);
    assert.equal(rig.state, 'BACKUP');
    assert.deepEqual(rig.feed(CONTESTED), []);
    rig.trace.length = 0;
    rig.runFor(2_900);
    assert.deepEqual([...times(rig, 'announce'), ...times(rig, 'ask-for-vip')], []);
  });

  it('is not defended while in doubt, and when the doubt is over it is', () => {
    const rig = master();
    rig.feed(DOUBT);
    assert.deepEqual(rig.feed(CONTESTED), []);
    rig.runFor(20_000);
    assert.deepEqual([...times(rig, 'announce'), ...times(rig, 'ask-for-vip')], []);
    assert.deepEqual(rig.feed(SURE), ['announce doubt-cleared burst']);
    rig.runFor(3_000);
    assert.deepEqual(times(rig, 'ask-for-vip'), [28_505]);
  });

  it('is not defended while what is heard has waited in the sockets', () => {
    const rig = master();
    rig.feed({ kind: 'catching-up', lateBy: fromSeconds(5) });
    assert.deepEqual(rig.feed(CONTESTED), []);
    rig.feed({ kind: 'catching-up', lateBy: undefined });
    assert.deepEqual(rig.feed(CONTESTED), ['announce contested']);
  });

  it('is not defended once stepping down has begun', () => {
    const rig = master();
    rig.answers.vipMs = undefined;
    rig.feed({ kind: 'handover-requested' });
    assert.equal(rig.state, 'MASTER');
    assert.deepEqual(rig.feed(CONTESTED), []);
    rig.trace.length = 0;
    rig.runFor(20_000);
    assert.deepEqual([...times(rig, 'announce'), ...times(rig, 'ask-for-vip')], []);
  });

  it('is not defended before it is up', () => {
    const rig = new Rig();
    rig.answers.vipMs = undefined;
    rig.feed(
      { kind: 'interface-ready', source: OWN },
      { kind: 'carrier-changed', up: true },
      { kind: 'gate-changed', open: true },
    );
    rig.runTo(3_500);
    assert.equal(rig.state, 'MASTER');
    assert.deepEqual(rig.feed(CONTESTED), []);
    assert.deepEqual(rig.feed(DOUBT, SURE), ['stop-announcing']);
    rig.runFor(20_000);
    assert.deepEqual([...times(rig, 'announce'), ...times(rig, 'ask-for-vip')], []);
  });
});

describe('whether another host answers for the address', () => {
  it('is asked 3 s after the promotion, once where nobody does', () => {
    const rig = master();
    rig.runFor(60_000);
    assert.deepEqual(times(rig, 'ask-for-vip'), [6_005]);
    assert.deepEqual(times(rig, 'announce'), []);
  });

  it('is asked every 10 s as long as it does, and no longer', () => {
    const rig = master();
    for (let answers = 0; answers < 6; answers += 1) {
      const before = times(rig, 'ask-for-vip').length;
      while (times(rig, 'ask-for-vip').length === before) rig.runFor(100);
      assert.deepEqual(rig.feed(CONTESTED), ['announce contested']);
    }
    rig.runFor(60_000);
    const asked = times(rig, 'ask-for-vip');
    assert.equal(asked.length, 7);
    const pauses = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    assert.ok(
      pauses.every((pause) => pause >= 10_000 && pause <= 10_100),
      pauses.join(),
    );
    assert.equal(times(rig, 'announce').length, 12, 'once at once, once two adverts later');
  });

  it('is not asked more often for a host that claims it all the time', () => {
    const rig = master();
    rig.runFor(1_000);
    rig.trace.length = 0;
    for (let claim = 0; claim < 300; claim += 1) {
      rig.feed(CONTESTED);
      rig.runFor(100);
    }
    assert.equal(times(rig, 'ask-for-vip').length, 3);
  });

  it('is asked where hooks add the address, too', () => {
    const rig = master({ manageAddress: false });
    rig.runFor(3_000);
    assert.equal(times(rig, 'ask-for-vip').length, 1);
    assert.deepEqual(rig.feed(CONTESTED), ['announce contested']);
  });
});

describe('an address that is to be announced again and again', () => {
  const REFRESH = { announceRefresh: fromSeconds(60) };

  it('is announced once in each period, as long as the node is master', () => {
    const rig = master(REFRESH);
    rig.runTo(200_000);
    assert.deepEqual(times(rig, 'announce'), [63_005, 123_005, 183_005]);
    assert.deepEqual(
      rig.trace.flatMap((entry) =>
        'effect' in entry && entry.effect.kind === 'announce' ? [entry.effect.reason] : [],
      ),
      ['refresh', 'refresh', 'refresh'],
    );
    rig.hear(LOWER, 1, 0);
    rig.trace.length = 0;
    for (let second = 0; second < 130; second += 1) {
      rig.hear(LOWER, 1, 0);
      rig.runFor(1_000);
    }
    assert.deepEqual(times(rig, 'announce'), []);
  });

  it('is not while in doubt or stepping down, and after a doubt it is again', () => {
    const rig = master(REFRESH);
    rig.feed(DOUBT);
    rig.runTo(100_000);
    assert.deepEqual(times(rig, 'announce'), []);
    rig.feed(SURE);
    rig.runTo(130_000);
    assert.equal(times(rig, 'announce').at(-1), 123_005);
    rig.trace.length = 0;
    rig.answers.vipMs = undefined;
    rig.feed({ kind: 'handover-requested' });
    rig.runFor(120_000);
    assert.deepEqual(times(rig, 'announce'), []);
  });

  it('is once only after the process stood still for long', () => {
    const rig = master(REFRESH);
    rig.now = (rig.now + fromMillis(600_000)) as typeof rig.now;
    rig.feed({ kind: 'woken' });
    assert.equal(times(rig, 'announce').length, 1);
  });

  it('is as well beside a worse master, which is answered in its own right', () => {
    const rig = master(REFRESH);
    assert.deepEqual(rig.hear(HIGHER, 2, 0), ['conflict 10.77.0.9', 'announce conflict']);
  });
});
