// Faults of syntax; and that no message, of whatever fault, holds a passphrase.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { loadConfig, type Fault } from '../../../src/config/load.ts';
import { db, faultLines, load, readFile } from './sample.ts';

describe('syntax', () => {
  const SYNTAX: readonly { desc: string; text: string; fault: string }[] = [
    { desc: 'duplicate key', text: 'a: 1\na: 2', fault: 'line 2, column 1: this key stands twice' },
    { desc: 'tab', text: 'a:\n\tb: 1', fault: 'line 2, column 1: a tab in the indentation' },
    { desc: 'open bracket', text: 'a: [1, 2', fault: 'line 1, column 9: ' },
    { desc: 'unknown tag', text: 'a: !x y', fault: 'line 1, column 4: a tag ("!name") is not' },
    { desc: 'unknown alias', text: 'a: *x', fault: 'an alias ("*name") has no anchor' },
    {
      desc: 'two documents',
      text: 'a: 1\n---\nb: 1',
      fault: 'line 2, column 1: a second document',
    },
    { desc: 'no colon', text: 'a: 1\nword\nb: 1', fault: 'line 2, column 1: a line without ":"' },
    { desc: 'reserved character', text: 'a: @b', fault: 'line 1, column 4: the value starts with' },
    { desc: 'merge key', text: '<<: 1', fault: '"<<": unknown key' },
    { desc: 'rare fault', text: 'a: &x &y 1', fault: 'line 1, column 7: not valid YAML (MULTIPLE' },
  ];
  for (const { desc, text, fault } of SYNTAX) {
    test(desc, () => {
      const lines = faultLines(load(text));
      assert.ok(lines[0]?.startsWith(fault), inspect(lines));
    });
  }

  test('an alias bomb is refused', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const inner = level === 0 ? '"x"' : `*l${String(level - 1)}`;
      return `l${String(level)}: &l${String(level)} [${Array(9).fill(inner).join(', ')}]`;
    });
    assert.match(faultLines(load(levels.join('\n')))[0] ?? '', /^an alias/);
  });
});

describe('secrecy', () => {
  const SECRET = 'Tr0ub4dor';
  const TEXTS: readonly { desc: string; text: string }[] = [
    { desc: 'good', text: JSON.stringify(db({ passphraseFile: undefined, passphrase: SECRET })) },
    { desc: 'too long', text: `instances: {db: {passphrase: ${SECRET.repeat(3)}}}` },
    { desc: 'in the wrong key', text: `instances: {db: {passphraseFile: ${SECRET}}}` },
    { desc: 'as a path', text: `instances: {db: {passphraseFile: /${SECRET}}}` },
    { desc: 'in a mistyped key', text: `instances: {db: {passphrse: ${SECRET}}}` },
    { desc: 'in a list', text: `instances: {db: {passphrase: [${SECRET}]}}` },
    { desc: 'in a mapping', text: `instances: {db: {passphrase: {x: ${SECRET}}}}` },
    { desc: 'in place of a section', text: `instances: {db: {hooks: ${SECRET}}}` },
    { desc: 'in place of an instance', text: `instances: {db: ${SECRET}}` },
    { desc: 'as an alias', text: `instances: {db: {passphrase: *${SECRET}}}` },
    { desc: 'as a tag', text: `passphrase: !${SECRET}` },
    { desc: 'behind a quote', text: `passphrase: "a" ${SECRET}` },
    { desc: 'in an open quote', text: `passphrase: "${SECRET}` },
    { desc: 'reserved character', text: `passphrase: @${SECRET}` },
    { desc: 'directive', text: `%${SECRET}\n---\na: 1` },
    { desc: 'escape', text: `passphrase: "\\q${SECRET}"` },
  ];
  for (const { desc, text } of TEXTS) {
    test(`no message holds the passphrase: ${desc}`, () => {
      const result = loadConfig(text, { readFile, mode: 0o644 });
      const seen = inspect(result, { depth: 9, showHidden: true }) + JSON.stringify(result);
      assert.ok(!seen.includes(SECRET), seen);
    });
  }

  test('the faults of this table are faults', () => {
    const refused = TEXTS.slice(1).filter(({ text }) => !loadConfig(text, { readFile }).ok);
    assert.equal(refused.length, TEXTS.length - 1);
  });

  test('a fault of the type Fault has nothing but path and message', () => {
    const result = load({ instances: {} });
    const faults: readonly Fault[] = result.ok ? [] : result.faults;
    assert.deepEqual(Object.keys(faults[0] ?? {}), ['path', 'message']);
  });
});
