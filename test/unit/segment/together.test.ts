// The adverts of the masters on one interface: those that are due soon after each other go out
// together, so that they cost one wake-up of this host and one of each peer.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromSeconds, micros, since, toMillis } from '../../../src/base/time.ts';
import { advertises } from '../../../src/segment/effects.ts';
import { SegmentRig } from '../../support/segment-rig.ts';

/** The master db, and others that were added so many milliseconds after it. */
function masters(...laterMs: readonly number[]): SegmentRig {
  const rig = SegmentRig.waiting();
  rig.frame();
  const begun = rig.now;
  laterMs.forEach((ms, index) => {
    rig.pass(ms - toMillis(since(rig.now, begun)));
    rig.add(`other-${index}`);
  });
  rig.pass(5_000);
  return rig;
}

/** When each of these advertises from here on, within so many seconds. */
function timesOf(rig: SegmentRig, seconds: number, names: readonly string[]) {
  const from = rig.now;
  rig.pass(seconds * 1_000);
  return names.map((name) =>
    rig.trace.flatMap(({ at, effect }) => {
      const isOurs = advertises(effect) && 'name' in effect && effect.name === name;
      return isOurs && at > toMillis(from) ? [at] : [];
    }),
  );
}

describe('the adverts of several masters', () => {
  test('go out together where they are due soon after each other, and stay together', () => {
    const [first = [], ...others] = timesOf(masters(20, 31), 5, ['db', 'other-0', 'other-1']);
    assert.equal(first.length, 5);
    assert.deepEqual(others, [first, first]);
  });

  test('go out when each of them is due where that is later', () => {
    const [first = [], other] = timesOf(masters(40), 5, ['db', 'other-0']);
    assert.deepEqual(
      other,
      first.map((at) => at + 40),
    );
  });

  test('are early by no more than one part in 32 of their interval', () => {
    const rig = masters();
    rig.pass(20);
    // Its interval is 144.5 ms.
    rig.add('quick', {}, { advbase: 0, advskew: 37 });
    rig.pass(4_000);
    const [sent = []] = timesOf(rig, 5, ['quick']);
    const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
    assert.ok(Math.min(...gaps) >= 140, `${Math.min(...gaps)} ms`);
    assert.ok(Math.max(...gaps) <= 144.54, `${Math.max(...gaps)} ms`);
  });

  test('do not go along with a wake-up that sends none', () => {
    const rig = masters();
    const [[before = 0] = []] = timesOf(rig, 1, ['db']);
    rig.pass(before + 1_930 - toMillis(rig.now));
    rig.add('late');
    // It is master in 3 s, and its hook runs 50 ms behind that: db is due 20 ms later.
    rig.pass(3_005);
    rig.tell({ kind: 'vip-claimed', term: 1, ok: true }, 'late');
    const [[after = 0] = []] = timesOf(rig, 1, ['db']);
    assert.equal(rig.state('late'), 'MASTER');
    assert.equal((after - before) % 1_000, 0);
  });

  test('leave in several steps where they are many', () => {
    const rig = masters(...Array<number>(80).fill(0));
    const due = rig.segment.deadline() ?? rig.now;
    rig.now = micros(due + fromSeconds(0.5));
    const steps: number[] = [];
    while ((rig.segment.deadline() ?? Infinity) <= rig.now) {
      const effects = rig.segment.step({ kind: 'woken' }, rig.now);
      steps.push(effects.filter(advertises).length);
    }
    assert.equal(Math.max(...steps), 65);
    assert.equal(
      steps.reduce((sum, count) => sum + count, 0),
      81,
    );
  });
});
