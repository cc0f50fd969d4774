// What a configuration may hold at most, and that a large one takes time in proportion to its size.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfigFile } from '../../../src/config/load.ts';
import { readFileWithMode, readRegularFile } from '../../../src/config/read-file.ts';
import { parseText } from '../../../src/config/syntax.ts';
import { faultLines, instance, load } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'carpd-bounds-'));
after(() => rmSync(folder, { recursive: true }));

function firstFault(text: string): string {
  return faultLines(load(text))[0] ?? '';
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

describe('depth', () => {
  const nested = (count: number): string => lines(count, (i) => `${' '.repeat(i)}k${String(i)}:`);

  const DEEP: readonly { desc: string; text: string }[] = [
    { desc: 'brackets', text: '['.repeat(1_048_576) },
    { desc: 'braces', text: '{a: '.repeat(200_000) },
    { desc: 'lists on one line', text: '- '.repeat(500_000) },
    { desc: 'keys on one line', text: '? '.repeat(500_000) },
    { desc: 'values on one line', text: ': '.repeat(500_000) },
    { desc: 'indentation', text: nested(1000) },
    { desc: 'one level too many', text: nested(33) },
  ];
  for (const { desc, text } of DEEP) {
    test(`${desc}: refused before anything is built`, () => {
      assert.match(firstFault(text), /^nests deeper than 32 levels; carpd needs five/);
    });
  }

  const FLAT: readonly { desc: string; text: string }[] = [
    { desc: 'as deep as allowed', text: nested(32) },
    { desc: 'brackets side by side', text: lines(100, (i) => `k${String(i)}: [[1], [2]]`) },
    { desc: 'brackets in quotes', text: `a: "${'['.repeat(100)}"` },
    { desc: 'brackets in a comment', text: `a: 1 # ${'['.repeat(100)}` },
    { desc: 'signs in a block of text', text: `a: |\n${lines(200, () => '  *x [ - ?')}` },
    { desc: 'entries of one list', text: lines(200, () => '- a: 1\n  b: 2') },
  ];
  for (const { desc, text } of FLAT) {
    test(`${desc}: read`, () => assert.ok(parseText(text).ok));
  }
});

describe('work', () => {
  /** Microseconds of the processor, which others may use meanwhile; the best of a few runs. */
  function bestUs(text: string): number {
    const runs = Array.from({ length: 5 }, () => {
      const start = process.cpuUsage();
      assert.ok(parseText(text).ok);
      return process.cpuUsage(start).user;
    });
    return Math.min(...runs);
  }

  test('twice as many keys cost about twice as much', () => {
    const keys = (count: number): string => lines(count, (i) => `k${String(i)}: 1`);
    bestUs(keys(2000));
    const ratio = bestUs(keys(16_000)) / bestUs(keys(2000));
    // Eight if linear, 64 if each key is compared with all others.
    assert.ok(ratio < 24, `8 times the keys took ${String(ratio)} times as long`);
  });
});

describe('limits', () => {
  test('a key given twice, among many and in whatever form', () => {
    const many = lines(3000, (i) => `k${String(i)}: 1`);
    assert.match(firstFault(`${many}\nk7: 2`), /^line 3001, column 1: this key stands twice/);
    assert.match(firstFault('a: {b: 1, "b": 2}'), /^line 1, column 11: this key stands twice/);
    assert.match(firstFault('1: a\n"1": b'), /^line 2, column 1: this key stands twice/);
  });

  test('too many aliases', () => {
    const text = `a: &x 1\nb:\n${lines(101, () => '- *x')}`;
    assert.match(firstFault(text), /^has more than 100 aliases/);
  });

  test('too many signs', () => {
    for (const text of [']\n'.repeat(500_000), `a: [${'1,'.repeat(500_000)}]`]) {
      assert.match(firstFault(text), /^has more than 200000 keys, values and signs/);
    }
  });

  test('a NUL byte', () => {
    assert.match(firstFault('a: 1\nb: \0'), /^line 2: a NUL byte stands here/);
  });

  test('too many instances', () => {
    const names = Array.from({ length: 1001 }, (_, i) => [`i${String(i)}`, instance()] as const);
    const loaded = load({ instances: Object.fromEntries(names) });
    assert.match(faultLines(loaded)[0] ?? '', /^instances: has 1001 instances; at most 1000 /);
  });

  test('the first faults, and how many more there are', () => {
    const told = faultLines(load(']\n'.repeat(1000)));
    assert.equal(told.length, 101);
    assert.match(told.at(-1) ?? '', /^and \d+ more faults; correct these first$/);
  });

  test('a file that is too large is told with the limit and its size', () => {
    const path = join(folder, 'large.yaml');
    writeFileSync(path, ' '.repeat(1_048_577));
    const expected = /larger than 1048576 bytes \(it has 1048577\)/;
    for (const read of [readFileWithMode, readRegularFile]) {
      assert.match(faultLines(loadConfigFile(path, read))[0] ?? '', expected);
    }
  });
});
