// Send results in a row, as a table: o is a success, x a failure.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SendHealth } from '../../../src/election/send-health.ts';

describe('SendHealth', () => {
  const table = [
    ['oooo', '....', false],
    ['xx', '..', false],
    ['xxx', '..D', true],
    ['xxoxx', '.....', false],
    ['xxxx', '..D.', true],
    ['xxxooo', '..D..R', false],
    ['xxxoox', '..D...', true],
    ['xxxooxooo', '..D.....R', false],
    ['xxxoooxx', '..D..R..', false],
    ['xxxoooxxx', '..D..R..D', true],
  ] as const;
  const marks = { unchanged: '.', demoted: 'D', recovered: 'R' } as const;
  for (const [results, verdicts, demoted] of table) {
    it(`${results} gives ${verdicts}`, () => {
      const health = new SendHealth();
      const seen = Array.from(results, (result) => marks[health.record(result === 'o')]);
      assert.equal(seen.join(''), verdicts);
      assert.equal(health.demoted, demoted);
    });
  }

  it('recovers by decree, and only once; counts start anew', () => {
    const health = new SendHealth();
    for (let count = 0; count < 3; count += 1) health.record(false);
    assert.equal(health.recover(), 'recovered');
    assert.equal(health.recover(), 'unchanged');
    assert.equal(health.record(false), 'unchanged');
    assert.equal(health.record(false), 'unchanged');
    assert.equal(health.record(false), 'demoted');
  });
});
