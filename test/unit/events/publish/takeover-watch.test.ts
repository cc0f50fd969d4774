// How long a takeover took: once a term, and only if the term got so far.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromMillis } from '../../../../src/base/time.ts';
import type { InstanceEventFields } from '../../../../src/events/events.ts';
import { TakeoverWatch } from '../../../../src/events/publish/takeover-watch.ts';

function started(): { watch: TakeoverWatch; told: () => readonly InstanceEventFields[] } {
  const news: InstanceEventFields[] = [];
  const watch = new TakeoverWatch((one) => void news.push(one));
  return { watch, told: () => news.splice(0) };
}

test('a takeover is measured from when it was due to the first announcement', () => {
  const { watch, told } = started();
  watch.announced(fromMillis(900));
  watch.promoted({ cause: 'master-down', term: 1 }, fromMillis(1_000));
  watch.announced(fromMillis(1_012.5));
  watch.announced(fromMillis(2_000));
  assert.deepEqual(told(), [
    { event: 'takeover', cause: 'master-down', term: 1, durationMs: 12.5 },
  ]);
});

test('a term that ended before it was announced is not measured', () => {
  const { watch, told } = started();
  watch.promoted({ cause: 'preempt', term: 1 }, fromMillis(1_000));
  watch.ended();
  watch.announced(fromMillis(1_500));
  assert.deepEqual(told(), []);
});
