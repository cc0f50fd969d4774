// The small pieces everything stands on: assertions, errors, time.
import assert from 'node:assert/strict';
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
