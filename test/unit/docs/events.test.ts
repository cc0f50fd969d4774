// Holds the tables of the documents that are made from the code equal to it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { TABLES, withTables } from '../../../scripts/manuals/tables.ts';
import { EVENT_SCHEMA } from '../../../src/events/watched.ts';
import { tableBelow } from './tables.ts';

for (const [path, tables] of TABLES) {
  describe(path, () => {
    const text = readFileSync(path, 'utf8');

    for (const { heading, rows } of tables) {
      test(`lists what the code has: ${heading}; npm run manuals makes it so`, () => {
        assert.deepEqual(tableBelow(text, heading), rows);
      });
    }

    test('is as npm run manuals writes it', () => {
      assert.equal(withTables(text, tables), text);
    });
  });
}

test('docs/events.md names the version of the schema', () => {
  const rows = tableBelow(readFileSync('docs/events.md', 'utf8'), '## Every line');
  const schema = rows.find(([field]) => field === 'schema');
  assert.equal(schema?.at(-1), String(EVENT_SCHEMA));
});

describe('a table', () => {
  const table = { heading: '## Two', head: ['name', 'holds'], rows: [['b', 'more']] };

  test('stands in place of the one below its heading, and nothing else changes', () => {
    const text = (rows: string): string =>
      `# Top\n\n## One\n\n| a |\n\n## Two\n\nSaid before.\n\n${rows}\n\nSaid after.\n\n## End\n`;
    assert.equal(
      withTables(text('| old |\n| --- |\n| `a` |'), [table]),
      text('| name | holds |\n| ---- | ----- |\n| `b`  | more  |'),
    );
  });

  test('has a place, or it is said that it has none', () => {
    assert.throws(() => withTables('# Top\n', [table]), /no heading ## Two/);
    assert.throws(() => withTables('# Top\n\n## Two\n\nText.\n', [table]), /no table below/);
  });
});
