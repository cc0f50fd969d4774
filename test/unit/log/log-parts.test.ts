// The small parts of the log: text lines, repeated lines.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromSeconds, micros } from '../../../src/base/time.ts';
import { RateLimit } from '../../../src/base/rate-limit.ts';
import { formatText } from '../../../src/base/text.ts';

describe('text lines', () => {
  test('show time, level, instance and message, and the other fields in brackets', () => {
    const json = JSON.stringify({
      level: 40,
      time: '2026-01-02T03:04:05.678Z',
      pid: 1,
      instance: 'db',
      event: 'transition',
      from: 'BACKUP',
      term: 2,
      msg: 'BACKUP -> MASTER',
    });
    const { line, plain, level } = formatText(json);
    assert.equal(plain, 'db: BACKUP -> MASTER [from=BACKUP term=2]');
    assert.equal(line, `2026-01-02T03:04:05.678Z WARN  ${plain}`);
    assert.equal(level, 40);
  });

  test('carry no control character of a hook or a peer', () => {
    const json = JSON.stringify({
      level: 30,
      time: 't',
      msg: 'a\u001b[2Jb\nc\u0085d',
      x: '\u0007',
    });
    assert.equal(formatText(json).plain, 'a?[2Jb?c?d [x=?]');
  });
});

describe('rate limit', () => {
  test('tells the first at once, and then how many it left unsaid', () => {
    const limit = new RateLimit(fromSeconds(10), 8);
    assert.deepEqual(limit.allow('a', micros(0)), { refused: 0 });
    assert.equal(limit.allow('a', fromSeconds(1)), undefined);
    assert.equal(limit.allow('a', fromSeconds(9)), undefined);
    assert.deepEqual(limit.allow('b', fromSeconds(9)), { refused: 0 });
    assert.deepEqual(limit.allow('a', fromSeconds(10)), { refused: 2 });
  });

  test('remembers no more keys than it may', () => {
    const limit = new RateLimit(fromSeconds(10), 2);
    for (const key of ['a', 'b', 'c']) limit.allow(key, micros(0));
    assert.equal(limit.allow('c', micros(1)), undefined);
    assert.deepEqual(limit.allow('a', micros(1)), { refused: 0 });
  });
});
