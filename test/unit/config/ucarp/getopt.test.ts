// Splitting an argument list as GNU getopt_long does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getopt, type OptionSpec } from '../../../../src/config/ucarp/getopt.ts';

type Key = 'alpha' | 'alps' | 'value' | 'own';

const SPECS: readonly OptionSpec<Key>[] = [
  { key: 'alpha', long: ['alpha'], short: 'a', takesValue: false, abbreviable: true },
  { key: 'alps', long: ['alps', 'alpine'], short: 'A', takesValue: false, abbreviable: true },
  { key: 'value', long: ['value', 'valuable'], short: 'vw', takesValue: true, abbreviable: true },
  { key: 'own', long: ['alphabet'], short: '', takesValue: true, abbreviable: false },
];

interface Row {
  readonly desc: string;
  readonly argv: readonly string[];
  /** key=value, "word", or !reason option. */
  readonly items: readonly string[];
}

const ROWS: readonly Row[] = [
  { desc: 'nothing', argv: [], items: [] },
  { desc: 'a flag', argv: ['-a'], items: ['alpha='] },
  { desc: 'bundled flags', argv: ['-aA'], items: ['alpha=', 'alps='] },
  { desc: 'a value joined', argv: ['-vx'], items: ['value=x'] },
  { desc: 'a value apart', argv: ['-v', 'x'], items: ['value=x'] },
  { desc: 'a second letter for the same', argv: ['-w', 'x'], items: ['value=x'] },
  { desc: 'a value at the end of a bundle', argv: ['-avx'], items: ['alpha=', 'value=x'] },
  { desc: 'the same, apart', argv: ['-av', 'x'], items: ['alpha=', 'value=x'] },
  { desc: 'an equals sign belongs to the value', argv: ['-v=x'], items: ['value==x'] },
  { desc: 'a value beyond the BMP', argv: ['-v\u{1f600}x'], items: ['value=\u{1f600}x'] },
  { desc: 'an option swallowed as value', argv: ['-v', '-a'], items: ['value=-a'] },
  {
    desc: 'two dashes swallowed as value',
    argv: ['-v', '--', '-a'],
    items: ['value=--', 'alpha='],
  },
  { desc: 'an empty value', argv: ['-v', ''], items: ['value='] },
  { desc: 'long', argv: ['--alpha'], items: ['alpha='] },
  { desc: 'long with value', argv: ['--value', 'x'], items: ['value=x'] },
  { desc: 'long with =', argv: ['--value=x=y'], items: ['value=x=y'] },
  { desc: 'long with empty value', argv: ['--value='], items: ['value='] },
  { desc: 'abbreviated', argv: ['--valuab', 'x'], items: ['value=x'] },
  { desc: 'abbreviation of two names of one option', argv: ['--v=x'], items: ['value=x'] },
  { desc: 'exact name that begins another', argv: ['--alpha'], items: ['alpha='] },
  { desc: 'ambiguous', argv: ['--alp'], items: ['!ambiguous --alp'] },
  { desc: 'ambiguous shows no value', argv: ['--alp=x'], items: ['!ambiguous --alp'] },
  { desc: 'own options do not make others ambiguous', argv: ['--alph'], items: ['alpha='] },
  { desc: 'own options in full', argv: ['--alphabet=x'], items: ['own=x'] },
  { desc: 'own options are not abbreviated', argv: ['--alphab=x'], items: ['!unknown --alphab'] },
  { desc: 'words among options', argv: ['x', '-a', 'y'], items: ['"x"', 'alpha=', '"y"'] },
  { desc: 'a dash is a word', argv: ['-'], items: ['"-"'] },
  { desc: 'an empty word', argv: [''], items: ['""'] },
  { desc: 'two dashes end the options', argv: ['--', '-a', '--'], items: ['"-a"', '"--"'] },
  { desc: 'unknown letter', argv: ['-x'], items: ['!unknown -x'] },
  { desc: 'unknown letter in a bundle', argv: ['-axA'], items: ['alpha=', '!unknown -x', 'alps='] },
  { desc: 'unknown name shows no value', argv: ['--none=x'], items: ['!unknown --none'] },
  { desc: 'missing value', argv: ['-v'], items: ['!missing-value -v'] },
  { desc: 'missing value, long', argv: ['--value'], items: ['!missing-value --value'] },
  { desc: 'unwanted value', argv: ['--alpha=x'], items: ['!unwanted-value --alpha'] },
  { desc: 'on after a fault', argv: ['-x', '-a'], items: ['!unknown -x', 'alpha='] },
];

for (const { desc, argv, items } of ROWS) {
  test(desc, () => {
    const found = getopt(argv, SPECS).map((item) => {
      switch (item.kind) {
        case 'option':
          return `${item.key}=${item.value}`;
        case 'word':
          return JSON.stringify(item.text);
        case 'fault':
          return `!${item.reason} ${item.as}`;
      }
    });
    assert.deepEqual(found, items);
  });
}

test('an option is named as it was typed', () => {
  const names = getopt(['-a', '--valu=x'], SPECS).map((item) => ('as' in item ? item.as : ''));
  assert.deepEqual(names, ['-a', '--valu']);
});
