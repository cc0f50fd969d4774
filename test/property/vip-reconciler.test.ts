// Whatever is wished, refused, delayed and meddled with, of several virtual IPs in the prefix of
// the host's own addresses: one outcome for each wish, one batch at a time, and once the world is
// calm every virtual IP is as it was wished last and the own addresses are as they were.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatIpv4 } from '../../src/base/addresses.ts';
import type { Vip } from '../../src/vip/plan.ts';
import type { RunCommand } from '../../src/vip/ports.ts';
import { FakeKernel, on, type KernelAddress } from '../unit/vip/fake-kernel.ts';
import { settle } from '../unit/vip/fakes.ts';
import { EPERM, world, type Kept } from '../unit/vip/reconciler-world.ts';

const EVENTS = [
  'claim',
  'release',
  'add',
  'delete',
  'refuse',
  'allow',
  'lag',
  'show',
  'wait',
] as const;

interface Step {
  readonly event: (typeof EVENTS)[number];
  readonly vip: number;
  /** Whether everything that only waits for promises is let run after it. */
  readonly settled: boolean;
  readonly waitMs: number;
}

/** The last one has a prefix of its own. */
const TEXTS = ['10.9.0.100/24', '10.9.0.101/24', '10.9.0.102/24', '10.9.0.103/32'];
const OWN = [
  '10.9.0.10/24 broadcast 10.9.0.255 label bond0:x valid_lft 900 preferred_lft 600',
  '10.9.0.11/24 scope 253 metric 7',
  '10.8.0.1/24',
];

interface Scene {
  readonly before: readonly string[];
  readonly promoteSecondaries: boolean;
  readonly maySetPromotion: boolean;
  readonly accompanied: boolean;
  readonly script: readonly Step[];
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  // What an earlier run left may be in front of the own addresses.
  before: fc.shuffledSubarray([...TEXTS, ...OWN], { minLength: 1 }),
  promoteSecondaries: fc.boolean(),
  maySetPromotion: fc.boolean(),
  accompanied: fc.boolean(),
  script: fc.array(
    fc.record({
      event: fc.constantFrom(...EVENTS),
      vip: fc.integer({ min: 0, max: TEXTS.length - 1 }),
      settled: fc.boolean(),
      waitMs: fc.integer({ min: 1, max: 3_000 }),
    }),
    { maxLength: 40 },
  ),
});

/** A virtual IP with what was wished of it. */
interface Played extends Kept {
  readonly text: string;
  term: number;
  wanted: boolean | undefined;
}

async function play(scene: Scene): Promise<void> {
  const kernel = new FakeKernel(...scene.before);
  kernel.promoteSecondaries = scene.promoteSecondaries;
  kernel.maySetPromotion = scene.maySetPromotion;
  kernel.runsMax = 1_000;
  const own = ownAddresses(kernel);
  const played: Played[] = [];
  const unwanted: string[] = [];
  const isWanted = (text: string): boolean =>
    played.some((one) => one.text === text && one.wanted !== false);
  const made = world(kernel, watched(kernel.runCommand, isWanted, unwanted));
  made.reconciler.close();
  made.accompanied = scene.accompanied;
  for (const text of TEXTS) {
    played.push({ ...made.keep(on(text)), text, term: 0, wanted: undefined });
  }
  for (const { event, vip, settled, waitMs } of scene.script) {
    const one = played[vip];
    assert.ok(one !== undefined);
    await happen(event, kernel, one, () => made.time.advance(waitMs));
    if (settled) await settle();
  }
  kernel.refuseWith = undefined;
  kernel.lagging = false;
  kernel.show();
  await made.time.advance(60_000);
  for (const one of played) checkEnd(one, kernel);
  assert.deepEqual(unwanted, [], 'nothing is added that nobody wants any more');
  assert.equal(kernel.promoteSecondaries, scene.promoteSecondaries, 'the setting is put back');
  assert.equal(made.time.pending, 0, 'nothing is left to be tried');
  // What others delete, and what goes with it, is not for the keeper to judge; nor what it may not
  // change.
  const disturbed = scene.script.some(({ event }) => event === 'delete' || event === 'refuse');
  if (!disturbed) assert.deepEqual(ownAddresses(kernel), own, 'the own addresses');
}

