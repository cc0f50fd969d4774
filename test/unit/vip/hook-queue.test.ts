// Which hooks are dropped when too many wait.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dropSuperfluous } from '../../../src/vip/hook-queue.ts';

/** "udu" as a queue; each entry knows its place. */
function queue(text: string) {
  return Array.from(text, (letter, place) => ({
    hook: letter === 'u' ? ('up' as const) : ('down' as const),
    place,
  }));
}

const letters = (entries: readonly { readonly hook: 'up' | 'down' }[]) =>
  entries.map((entry) => (entry.hook === 'up' ? 'u' : 'd')).join('');

describe('dropSuperfluous', () => {
  const table = [
    { desc: 'leaves a short queue', before: 'dudu', max: 4, kept: 'dudu' },
    { desc: 'drops the oldest pair', before: 'dudud', max: 4, kept: 'dud' },
    { desc: 'drops the first of two alike', before: 'uudud', max: 4, kept: 'udud' },
    { desc: 'drops down to one of many alike', before: 'uuuu', max: 2, kept: 'uu' },
    { desc: 'keeps the last one', before: 'dud', max: 2, kept: 'd' },
  ];
  for (const { desc, before, max, kept } of table) {
    it(desc, () => {
      assert.equal(letters(dropSuperfluous(queue(before), max).kept), kept);
    });
  }

  it('loses nothing, keeps order and the last, is bounded, and keeps alternation', () => {
    const queues = fc.array(fc.constantFrom('u', 'd'), { maxLength: 30 }).map((a) => a.join(''));
    fc.assert(
      fc.property(queues, fc.integer({ min: 2, max: 9 }), (text, max) => {
        const all = queue(text);
        const { kept, dropped } = dropSuperfluous(all, max);
        const places = [...dropped, ...kept].map((entry) => entry.place);
        assert.deepEqual(
          places,
          all.map((entry) => entry.place),
          'the oldest are dropped, each entry is in one list',
        );
        assert.ok(kept.length <= max);
        assert.deepEqual(kept.at(-1), all.at(-1));
        if (/^(?:ud)*u?$|^(?:du)*d?$/.test(text) && kept.length > 0) {
          assert.equal(
            kept[0]?.hook,
            all[0]?.hook,
            'what ran before is still followed by its opposite',
          );
        }
      }),
    );
  });
});
