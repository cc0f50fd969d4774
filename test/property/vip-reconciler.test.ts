// Whatever is wished, refused, delayed and meddled with: one outcome for each wish, one command at
// a time, and once the world is calm the address is as it was wished last.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { isPresent } from '../../src/vip/plan.ts';
import type { RunCommand } from '../../src/vip/ports.ts';
import { FakeKernel, settle } from '../unit/vip/fakes.ts';
import { ADD, DELETE, EPERM, VIP, world } from '../unit/vip/reconciler-world.ts';

type Event = 'claim' | 'release' | 'add' | 'delete' | 'refuse' | 'allow' | 'lag' | 'show' | 'wait';

const EVENTS: readonly Event[] = [
  'claim',
  'release',
  'add',
  'delete',
  'refuse',
  'allow',
  'lag',
  'show',
  'wait',
];

interface Step {
  readonly event: Event;
  /** Whether everything that only waits for promises is let run after it. */
  readonly settled: boolean;
  readonly waitMs: number;
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    event: fc.constantFrom(...EVENTS),
    settled: fc.boolean(),
    waitMs: fc.integer({ min: 1, max: 3_000 }),
  }),
  { maxLength: 25 },
);

it('gives each wish one outcome and keeps the last wish', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const kernel = new FakeKernel('10.9.0.10/24 bond0');
      const oneAtATime = watched(kernel.runCommand);
      const { time, reconciler, outcomes, notices } = world(kernel, oneAtATime);
      let term = 0;
      let last: boolean | undefined;
      for (const { event, settled, waitMs } of script) {
        if (event === 'claim' || event === 'release') {
          term += 1;
          last = event === 'claim';
          reconciler.want({ term, present: last });
        } else await happen(event, kernel, () => time.advance(waitMs));
        if (settled) await settle();
      }
      kernel.refuseWith = undefined;
      kernel.lagging = false;
      kernel.show();
      await time.advance(60_000);
      const terms = outcomes.map((outcome) => outcome.term);
      assert.deepEqual(
        terms,
        Array.from({ length: term }, (_, index) => index + 1),
        'each wish has one outcome, in their order',
      );
      const lastOutcome = outcomes.at(-1)?.kind;
      const givenUp = lastOutcome === 'claim-failed';
      // What others add while the address is not wanted stays; what they delete comes back.
      const meddled = script.some(({ event }) => event === 'add');
      const checked = last === true ? !givenUp : last === false && !meddled;
      if (checked) assert.equal(isPresent(VIP, kernel.addresses), last);
      if (lastOutcome === 'release-failed') {
        assert.equal(notices.at(-1)?.kind, 'released-late');
      }
      assert.equal(time.pending, 0, 'nothing is left to be tried');
    }),
    { numRuns: 300 },
  );
});

async function happen(
  event: Exclude<Event, 'claim' | 'release'>,
  kernel: FakeKernel,
  wait: () => Promise<void>,
): Promise<void> {
  switch (event) {
    case 'add':
      return void kernel.meddle(ADD);
    case 'delete':
      return void kernel.meddle(DELETE);
    case 'refuse':
      kernel.refuseWith = EPERM;
      return;
    case 'allow':
      kernel.refuseWith = undefined;
      return;
    case 'lag':
      kernel.lagging = true;
      return;
    case 'show':
      kernel.lagging = false;
      return void kernel.show();
    case 'wait':
      return wait();
  }
}

/** Runs commands, and fails where two run at a time. */
function watched(runCommand: RunCommand): RunCommand {
  let running = 0;
  return (request) => {
    running += 1;
    assert.equal(running, 1, 'one command at a time');
    const { result, kill } = runCommand(request);
    return {
      result: result.finally(() => {
        running -= 1;
      }),
      kill,
    };
  };
}
