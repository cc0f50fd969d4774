// Every deliberate fault still fits the source, and somebody is named who has to find it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { applyEdit } from '../mutation/fault.ts';
import { FAULTS } from '../mutation/faults.ts';

const FAULTS_MIN = 60;

describe('deliberate faults', () => {
  test('are many, and each has its own name', () => {
    const names = new Set(FAULTS.map(({ name }) => name));
    assert.equal(names.size, FAULTS.length);
    assert.ok(names.size >= FAULTS_MIN, `only ${names.size}`);
  });

  for (const { name, edits, seed, tests = [] } of FAULTS) {
    test(`${name} fits the source, and somebody is to find it`, () => {
      const sources = new Map<string, string>();
      for (const edit of edits) {
        const source = sources.get(edit.file) ?? readFileSync(edit.file, 'utf8');
        sources.set(edit.file, applyEdit(source, edit));
      }
      assert.ok(seed !== undefined || tests.length > 0, 'nobody is to find it');
      assert.deepEqual(
        tests.filter((file) => !existsSync(file)),
        [],
      );
    });
  }
});
