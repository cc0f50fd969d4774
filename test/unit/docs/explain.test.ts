// Holds docs/explain.md equal to the closed lists in the code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CONDITION_MEANINGS, EVIDENCE_MEANINGS } from '../../../src/report/words.ts';
import { EPOCH_END_CAUSES } from '../../../src/readiness/epoch.ts';
import { EVIDENCE_KINDS } from '../../../src/readiness/evidence.ts';
import { CONDITIONS } from '../../../src/readiness/judge.ts';
import { REASONS, WARNINGS } from '../../../src/readiness/reasons.ts';
import { tableBelow } from './tables.ts';

type Rows = readonly (readonly string[])[];

const advice = (list: Readonly<Record<string, { meaning: string; remedy: string }>>): Rows =>
  Object.entries(list).map(([name, { meaning, remedy }]) => [name, meaning, remedy]);

const TABLES: readonly [string, Rows][] = [
  ['## Conditions', CONDITIONS.map((name) => [name, CONDITION_MEANINGS[name]])],
  ['## Evidence', EVIDENCE_KINDS.map((kind) => [kind, EVIDENCE_MEANINGS[kind]])],
  ['## What can keep the gate closed', advice(REASONS)],
  ['## Warnings', advice(WARNINGS)],
  ['## What ends a link epoch', Object.entries(EPOCH_END_CAUSES)],
];

describe('docs/explain.md', () => {
  const text = readFileSync('docs/explain.md', 'utf8');

  for (const [heading, rows] of TABLES) {
    test(`lists what the code has: ${heading}`, () => {
      assert.deepEqual(tableBelow(text, heading), rows);
    });
  }

  test('shows a screen that carpd prints', () => {
    const screen = readFileSync('test/unit/report/screens/held-at-boot-on-a-bond.txt', 'utf8');
    assert.ok(text.includes(`\`\`\`text\n${screen}\`\`\``), 'the screen is the one of the test');
  });
});
