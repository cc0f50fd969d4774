// The table of deadlines: set, moved, taken once, cleared.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { micros } from '../../../src/base/time.ts';
import { Deadlines } from '../../../src/election/deadlines.ts';

describe('Deadlines', () => {
  it('has no earliest one at first', () => {
    assert.equal(new Deadlines().earliest(), undefined);
  });

  it('names the earliest, whatever the order they were set in', () => {
    const deadlines = new Deadlines();
    deadlines.set('masterDown', micros(30));
    deadlines.set('advertise', micros(10));
    deadlines.set('upHook', micros(20));
    assert.equal(deadlines.earliest(), 10);
    deadlines.clear('advertise', 'vipRetry');
    assert.equal(deadlines.earliest(), 20);
    deadlines.clearAll();
    assert.equal(deadlines.earliest(), undefined);
  });

  it('moves one that is set again', () => {
    const deadlines = new Deadlines();
    deadlines.set('masterDown', micros(10));
    deadlines.set('masterDown', micros(40));
    assert.equal(deadlines.get('masterDown'), 40);
    assert.equal(deadlines.earliest(), 40);
  });

  it('lets one be taken from its instant on, once, and says when it was due', () => {
    const deadlines = new Deadlines();
    deadlines.set('advertise', micros(10));
    assert.equal(deadlines.take('masterDown', micros(99)), undefined);
    assert.equal(deadlines.take('advertise', micros(9)), undefined);
    assert.equal(deadlines.take('advertise', micros(10)), 10);
    assert.equal(deadlines.take('advertise', micros(11)), undefined);
    assert.equal(deadlines.get('advertise'), undefined);
  });
});
