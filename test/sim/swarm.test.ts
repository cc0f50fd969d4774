// Worlds of real daemons that share many instances on some segments, each with faults that its seed
// has drawn: one half with seeds that stay, the other with seeds that the date gives. A world that
// fails prints the faults that are needed for it and what happened in it; SEED plays it again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onlyFaults, onlySeed, swarmSeeds } from './judge.ts';
import { played, shrunk } from './swarm/play.ts';
import { Reached } from './swarm/reached.ts';
import type { Swarm } from './swarm/swarm.ts';

/** Whatever there is has to be reached in so many of them, lest a change of the draws lose it. */
const REACHED_MIN = 2;

async function judge(seed: number): Promise<Swarm> {
  const { swarm, faults } = await played(seed, onlyFaults);
  if (faults.length === 0) {
    if (onlySeed !== undefined) console.log(swarm.timeline);
    return swarm;
  }
  const least = onlyFaults === undefined ? await shrunk(seed, swarm.struck) : swarm.struck;
  const small = await played(seed, new Set(least));
  console.log(small.swarm.timeline);
  const replay = `SEED=${seed} FAULTS=${least.join()} npm run test:sim`;
  assert.deepEqual(small.faults, [], `replay with: ${replay}`);
  return swarm;
}

describe('swarms', () => {
  it('keep every rule at every moment, heal, and leave nothing behind', async (test) => {
    const reached = new Reached();
    const { fixed, drawn } = swarmSeeds();
    test.diagnostic(
      `${fixed.length} worlds with fixed seeds, and ${drawn.length} from ${drawn[0]}`,
    );
    for (const seed of fixed) reached.add((await judge(seed)).reached);
    for (const seed of drawn) await judge(seed);
    if (onlySeed !== undefined) return;
    test.diagnostic(`worlds that reach each: ${reached.counts.join(', ')}`);
    assert.deepEqual(reached.missed(REACHED_MIN), [], 'all that there is is reached');
    assert.deepEqual(reached.unexpected, [], 'what is beyond a swarm is not reached');
  });

  it('are the same again from the same seed', async () => {
    const [one, same, other] = [await played(1), await played(1), await played(2)];
    assert.equal(one.swarm.timeline, same.swarm.timeline);
    assert.notEqual(one.swarm.timeline, other.swarm.timeline);
  });

  it('shrink to the faults that matter, of which each strikes as it did', async () => {
    const { swarm } = await played(3);
    const [first] = swarm.struck;
    assert.ok(first !== undefined, 'a world with faults');
    const fewer = await played(3, new Set([first]));
    assert.deepEqual(fewer.swarm.struck, [first]);
    assert.deepEqual(fewer.swarm.plan, swarm.plan);
    assert.deepEqual(await shrunk(3, [7, 1, 4], (kept) => Promise.resolve(kept.includes(4))), [4]);
  });
});
