// The waits of the test lab: what they yield, and that a failure says what was awaited.
import { equal, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { Changes, eventually, throughout } from '../../../lab/wait.ts';

test('eventually yields the first value there is', async () => {
  const answers = [undefined, false, 'value'] as const;
  let asked = 0;
  const value = await eventually(() => answers[asked++], options());
  equal(value, 'value');
  equal(asked, 3);
});

test('eventually takes zero and the empty string for values', async () => {
  equal(await eventually(() => 0, options()), 0);
  equal(await eventually(() => '', options()), '');
});

test('eventually fails with what was awaited, the last error and the detail', async () => {
  const probe = (): undefined => {
    throw new Error('not there');
  };
  const detail = (): string => 'the log';
  await rejects(
    eventually(probe, { withinMs: 30, what: 'a thing', detail }),
    /timed out after 30 ms waiting for a thing; last error: not there\nthe log/,
  );
});

test('throughout fails when the condition ends', async () => {
  let asked = 0;
  const probe = (): boolean => (asked += 1) < 3;
  await rejects(throughout(probe, { forMs: 2_000, what: 'peace' }), /peace: no longer true after/);
  await throughout(() => true, { forMs: 60, what: 'peace' });
});

test('a wait for a change ends with the change that brings the value', async () => {
  const changes = new Changes();
  const box: { value?: number } = {};
  const wait = changes.until(() => box.value, options());
  changes.notify();
  box.value = 7;
  changes.notify();
  equal(await wait, 7);
});

test('a wait for a change ends with an error of its probe, or at its deadline', async () => {
  const changes = new Changes();
  const probe = (): undefined => {
    throw new Error('it ended');
  };
  await rejects(changes.until(probe, options()), /it ended/);
  await rejects(
    changes.until(() => undefined, { withinMs: 10, what: 'a change' }),
    /a change/,
  );
});

function options(): { withinMs: number; what: string; everyMs: number } {
  return { withinMs: 2_000, what: 'a value', everyMs: 1 };
}
