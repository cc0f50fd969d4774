// The small pieces everything stands on: assertions, errors, time.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { invariant, InvariantError, unreachable } from '../../../src/base/assert.ts';
import { CarpdError, messageOf } from '../../../src/base/errors.ts';
import { fromMillis, fromSeconds, micros, plus, since, toMillis } from '../../../src/base/time.ts';

describe('assertions', () => {
  test('an invariant that does not hold is an InvariantError with the fact', () => {
    assert.throws(() => invariant(Number('1') === 2, 'one is two'), {
      name: 'InvariantError',
      message: 'one is two',
    });
  });

  test('a variant that cannot be is named, whatever it holds', () => {
    const variant = JSON.parse('{"kind":"new"}') as never;
    assert.throws(() => unreachable(variant), /unexpected variant: \{"kind":"new"\}/);
    const withCounter = Object.assign(JSON.parse('{}') as object, { counter: 1n }) as never;
    assert.throws(() => unreachable(withCounter), InvariantError);
  });
});

describe('errors', () => {
  test('say what failed and why, and keep the cause', () => {
    const cause = new Error('EPERM');
    const error = new CarpdError('CARPD_SOCKET', 'open a socket', 'not permitted', cause);
    assert.equal(error.message, 'open a socket: not permitted');
    assert.equal(error.cause, cause);
  });

  test('give a text for whatever was thrown', () => {
    assert.equal(messageOf(new Error('broken')), 'broken');
    assert.equal(messageOf('text'), 'text');
    assert.equal(messageOf(undefined), 'undefined');
  });

  test('of the system are told in plain words, however they come about', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'carpd-errors-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const server = createServer().listen(join(folder, 'socket'));
    t.after(() => server.close());
    await once(server, 'listening');
    const none = join(folder, 'none');
    const failing: readonly (readonly [() => unknown, string])[] = [
      [() => readFileSync(none), 'there is no such file or folder'],
      [() => readFile(none), 'there is no such file or folder'],
      [() => readFileSync(join(file, 'x')), 'a part of its path is not a folder'],
      [() => readFileSync(folder), 'it is a folder'],
      [() => mkdirSync(folder), 'it is there already'],
      [() => rmdirSync(folder), 'the folder is not empty'],
      [() => once(connect(none), 'connect'), 'there is no such file or folder'],
      [() => once(connect(1, '127.0.0.1'), 'connect'), 'nobody answers there'],
      [() => once(createServer().listen(join(folder, 'socket')), 'listening'), 'another process'],
      [() => once(spawn(none), 'spawn'), 'there is no such file or folder'],
      [() => process.kill(2 ** 22 + 1, 0), 'there is no such process'],
    ];
    for (const [fail, words] of failing) {
      const error = await Promise.resolve()
        .then(fail)
        .then(
          () => 'no error',
          (it: unknown) => it,
        );
      const text = messageOf(error);
      assert.match(text, new RegExp(words));
      assert.doesNotMatch(text, /\bE[A-Z]{3,}|syscall|'/);
    }
    const unknown = new Error("ESTALE: stale file handle, open '/x'");
    assert.equal(messageOf(unknown), 'the system refuses it (ESTALE)');
  });
});

describe('time', () => {
  test('is whole microseconds', () => {
    assert.equal(fromSeconds(1.5), 1_500_000);
    assert.equal(fromMillis(0.0019), 1);
    assert.equal(toMillis(micros(1_500)), 1.5);
    assert.equal(plus(micros(1), micros(2)), 3);
    assert.equal(since(micros(1), micros(3)), -2);
  });
});
