// Which silence proves something, while a flood makes the kernel drop packets.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fromMillis, type Micros } from '../../../src/base/time.ts';
import { PacketLoss } from '../../../src/traffic/packet-loss.ts';

describe('PacketLoss', () => {
  let now: Micros;
  let lost: number | undefined;
  let told: number[];
  let health: PacketLoss;

  beforeEach(() => {
    [now, lost, told] = [fromMillis(0), 0, []];
    health = new PacketLoss({
      lost: () => lost,
      now: () => now,
      onLost: (more) => told.push(more),
    });
  });

  function loses(count: number, atMs: number): void {
    now = fromMillis(atMs);
    lost = (lost ?? 0) + count;
    health.look();
  }

  test('where nothing is lost, or the kernel does not say, all silence counts', () => {
    health.look();
    lost = undefined;
    health.look();
    assert.deepEqual([health.flooded, health.unheardUntil, told], [false, undefined, []]);
  });

  test('what was sent before the last loss may be lost; each loss is told once', () => {
    loses(10, 1_000);
    health.look();
    loses(5, 2_000);
    now = fromMillis(2_500);
    assert.deepEqual([health.flooded, health.unheardUntil], [true, fromMillis(2_000)]);
    assert.deepEqual(told, [10, 5]);
    now = fromMillis(7_000);
    assert.equal(health.flooded, false);
  });

  test('a socket that can not be read to its end is taken to lose what it holds', () => {
    now = fromMillis(1_000);
    health.fellBehind();
    assert.deepEqual([health.flooded, health.unheardUntil], [true, fromMillis(1_000)]);
    assert.deepEqual(told, []);
  });

  test('a socket that is opened anew counts from 0', () => {
    loses(10, 1_000);
    lost = 3;
    health.look();
    assert.deepEqual(told, [10, 3]);
  });

  test('while the witness watches, its silence counts from where it began', () => {
    loses(10, 1_000);
    health.witnessWatches(true);
    for (let atMs = 2_000; atMs <= 9_000; atMs += 1_000) {
      loses(10, atMs);
      health.witnessed();
    }
    assert.equal(health.unheardUntil, fromMillis(1_000));
    health.witnessWatches(false);
    assert.equal(health.unheardUntil, fromMillis(9_000));
  });

  test('a witness that is drowned as well proves nothing', () => {
    loses(10, 1_000);
    health.witnessWatches(true);
    now = fromMillis(1_500);
    for (let count = 0; count < 100; count += 1) health.witnessed();
    assert.equal(health.unheardUntil, fromMillis(1_000));
    health.witnessed();
    loses(10, 1_600);
    assert.equal(health.unheardUntil, fromMillis(1_500));
  });
});
