// Checks work that is done once for all who ask for it.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inSlices } from '../../../src/base/in-slices.ts';
import { nextTurn } from '../../../src/linux/system/clock.ts';
import { Soon } from '../../../src/base/soon.ts';

describe('work that is asked for', () => {
  test('is done once for all, and again for who asks after it', async () => {
    const { soon, turn, runs } = loop();
    const [first, second] = [soon.ask(), soon.ask()];
    equal(runs(), 0);
    turn();
    await Promise.all([first, second]);
    equal(runs(), 1);
    void soon.ask();
    turn();
    equal(runs(), 2);
  });

  test('is done at once where that is wanted, and not once more at its turn', async () => {
    const { soon, turn, runs } = loop();
    soon.flush();
    equal(runs(), 0, 'nobody has asked');
    const asked = soon.ask();
    soon.flush();
    await asked;
    turn();
    equal(runs(), 1);
  });
});

describe('many things', () => {
  test('are begun a few a turn, and awaited all', async () => {
    const begun: number[] = [];
    const all = inSlices(
      Array.from({ length: 100 }, (_, n) => n),
      nextTurn,
      (n) => Promise.resolve(void begun.push(n)),
    );
    const atOnce = begun.length;
    await all;
    deepEqual([begun.length, atOnce < 50], [100, true]);
  });

  test('fail with the first that fails, which ends nothing else', async () => {
    const begun: number[] = [];
    const all = inSlices(
      Array.from({ length: 60 }, (_, n) => n),
      nextTurn,
      (n) => {
        begun.push(n);
        return n === 3 ? Promise.reject(new Error('no third')) : Promise.resolve();
      },
    );
    equal(await all.catch((error: unknown) => String(error)), 'Error: no third');
    equal(begun.length, 60);
  });
});

function loop(): { soon: Soon; turn: () => void; runs: () => number } {
  const posted: (() => void)[] = [];
  let count = 0;
  const soon = new Soon(
    (run) => void posted.push(run),
    () => void (count += 1),
  );
  const turn = (): void => posted.splice(0).forEach((run) => run());
  return { soon, turn, runs: () => count };
}
