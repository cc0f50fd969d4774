// Single values where the loader's tables do not reach: how they are shown and formatted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, formatDuration, integer, show } from '../../../src/config/values.ts';

const SHOWN: readonly { desc: string; value: unknown; text: string }[] = [
  { desc: 'undefined', value: undefined, text: 'no value' },
  { desc: 'null', value: null, text: 'no value' },
  { desc: 'a list, without what is in it', value: ['secret'], text: 'a list' },
  { desc: 'a mapping, without what is in it', value: { a: 'secret' }, text: 'a mapping' },
  { desc: 'a number', value: 300, text: '300' },
  { desc: 'not a number', value: Number.NaN, text: 'NaN' },
  { desc: 'a truth value', value: false, text: 'false' },
  { desc: 'text in quotes', value: 'eth0', text: '"eth0"' },
  { desc: 'a line break', value: 'a\nb', text: '"a\\nb"' },
  { desc: 'a terminal control character', value: '\x1b[2J', text: '"\\u001b[2J"' },
  { desc: 'a C1 control character', value: '\x9b', text: '"\\u{9b}"' },
  { desc: 'beyond ASCII', value: 'ü', text: '"\\u{fc}"' },
  { desc: 'long text, cut', value: 'x'.repeat(50), text: `"${'x'.repeat(39)}...` },
];

for (const { desc, value, text } of SHOWN) {
  test(`show: ${desc}`, () => assert.equal(show(value), text));
}

test('durations are formatted so that they read back the same', () => {
  for (const milliseconds of [1, 250, 1_000, 1_500, 10_000, 86_400_000]) {
    assert.deepEqual(durationMs(1)(formatDuration(milliseconds)), {
      ok: true,
      value: milliseconds,
    });
  }
});

test('numbers that are none are refused', () => {
  assert.equal(integer(0, 9)(Number.NaN).ok, false);
  assert.equal(durationMs(1)(Number.POSITIVE_INFINITY).ok, false);
});
