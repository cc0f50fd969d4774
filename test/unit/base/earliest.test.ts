import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Earliest } from '../../../src/base/earliest.ts';
import { micros } from '../../../src/base/time.ts';

const KEYS = 12;

const ORDER = fc.record({
  key: fc.integer({ min: 0, max: KEYS - 1 }),
  at: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
});

test('it agrees with a plain table, whatever is set and taken away', () => {
  fc.assert(
    fc.property(fc.array(ORDER, { maxLength: 60 }), fc.integer({ max: 20 }), (orders, now) => {
      const heap = new Earliest<number>();
      const plain = new Map<number, number>();
      for (const { key, at } of orders) {
        heap.set(key, at === undefined ? undefined : micros(at), key);
        if (at === undefined) plain.delete(key);
        else plain.set(key, at);
        const [first] = [...plain].sort(([a, x], [b, y]) => x - y || a - b);
        equal(heap.key, first?.[0]);
        equal(heap.at, first?.[1]);
      }
      const due = [...plain].filter(([, at]) => at <= now).map(([key]) => key);
      deepEqual(
        heap.due(micros(now)).sort((a, b) => a - b),
        due.sort((a, b) => a - b),
      );
    }),
  );
});

test('a key without a deadline can be taken away', () => {
  const heap = new Earliest<string>();
  heap.set('a', micros(1), 0);
  heap.delete('b');
  equal(heap.key, 'a');
});
