// The first line of a passphrase file, byte by byte, as ucarp reads it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filePassphrase } from '../../../src/config/passphrase.ts';

interface Row {
  readonly desc: string;
  readonly text: string;
  readonly key: string;
  readonly warnings: number;
}

const KEYS: readonly Row[] = [
  { desc: 'one line', text: 'abc\n', key: 'abc', warnings: 0 },
  { desc: 'no line feed', text: 'abc', key: 'abc', warnings: 0 },
  { desc: 'only the first line counts', text: 'abc\ndef\n', key: 'abc', warnings: 0 },
  { desc: 'spaces belong to the key', text: ' a b \n', key: ' a b ', warnings: 0 },
  { desc: 'a carriage return belongs to the key', text: 'abc\r\n', key: 'abc\r', warnings: 1 },
  { desc: 'a NUL byte ends the key', text: 'abc\0def\n', key: 'abc', warnings: 1 },
  { desc: 'a NUL byte after the line', text: 'abc\n\0', key: 'abc', warnings: 0 },
  { desc: '19 bytes', text: `${'x'.repeat(19)}\n`, key: 'x'.repeat(19), warnings: 0 },
];

for (const { desc, text, key, warnings } of KEYS) {
  test(desc, () => {
    const found = filePassphrase({ bytes: Buffer.from(text), mode: 0o600 });
    assert.ok(found.ok);
    assert.equal(Buffer.from(found.value.secret.reveal()).toString(), key);
    assert.equal(found.value.warnings.length, warnings);
  });
}

const REFUSED: readonly { desc: string; text: string; kind: string }[] = [
  { desc: 'an empty file', text: '', kind: 'empty' },
  { desc: 'a blank first line', text: '\nabc\n', kind: 'empty' },
  { desc: 'a NUL byte at the start', text: '\0abc\n', kind: 'empty' },
  { desc: '20 bytes', text: 'x'.repeat(20), kind: 'too-long' },
  { desc: '19 bytes and a carriage return', text: `${'x'.repeat(19)}\r\n`, kind: 'too-long' },
];

for (const { desc, text, kind } of REFUSED) {
  test(`${desc} is refused`, () => {
    const found = filePassphrase({ bytes: Buffer.from(text), mode: 0o600 });
    assert.equal(found.ok ? 'ok' : found.reason.kind, kind);
  });
}

test('every mode that lets others in is warned about', () => {
  for (const mode of [0o604, 0o640, 0o620, 0o602, 0o777]) {
    const found = filePassphrase({ bytes: Buffer.from('a'), mode });
    assert.match(found.ok ? (found.value.warnings[0] ?? '') : '', /chmod 600/);
  }
});
