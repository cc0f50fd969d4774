// What a node makes of adverts that waited while its process stood still.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromMillis } from '../../../src/base/time.ts';
import { backup, HIGHER, LOWER, master, type Rig } from '../../support/rig.ts';

const BEGIN = { kind: 'catching-up', lateBy: fromMillis(1_500) } as const;
const BEGIN_SHORT = { kind: 'catching-up', lateBy: fromMillis(499) } as const;
const END = { kind: 'catching-up', lateBy: undefined } as const;

/** A backup of LOWER that stood still from 10 s to 12 s. */
function stalled(preempt = false): Rig {
  const rig = backup({ preempt });
  for (let at = 1_000; at <= 10_000; at += 1_000) {
    rig.runTo(at);
    rig.hear(LOWER, 1, 0);
  }
  rig.runTo(12_000);
  rig.feed(BEGIN);
  return rig;
}

describe('a backup that catches up', () => {
  it('does not obey a bow-out behind which the next master is heard', () => {
    const rig = stalled();
    assert.deepEqual(rig.hear(LOWER, 255, 255), []);
    assert.deepEqual(rig.hear(HIGHER, 1, 0), []);
    assert.deepEqual(rig.feed(END, { kind: 'woken' }), []);
    assert.equal(rig.deadlineMs, 15_000, 'the new master has its full dead interval');
    assert.equal(rig.election.snapshot().master?.address, HIGHER);
  });

  it('obeys a bow-out behind which there is nothing as soon as all is read', () => {
    const rig = stalled();
    assert.deepEqual(rig.hear(LOWER, 255, 255), []);
    assert.deepEqual(rig.feed(END), []);
    assert.equal(rig.deadlineMs, 12_000);
    const effects = rig.feed({ kind: 'woken' });
    assert.ok(effects.includes('BACKUP -> MASTER bow-out peer 10.77.0.1'), effects.join('; '));
  });

  it('forgets the bow-out where its gate closes meanwhile', () => {
    const rig = stalled();
    rig.hear(LOWER, 255, 255);
    rig.feed(END, { kind: 'gate-changed', open: false }, { kind: 'gate-changed', open: true });
    assert.equal(rig.deadlineMs, 15_000);
    const effects = rig.runTo(15_000);
    assert.ok(effects.includes('BACKUP -> MASTER master-down'), effects.join('; '));
  });

  for (const [what, advbase, advskew, demote] of [
    ['slow', 10, 0, 0],
    ['demoted', 1, 0, 1],
    ['worse, though it preempts', 1, 100, 0],
  ] as const) {
    it(`takes over from a master that is ${what} only when it is heard again`, () => {
      const rig = stalled(true);
      assert.deepEqual(rig.hear(LOWER, advbase, advskew, { demote }), []);
      assert.deepEqual(rig.feed(END, { kind: 'woken' }), []);
      assert.equal(rig.deadlineMs, 15_000);
      rig.runFor(10);
      rig.hear(LOWER, advbase, advskew, { demote });
      assert.equal(rig.state, 'MASTER');
    });
  }
});

describe('a backup that was silent as long as its master', () => {
  it('gives a master that may have stood still with it the time of one advert', () => {
    const rig = stalled();
    rig.runTo(12_900);
    rig.feed(END);
    assert.equal(rig.deadlineMs, 13_900);
    const effects = rig.runTo(13_900);
    assert.ok(effects.includes('BACKUP -> MASTER master-down peer 10.77.0.1'), effects.join('; '));
  });

  it('changes nothing where there is time left, or the stall was short', () => {
    const rig = stalled();
    rig.feed(END);
    assert.equal(rig.deadlineMs, 13_000, 'a dead interval after the last advert');
    rig.runTo(12_900);
    rig.feed(BEGIN_SHORT, END);
    assert.equal(rig.deadlineMs, 13_000);
    rig.feed(END);
    assert.equal(rig.deadlineMs, 13_000, 'nothing was begun');
  });

  it('leaves a node that waits for nobody alone', () => {
    const rig = master();
    const before = rig.deadlineMs;
    rig.feed(BEGIN, END);
    assert.equal(rig.deadlineMs, before);
  });
});

describe('a master that catches up', () => {
  it('yields to the better one that served meanwhile', () => {
    const rig = master({ advskew: 10 });
    rig.feed(BEGIN);
    rig.hear(LOWER, 1, 0);
    assert.equal(rig.state, 'BACKUP');
  });

  it('claims the address from a worse one only when it is heard again', () => {
    const rig = master();
    rig.feed(BEGIN);
    assert.deepEqual(rig.hear(LOWER, 1, 100), ['conflict 10.77.0.1']);
    rig.feed(END);
    const effects = rig.hear(LOWER, 1, 100);
    assert.ok(effects.includes('announce conflict'), effects.join('; '));
  });
});

describe('a backup that may have missed adverts in a flood', () => {
  it('has its master silent for a whole dead interval after that', () => {
    const rig = backup();
    rig.runTo(1_000);
    rig.hear(LOWER, 1, 0);
    rig.runTo(3_500);
    assert.deepEqual(rig.feed({ kind: 'unheard', until: fromMillis(2_500) }), []);
    assert.equal(rig.deadlineMs, 5_500);
    rig.feed({ kind: 'unheard', until: fromMillis(500) });
    assert.equal(rig.deadlineMs, 5_500, 'what is long past moves nothing');
    const effects = rig.runTo(5_500);
    assert.ok(effects.includes('BACKUP -> MASTER master-down peer 10.77.0.1'), effects.join('; '));
  });

  it('obeys the farewell that it heard all the same', () => {
    const rig = stalled();
    rig.hear(LOWER, 255, 255);
    rig.feed(END, { kind: 'unheard', until: fromMillis(11_900) });
    assert.equal(rig.deadlineMs, 12_000);
  });

  it('as a master, or held, it takes no notice', () => {
    const rig = master();
    const before = rig.deadlineMs;
    rig.feed({ kind: 'unheard', until: fromMillis(9_000) });
    assert.equal(rig.deadlineMs, before);
  });
});
