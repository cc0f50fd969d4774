// Holds docs/doctor.md equal to the catalogue in the code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FINDINGS } from '../../../src/doctor/checks/catalogue.ts';
import { tableBelow } from './tables.ts';

test('docs/doctor.md lists every finding with its grade', () => {
  const rows = Object.entries(FINDINGS).map(([code, { grade, meaning }]) => [code, grade, meaning]);
  assert.deepEqual(tableBelow(readFileSync('docs/doctor.md', 'utf8'), '## All findings'), rows);
});
