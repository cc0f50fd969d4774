// Whole worlds of nodes, checked against what must hold whatever went wrong. A world that fails is
// built again with its number: SEED=n npm run test:sim prints what happened in it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toSeconds } from '../../src/base/time.ts';
import { CAUSES } from '../../src/election/effects.ts';
import { promotionsMax, settledFaults, type Settled } from './invariants.ts';
import { World, type Report } from './world.ts';

const WORLDS = 1_500;
const FREEZE_WORLDS = 150;

const onlySeed = process.env['SEED'];
const seeds = (count: number) =>
  onlySeed === undefined
    ? Array.from({ length: count }, (_, index) => index + 1)
    : [Number(onlySeed)];

function judge(seed: number, world: World, report: Report): void {
  if (onlySeed !== undefined) console.log(report.log.join('\n'));
  const faults = [...report.violations];
  const promotions = promotionsMax(world.nodes);
  if (report.latePromotions > promotions) {
    faults.push(
      `${String(report.latePromotions)} promotions in peace, ${String(promotions)} allowed`,
    );
  }
  assert.deepEqual(faults, [], `replay with: SEED=${String(seed)} npm run test:sim`);
}

describe('worlds', () => {
  it('settle within the bound, with one master for each component', (test) => {
    const reached = new Map<string, number>(Object.keys(CAUSES).map((cause) => [cause, 0]));
    let closest = 0;
    for (const seed of seeds(WORLDS)) {
      const world = new World(seed);
      const report = world.run();
      judge(seed, world, report);
      closest = Math.max(closest, report.settledAfter / report.bound);
      for (const { cause } of report.transitions) {
        if (cause !== undefined) reached.set(cause, (reached.get(cause) ?? 0) + 1);
      }
    }
    const counts = [...reached].map(([cause, count]) => `${cause} ${String(count)}`);
    test.diagnostic(`causes: ${counts.join(', ')}`);
    test.diagnostic(`closest to its bound: ${(closest * 100).toFixed(0)} %`);
    if (onlySeed !== undefined) return;
    const missed = [...reached].filter(([, count]) => count === 0).map(([cause]) => cause);
    assert.deepEqual(missed, [], 'the seeds reach every cause');
  });

  it('see nothing of backups that stand still, adverts being read before deadlines count', () => {
    for (const seed of seeds(FREEZE_WORLDS)) {
      const world = new World(seed);
      judge(seed, world, world.runWithFreezes());
    }
  });

  it('are the same again from the same seed', () => {
    for (const seed of [1, 2, 3]) {
      assert.deepEqual(new World(seed).run().log, new World(seed).run().log);
    }
    assert.notDeepEqual(new World(1).run().log, new World(2).run().log);
  });

  it('have a bound of seconds, not of minutes, where nothing has to heal first', () => {
    const bounds = seeds(50).map((seed) => toSeconds(new World(seed).run().bound));
    assert.ok(Math.min(...bounds) < 12, String(Math.min(...bounds)));
  });
});

describe('the checks themselves', () => {
  it('find the fault of a driver that lets deadlines count before it reads', () => {
    const failing = Array.from({ length: 20 }, (_, index) => index + 1).filter((seed) => {
      return new World(seed, 'wake-first').runWithFreezes().violations.length > 0;
    });
    assert.ok(failing.length >= 10, `${String(failing.length)} of 20 worlds fail`);
  });

  it('find two masters, none, one that may not be, and an address in the wrong place', () => {
    const node = (name: string, isMaster: boolean, holdsVip: boolean, eligible = true): Settled => {
      return { name, isMaster, holdsVip, eligible, alive: true };
    };
    const together = () => 0;
    const fine = [node('a', true, true), node('b', false, false)];
    assert.deepEqual(settledFaults(fine, together), []);
    assert.equal(settledFaults(fine, ({ name }: Settled) => (name === 'a' ? 0 : 1)).length, 1);
    assert.equal(settledFaults([node('a', false, false)], together).length, 1);
    assert.equal(settledFaults([...fine, node('c', true, true)], together).length, 1);
    assert.equal(settledFaults([...fine, node('c', false, true)], together).length, 1);
    assert.equal(settledFaults([node('a', true, false)], together).length, 1);
    assert.equal(settledFaults([node('a', true, true, false)], together).length, 2);
  });
});
