// Holds docs/configuration.md equal to the schema: the keys, their order and their defaults.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { instanceFields, topFields } from '../../../src/config/schema.ts';

const DOCUMENT = new URL('../../../docs/configuration.md', import.meta.url);

interface Row {
  readonly key: string;
  readonly byDefault: string;
}

/** Rows of the tables with four columns, whose first cell is a key in backquotes. */
function documentedKeys(): readonly Row[] {
  return readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter((cells) => cells.length === 6 && /^`[\w.]+`$/.test(cells[1] ?? ''))
    .map((cells) => ({ key: cells[1]!.slice(1, -1), byDefault: cells[3]! }));
}

function defaultText(fallback: unknown, isRequired: boolean): string {
  if (isRequired) return 'required';
  if (fallback === undefined) return 'none';
  const isPlain = typeof fallback === 'string' && fallback !== '';
  return `\`${isPlain ? fallback : JSON.stringify(fallback)}\``;
}

test('docs/configuration.md lists exactly the keys of the schema, with their defaults', () => {
  const fields = [...Object.values(topFields), ...Object.values(instanceFields)];
  const expected = fields.map(({ path, fallback, isRequired }) => ({
    key: path,
    byDefault: defaultText(fallback, isRequired),
  }));
  assert.deepEqual(documentedKeys(), expected);
});
