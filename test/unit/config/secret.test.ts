// A secret must not come out by any of the ways in which values become text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { deepFreeze } from '../../../src/config/config.ts';
import { Secret } from '../../../src/config/secret.ts';

const TEXT = 'correct horse';
const secret = new Secret(Buffer.from(TEXT));

const WAYS: readonly { desc: string; text: string }[] = [
  { desc: 'String()', text: String(secret) },
  { desc: 'toString', text: secret.toString() },
  { desc: 'JSON', text: JSON.stringify({ secret }) },
  { desc: 'inspect', text: inspect(secret) },
  { desc: 'inspect, nested and with hidden properties', text: inspect({ a: [secret] }, true, 9) },
  { desc: 'format %s', text: format('%s', secret) },
  { desc: 'format %o', text: format('%o', secret) },
  { desc: 'format %j', text: format('%j', secret) },
  { desc: 'own keys', text: Reflect.ownKeys(secret).map(String).join() + '[redacted]' },
];

for (const { desc, text } of WAYS) {
  test(`${desc} is redacted`, () => {
    assert.ok(text.includes('[redacted]'), text);
    assert.ok(!text.includes(TEXT), text);
    assert.ok(!text.includes(Buffer.from(TEXT).join(', ')), text);
  });
}

test('reveal gives the bytes, and neither source nor copy is shared', () => {
  const source = Buffer.from('abc');
  const own = new Secret(source);
  source.fill(0);
  own.reveal().fill(0);
  assert.equal(Buffer.from(own.reveal()).toString(), 'abc');
});

test('secrets are equal by their bytes', () => {
  const other = (text: string): Secret => new Secret(Buffer.from(text));
  assert.ok(secret.equals(other(TEXT)));
  assert.ok(!secret.equals(other('correct horsf')));
  assert.ok(!secret.equals(other('correct')));
});

test('a frozen secret still reveals', () => {
  assert.equal(deepFreeze({ own: new Secret(Buffer.from('a')) }).own.reveal().length, 1);
});
