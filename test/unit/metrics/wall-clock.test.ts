// Moments of the monotonic clock as Unix time: right, and the same as long as they are the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromSeconds } from '../../../src/base/time.ts';
import { WallClock } from '../../../src/metrics/wall-clock.ts';

test('a moment is so long before now', () => {
  const clock = new WallClock(() => 1_000_000);
  clock.turn();
  assert.equal(clock.unixSeconds('a', fromSeconds(7.5), fromSeconds(10)), 997.5);
  assert.equal(clock.unixSeconds('never', undefined, fromSeconds(10)), 0);
});

test('it keeps its time however the clocks wander, and a new one gets a new time', () => {
  let wallMs = 1_000_000;
  const clock = new WallClock(() => wallMs);
  const at = fromSeconds(7);
  clock.turn();
  assert.equal(clock.unixSeconds('a', at, fromSeconds(10)), 997);
  wallMs += 5_003;
  clock.turn();
  assert.equal(clock.unixSeconds('a', at, fromSeconds(15)), 997);
  assert.equal(clock.unixSeconds('b', at, fromSeconds(15)), 997.003);
  clock.turn();
  assert.equal(clock.unixSeconds('a', fromSeconds(8), fromSeconds(15)), 998.003);
});

test('what was not asked for in a round is forgotten', () => {
  let wallMs = 1_000_000;
  const clock = new WallClock(() => wallMs);
  clock.turn();
  clock.unixSeconds('a', fromSeconds(7), fromSeconds(10));
  clock.turn();
  clock.turn();
  wallMs += 1_000;
  assert.equal(clock.unixSeconds('a', fromSeconds(7), fromSeconds(10)), 998);
});
