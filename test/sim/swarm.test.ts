// Worlds of real daemons that share many instances on some segments, each with faults that its seed
// has drawn. A world that fails prints what happened in it, and SEED=n plays it again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onlySeed, seeds, TIMES } from './judge.ts';
import { Reached } from './swarm/reached.ts';
import { Swarm } from './swarm/swarm.ts';

const WORLDS = 120;
/** Whatever there is has to be reached in so many of them, lest a change of the draws lose it. */
const REACHED_MIN = 2;

async function play(seed: number): Promise<Swarm> {
  const swarm = new Swarm(seed);
  const failed = await swarm.play().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
  const faults = [...swarm.violations, ...(failed === undefined ? [] : [failed])];
  if (faults.length > 0 || onlySeed !== undefined) console.log(swarm.timeline);
  assert.deepEqual(faults, [], `replay with: SEED=${seed} npm run test:sim`);
  return swarm;
}

describe('swarms', () => {
  it('keep every rule at every moment, heal, and leave nothing behind', async (test) => {
    const reached = new Reached();
    for (const seed of seeds(WORLDS)) reached.add((await play(seed)).reached);
    test.diagnostic(`worlds that reach each: ${reached.counts.join(', ')}`);
    if (onlySeed !== undefined) return;
    assert.deepEqual(reached.missed(REACHED_MIN * TIMES), [], 'all that there is is reached');
    assert.deepEqual(reached.unexpected, [], 'what is beyond a swarm is not reached');
  });

  it('are the same again from the same seed', async () => {
    const [one, same, other] = [await play(1), await play(1), await play(2)];
    assert.equal(one.timeline, same.timeline);
    assert.notEqual(one.timeline, other.timeline);
  });
});
