// The table of keys that a reload does not simply apply in place, held to the code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  DAEMON_ROWS,
  INSTANCE_ROWS,
  rowsOf,
  type ReloadCost,
} from '../../../src/config/reload-table.ts';

const TEXT = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

test('docs/configuration.md lists the keys that are not applied in place, and no others', () => {
  const [, section = ''] = /\n## Reload\n([^]*?)\n## /.exec(TEXT) ?? [];
  const listed = [...section.matchAll(/^\| `([^`]+)` +\| (\w+)/gm)].map(([, key, word]) => {
    return [key, word];
  });
  const words: Partial<Record<ReloadCost, string>> = {
    restart: 'restarts',
    'next-start': 'counts',
  };
  const all = [...rowsOf(INSTANCE_ROWS), ...rowsOf(DAEMON_ROWS)];
  const expected = all.flatMap(({ key, cost }) =>
    cost === 'in-place' ? [] : [[key, words[cost] ?? 'in']],
  );
  assert.deepEqual(listed.sort(), expected.sort());
});
