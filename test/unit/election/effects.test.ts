// The causes that logs, metrics and documentation read: a closed list, each with its meaning.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAUSES } from '../../../src/election/effects.ts';

describe('CAUSES', () => {
  it('says what each cause means, no two alike', () => {
    const texts = Object.values(CAUSES);
    for (const [cause, text] of Object.entries(CAUSES)) {
      assert.match(cause, /^[a-z]+(?:-[a-z]+)*$/);
      assert.match(text, /\w+ \w+ \w+/, cause);
    }
    assert.equal(new Set(texts).size, texts.length);
  });
});
