// Reloads by a signal and by an order: one after the other, each with the file of its turn.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as aTurn } from 'node:timers/promises';
import { fail, ok, type Result } from '../../../src/base/result.ts';
import type { Config } from '../../../src/config/config.ts';
import { Reloads } from '../../../src/process/reloads.ts';
import { configOf } from '../../support/daemon-scene.ts';

/** Files by their vhid, and reads that end when they are told to. */
class Rig {
  file: Result<Config, readonly string[]> = ok(configOf({ db: { vhid: 1 } }));
  running = true;
  readonly applied: number[] = [];
  readonly refused: string[] = [];
  undone: readonly string[] = [];
  readonly #reads: (() => void)[] = [];
  readonly reloads = new Reloads({
    read: () => {
      const config = this.file;
      return new Promise((resolve) => {
        this.#reads.push(() => resolve({ config, warnings: [] }));
      });
    },
    daemon: {
      plan: () => ({ daemon: [], instances: [] }),
      reload: async (config) => {
        await aTurn();
        this.applied.push(...config.instances.map(({ vhid }) => vhid));
        return this.undone;
      },
      refuse: (faults) => void this.refused.push(...faults),
    },
    warn: () => undefined,
    isRunning: () => this.running,
  });

  get reading(): number {
    return this.#reads.length;
  }

  async readOne(): Promise<void> {
    this.#reads.shift()?.();
    for (let turn = 0; turn < 5; turn += 1) await aTurn();
  }

  write(vhid: number): void {
    this.file = ok(configOf({ db: { vhid } }));
  }
}

test('an order beside a signal never applies the older file last', async () => {
  const rig = new Rig();
  const first = rig.reloads.bySignal();
  await aTurn();
  rig.write(2);
  const second = rig.reloads.byOrder(false);
  await aTurn();
  equal(rig.reading, 1, 'the second is read in its turn');
  await rig.readOne();
  await rig.readOne();
  await Promise.all([first, second]);
  deepEqual(rig.applied, [1, 2]);
});

test('signals that come while one waits are served by it, later ones are not', async () => {
  const rig = new Rig();
  const all = [rig.reloads.bySignal(), rig.reloads.bySignal()];
  await aTurn();
  rig.write(2);
  all.push(rig.reloads.bySignal(), rig.reloads.bySignal());
  await rig.readOne();
  await rig.readOne();
  await Promise.all(all);
  deepEqual(rig.applied, [1, 2]);
});

test('an order is answered with what was not done, or why the file is refused', async () => {
  const rig = new Rig();
  rig.undone = ['db stays'];
  const part = rig.reloads.byOrder(false);
  await aTurn();
  await rig.readOne();
  const lines = ['the configuration is the one that runs: nothing changes'];
  deepEqual(await part, { outcome: 'applied', lines, undone: ['db stays'] });
  rig.file = fail(['a: wrong']);
  const refused = rig.reloads.byOrder(false);
  await aTurn();
  await rig.readOne();
  deepEqual(await refused, { outcome: 'refused', faults: ['a: wrong'] });
  deepEqual(rig.refused, ['a: wrong']);
});

test('to ask what it would do refuses nothing and applies nothing', async () => {
  const rig = new Rig();
  rig.file = fail(['a: wrong']);
  const dry = rig.reloads.byOrder(true);
  await aTurn();
  await rig.readOne();
  deepEqual(await dry, { outcome: 'refused', faults: ['a: wrong'] });
  deepEqual([rig.refused, rig.applied], [[], []]);
});

test('nothing is read or applied while carpd is ending', async () => {
  const rig = new Rig();
  const late = rig.reloads.byOrder(false);
  await aTurn();
  rig.running = false;
  await rig.readOne();
  equal((await late).outcome, 'refused');
  equal((await rig.reloads.byOrder(false)).outcome, 'refused');
  deepEqual([rig.reading, rig.applied], [0, []]);
});
