// What can't be opened is tried again, told once for each reason, and given up when it is closed.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { keepOpening, type Losable, type Opened } from '../../../src/serving/keep-opening.ts';

interface Rig {
  readonly told: string[];
  readonly opened: Opened;
  /** What the next attempts come to: a reason to fail, or nothing. */
  readonly outcomes: (string | undefined)[];
  /** Whether what is open got out of reach. */
  readonly loss: { lost: boolean };
  readonly passTenSeconds: () => Promise<void>;
}

async function rig(t: TestContext, ...outcomes: (string | undefined)[]): Promise<Rig> {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const told: string[] = [];
  const loss = { lost: false };
  const thing: Losable = {
    isLost: () => loss.lost,
    retire: () => void told.push('retired'),
    close: () => void told.push('closed'),
  };
  const opened = keepOpening({
    open: () => {
      told.push('attempt');
      const reason = outcomes.shift();
      return reason === undefined ? Promise.resolve(thing) : Promise.reject(new Error(reason));
    },
    onOpened: () => void told.push('opened'),
    onFailed: (reason) => void told.push(reason),
    onLost: () => {
      loss.lost = false;
      told.push('lost');
    },
  });
  await nextTurn();
  const passTenSeconds = async (): Promise<void> => {
    t.mock.timers.tick(10_000);
    await nextTurn();
  };
  return { told, opened, outcomes, loss, passTenSeconds };
}

test('tries until it is open, and tells each reason once', async (t) => {
  const { told, opened, passTenSeconds } = await rig(t, 'busy', 'busy', 'gone', undefined);
  assert.deepEqual(told, ['attempt', 'busy']);
  for (let round = 0; round < 5; round += 1) await passTenSeconds();
  assert.deepEqual(told, ['attempt', 'busy', 'attempt', 'attempt', 'gone', 'attempt', 'opened']);
  opened.close();
  opened.close();
  assert.deepEqual(told.slice(7), ['closed']);
});

test('says how the first attempt went, whatever comes of the later ones', async (t) => {
  const { opened, passTenSeconds } = await rig(t, 'busy');
  await passTenSeconds();
  assert.equal(await opened.firstFailure, 'busy');
  opened.close();
});

test('says of a first attempt that went well that nothing failed', async (t) => {
  const { opened } = await rig(t);
  assert.equal(await opened.firstFailure, undefined);
  opened.close();
});

test('opens anew what was lost, as often as that happens', async (t) => {
  const { told, opened, loss, outcomes, passTenSeconds } = await rig(t);
  for (const reason of [undefined, 'busy']) {
    outcomes.push(reason);
    told.length = 0;
    await passTenSeconds();
    assert.deepEqual(told, []);
    loss.lost = true;
    await passTenSeconds();
    const again = ['retired', 'lost', 'attempt'];
    assert.deepEqual(told, [...again, reason ?? 'opened']);
  }
  await passTenSeconds();
  assert.deepEqual(told.slice(4), ['attempt', 'opened']);
  opened.close();
  assert.deepEqual(told.slice(6), ['closed']);
});

test('gives up when it is closed', async (t) => {
  const { told, opened, passTenSeconds } = await rig(t, 'busy');
  opened.close();
  await passTenSeconds();
  assert.deepEqual(told, ['attempt', 'busy']);
});

test('closes what was still being opened, and tells nobody', async () => {
  const told: string[] = [];
  const pending = keepOpening({
    open: () =>
      Promise.resolve({
        isLost: () => false,
        retire: () => void told.push('retired'),
        close: () => void told.push('closed'),
      }),
    onOpened: () => void told.push('opened'),
    onFailed: (reason) => void told.push(reason),
    onLost: () => void told.push('lost'),
  });
  pending.close();
  await nextTurn();
  assert.deepEqual(told, ['closed']);
});

test('does not tell what failed after it was closed', async () => {
  const told: string[] = [];
  const pending = keepOpening({
    open: () => Promise.reject(new Error('busy')),
    onOpened: () => void told.push('opened'),
    onFailed: (reason) => void told.push(reason),
    onLost: () => void told.push('lost'),
  });
  pending.close();
  await nextTurn();
  assert.deepEqual(told, []);
});

test('retires what is open, so that who is connected is answered', async (t) => {
  const { told, opened } = await rig(t);
  opened.retire();
  opened.close();
  assert.deepEqual(told, ['attempt', 'opened', 'retired']);
});
