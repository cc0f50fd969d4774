// Which known word a mistyped one is taken for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from '../../../src/config/suggest.ts';

const KEYS = ['interface', 'vhid', 'advbase', 'advskew', 'deadRatio', 'passphraseFile', 'up'];

const ROWS: readonly { desc: string; word: string; expected: string | undefined }[] = [
  { desc: 'a letter missing', word: 'intrface', expected: 'interface' },
  { desc: 'a letter too many', word: 'vhidd', expected: 'vhid' },
  { desc: 'two letters swapped', word: 'vhdi', expected: 'vhid' },
  { desc: 'another case', word: 'deadratio', expected: 'deadRatio' },
  { desc: 'snake case', word: 'passphrase_file', expected: 'passphraseFile' },
  { desc: 'a part of a key', word: 'skew', expected: 'advskew' },
  { desc: 'a key with more around it', word: 'my-interface-name', expected: 'interface' },
  { desc: 'nearer of two wins', word: 'advbaze', expected: 'advbase' },
  { desc: 'nothing near', word: 'color', expected: undefined },
  { desc: 'empty', word: '', expected: undefined },
  { desc: 'too long to be a slip', word: 'interface'.repeat(10), expected: undefined },
];

for (const { desc, word, expected } of ROWS) {
  test(`${desc}: ${word.slice(0, 20)}`, () => assert.equal(nearest(word, KEYS), expected));
}

test('didYouMean is a phrase, or nothing', () => {
  assert.equal(didYouMean('vhd', KEYS), ' (did you mean "vhid"?)');
  assert.equal(didYouMean('color', KEYS), '');
  assert.equal(didYouMean('x', []), '');
});
