// A new configuration of an election that goes on: what each key does to the timers that run. None
// makes a master step down, and none a backup take over at once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromMillis, since, toMillis } from '../../../src/base/time.ts';
import { advertInterval } from '../../../src/election/cadence.ts';
import type { ChangeableSettings } from '../../../src/election/settings.ts';
import { backup, DEFAULTS, HIGHER, LOWER, master, type Rig } from '../../support/rig.ts';

function reload(rig: Rig, changed: Partial<ChangeableSettings>): string[] {
  return rig.feed({ kind: 'reconfigured', settings: { ...DEFAULTS, ...changed } });
}

/** In milliseconds from now. */
function silenceOverIn(rig: Rig): number | undefined {
  const { masterDownAt } = rig.election.snapshot();
  return masterDownAt && toMillis(since(masterDownAt, rig.now));
}

function nextAdvertIn(rig: Rig): number | undefined {
  const { advertiseAt } = rig.election.snapshot();
  return advertiseAt && toMillis(since(advertiseAt, rig.now));
}

describe('a backup with a new configuration', () => {
  it('waits as long as before where its timers are the same', () => {
    const rig = backup();
    rig.runTo(500);
    rig.hear(LOWER, 1, 0);
    rig.runFor(800);
    assert.deepEqual(reload(rig, { preempt: true, announceRefresh: fromMillis(9_000) }), []);
    assert.equal(silenceOverIn(rig), 2_200);
  });

  it('waits longer from the advert that it heard last', () => {
    const rig = backup();
    rig.hear(LOWER, 1, 0);
    rig.runFor(1_000);
    reload(rig, { deadRatio: 10 });
    assert.equal(silenceOverIn(rig), 9_000);
    reload(rig, { deadRatio: 10, advskew: 128 });
    assert.equal(silenceOverIn(rig), 9_500);
  });

  it('waits for a whole new dead interval where that is shorter: the master may be slower', () => {
    const rig = backup({ advbase: 10 });
    rig.hear(LOWER, 10, 0);
    rig.runFor(9_000);
    assert.deepEqual(reload(rig, { advbase: 1 }), []);
    assert.equal(silenceOverIn(rig), 3_000);
  });

  it('waits no longer for it than it would have waited', () => {
    const rig = backup({ advskew: 128 });
    rig.hear(LOWER, 1, 0);
    rig.runFor(3_000);
    reload(rig, { advskew: 0 });
    assert.equal(silenceOverIn(rig), 500);
  });

  it('takes over at once all the same from a master that has left', () => {
    const rig = backup();
    rig.hear(LOWER, 1, 0);
    rig.feed({ kind: 'catching-up', lateBy: fromMillis(60) });
    rig.hear(LOWER, 255, 255);
    reload(rig, { deadRatio: 100 });
    rig.feed({ kind: 'catching-up', lateBy: undefined });
    assert.ok(rig.runFor(0).includes('BACKUP -> MASTER bow-out peer 10.77.0.1'), rig.state);
  });

  it('preempts by the rule where that is new: after a dead interval as backup', () => {
    const rig = backup({ advskew: 10 });
    rig.runFor(1_000);
    rig.hear(HIGHER, 1, 100);
    reload(rig, { advskew: 10, preempt: true });
    rig.runFor(1_000);
    assert.deepEqual(rig.hear(HIGHER, 1, 100), []);
    rig.runFor(1_100);
    assert.ok(rig.hear(HIGHER, 1, 100).includes('BACKUP -> MASTER preempt peer 10.77.0.9'));
  });

  it('preempts no more where that has gone', () => {
    const rig = backup({ preempt: true });
    rig.runFor(2_900);
    rig.hear(HIGHER, 1, 100);
    reload(rig, { preempt: false });
    rig.runFor(2_000);
    assert.deepEqual(rig.hear(HIGHER, 1, 100), []);
  });

  it('with a better advskew leaves a worse master alone without preempt', () => {
    const rig = backup({ advskew: 200 });
    rig.hear(HIGHER, 1, 100);
    reload(rig, { advskew: 0 });
    for (let heard = 0; heard < 6; heard += 1) {
      rig.runFor(1_400);
      assert.deepEqual(rig.hear(HIGHER, 1, 100), []);
    }
    assert.equal(rig.state, 'BACKUP');
  });

  it('in INIT has no timer to change', () => {
    const rig = backup();
    rig.feed({ kind: 'interface-lost', cause: 'interface-down' });
    assert.deepEqual(reload(rig, { deadRatio: 9 }), []);
    assert.equal(rig.deadlineMs, undefined);
  });
});

