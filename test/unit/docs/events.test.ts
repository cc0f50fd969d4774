// Holds docs/events.md equal to the closed lists in the code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { EVENT_SCHEMA } from '../../../src/events/watched.ts';
import { EVENT_TABLES } from './event-tables.ts';
import { tableBelow } from './tables.ts';

describe('docs/events.md', () => {
  const text = readFileSync('docs/events.md', 'utf8');

  for (const { heading, rows } of EVENT_TABLES) {
    test(`lists what the code has: ${heading}`, () => {
      assert.deepEqual(tableBelow(text, heading), rows);
    });
  }

  test('names the version of the schema', () => {
    const rows = tableBelow(text, '## Every line');
    const schema = rows.find(([field]) => field === 'schema');
    assert.equal(schema?.at(-1), String(EVENT_SCHEMA));
  });
});