function checkEnd({ outcomes, notices, term, wanted, text }: Played, kernel: FakeKernel): void {
  assert.deepEqual(
    outcomes.map((outcome) => outcome.term),
    Array.from({ length: term }, (_, index) => index + 1),
    'each wish has one outcome, in their order',
  );
  const last = outcomes.at(-1)?.kind;
  // Nobody has said what is to be, or the claim was given up.
  if (wanted === undefined || last === 'claim-failed') return;
  const { address } = on(text);
  assert.equal(
    kernel.addresses.some((seen) => seen.address === address),
    wanted,
    `${text} is ${wanted ? 'on' : 'off'}`,
  );
  if (last === 'release-failed') {
    assert.ok(notices.some(({ kind }) => kind === 'released-late'));
  }
}

async function happen(
  event: Step['event'],
  kernel: FakeKernel,
  one: Played,
  wait: () => Promise<void>,
): Promise<void> {
  switch (event) {
    case 'claim':
    case 'release':
      one.term += 1;
      one.wanted = event === 'claim';
      one.reconciler.want({ term: one.term, present: one.wanted });
      return;
    case 'add':
      return void kernel.meddle(`addr add ${one.text} dev bond0`);
    case 'delete':
      return void kernel.meddle(`addr del ${one.text} dev bond0`);
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

/** The host's own addresses with their attributes, in no particular order. */
function ownAddresses(kernel: FakeKernel): readonly KernelAddress[] {
  return kernel.addresses
    .filter((one) => !isVip(one))
    .map((one) => ({ ...one, secondary: false }))
    .sort((a, b) => a.address - b.address);
}

function isVip({ address, prefixLength }: Vip): boolean {
  return TEXTS.includes(`${formatIpv4(address)}/${String(prefixLength)}`);
}

/** Runs commands, fails where two run at a time, and notes what is added and not wanted. */
function watched(
  runCommand: RunCommand,
  isWanted: (text: string) => boolean,
  unwanted: string[],
): RunCommand {
  let running = 0;
  return (request) => {
    running += 1;
    assert.equal(running, 1, 'one command at a time');
    for (const [, cidr = ''] of (request.input ?? '').matchAll(/^addr add (\S+)/gm)) {
      if (TEXTS.includes(cidr) && !isWanted(cidr)) unwanted.push(cidr);
    }
    const { result, kill } = runCommand(request);
    return {
      result: result.finally(() => {
        running -= 1;
      }),
      kill,
    };
  };
}

describe('the keeper of an interface and its virtual IPs', () => {
  it('gives each wish one outcome and keeps the last wish', async () => {
    await fc.assert(fc.asyncProperty(scenes, play), { numRuns: 500 });
  });

  it('takes every virtual IP of one host off, and nothing else', async () => {
    const orders = fc.shuffledSubarray([...TEXTS, ...OWN], { minLength: TEXTS.length });
    await fc.assert(
      fc.asyncProperty(orders, fc.boolean(), async (before, promoteSecondaries) => {
        const kernel = new FakeKernel(...before);
        kernel.promoteSecondaries = promoteSecondaries;
        const own = ownAddresses(kernel);
        const { keep, reconciler } = world(kernel);
        reconciler.close();
        const kept = TEXTS.map((text) => keep(on(text)));
        for (const one of kept) one.reconciler.want({ term: 1, present: false });
        await settle();
        assert.deepEqual(
          kept.map(({ outcomes }) => outcomes),
          TEXTS.map(() => [{ kind: 'released', term: 1 }]),
        );
        assert.deepEqual(ownAddresses(kernel), own);
        assert.ok(!kernel.addresses.some(isVip));
        assert.ok(kernel.batches <= 2, 'all at once, and one batch to put back');
      }),
    );
  });
});