describe('a master with a new configuration', () => {
  it('advertises a better bid no later, and a shorter interval from its last advert on', () => {
    const rig = master({ advskew: 128 });
    const inMs = nextAdvertIn(rig) ?? 0;
    assert.deepEqual(reload(rig, { advskew: 0 }), []);
    assert.equal(nextAdvertIn(rig), inMs - 500);
    assert.deepEqual(rig.runFor(inMs - 500).slice(0, 1), ['advert regular 1/0']);
  });

  it('that should have advertised by the new interval does so now', () => {
    const rig = master({ advbase: 10 });
    rig.runFor(5_000);
    reload(rig, { advbase: 1 });
    assert.equal(nextAdvertIn(rig), 0);
    assert.equal(rig.runFor(0)[0], 'advert regular 1/0');
    assert.equal(nextAdvertIn(rig), 1_000);
  });

  it('tells of a longer interval by an advert that comes when it is expected', () => {
    const rig = master();
    const inMs = nextAdvertIn(rig) ?? 0;
    reload(rig, { advbase: 3 });
    assert.equal(nextAdvertIn(rig), inMs);
    assert.equal(rig.runFor(inMs)[0], 'advert regular 3/0');
    assert.equal(nextAdvertIn(rig), 3_000);
  });

  it('compares itself by the new advskew', () => {
    const rig = master();
    reload(rig, { advskew: 100 });
    assert.ok(rig.hear(HIGHER, 1, 50).includes('MASTER -> BACKUP better-advert peer 10.77.0.9'));
  });

  it('that is demoted keeps its low bid', () => {
    const rig = master({ advskew: 10 });
    rig.answers.sendOk = false;
    rig.runFor(4_000);
    assert.equal(rig.election.snapshot().effectiveAdvskew, 240);
    reload(rig, { advskew: 0 });
    assert.equal(rig.election.snapshot().effectiveAdvskew, 240);
  });

  it('announces itself again and again by the new rule, or no more', () => {
    const rig = master();
    const refreshes = (forMs: number): number =>
      rig.runFor(forMs).filter((text) => text === 'announce refresh').length;
    assert.equal(refreshes(30_000), 0);
    reload(rig, { announceRefresh: fromMillis(5_000) });
    assert.equal(refreshes(10_000), 2);
    reload(rig, { announceRefresh: fromMillis(1_000) });
    assert.equal(refreshes(3_000), 3);
    reload(rig, { announceRefresh: fromMillis(60_000) });
    assert.equal(refreshes(1_000), 1, 'the one that was planned');
    assert.equal(refreshes(59_000), 0);
    reload(rig, {});
    assert.equal(refreshes(200_000), 0);
  });

  it('whose address is not up yet plans no announcement', () => {
    const rig = backup();
    rig.answers.vipMs = undefined;
    rig.runTo(3_010);
    reload(rig, { announceRefresh: fromMillis(1_000) });
    assert.ok(!rig.runFor(5_000).includes('announce refresh'));
  });

  it('leaves by its carrier as the dead ratio says when that is lost', () => {
    const rig = master();
    reload(rig, { deadRatio: 2 });
    assert.deepEqual(rig.feed({ kind: 'carrier-changed', up: false }), [
      'stop-announcing',
      'release-vip 1',
    ]);
  });
});

describe('any number of reloads of a master', () => {
  const changes = fc.record({
    afterMs: fc.nat({ max: 4_000 }),
    settings: fc.record({
      advbase: fc.constantFrom(1, 1, 2, 5),
      advskew: fc.constantFrom(0, 1, 100, 240, 255),
      deadRatio: fc.constantFrom(1, 2, 3, 10),
      preempt: fc.boolean(),
      announceRefresh: fc.constantFrom(undefined, fromMillis(1_000), fromMillis(60_000)),
    }),
  });

  it('leave it master with its address on, and no advert comes late', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 40 }), (history) => {
        const rig = master();
        const from = rig.trace.length;
        const adverts: number[] = [];
        let slowest = advertInterval(DEFAULTS);
        for (const { afterMs, settings } of history) {
          rig.runFor(afterMs);
          const interval = advertInterval(settings);
          const dueIn = Math.min(nextAdvertIn(rig) ?? 0, toMillis(interval));
          rig.feed({ kind: 'reconfigured', settings });
          assert.ok((nextAdvertIn(rig) ?? Infinity) <= dueIn, 'no later than either pace wants');
          if (interval > slowest) slowest = interval;
        }
        rig.runFor(20_000);
        for (const entry of rig.trace.slice(from)) {
          if (!('effect' in entry)) continue;
          const { kind } = entry.effect;
          assert.ok(
            !['state-changed', 'release-vip', 'claim-vip', 'run-hook'].includes(kind),
            kind,
          );
          if (kind === 'send-advert') adverts.push(entry.at);
        }
        const gaps = adverts.slice(1).map((at, index) => at - (adverts[index] ?? 0));
        assert.ok(Math.max(0, ...gaps) <= slowest, gaps.join(' '));
        assert.equal(rig.state, 'MASTER');
      }),
    );
  });
});
