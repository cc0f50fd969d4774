// Plays scenes in many worlds and judges what has become of them.
import assert from 'node:assert/strict';
import type { CastOptions } from './cast.ts';
import { promotionsMax } from './invariants.ts';
import { World, type Report } from './world.ts';

export type Scene = (world: World) => Promise<Report>;

/** TIMES=4 npm run test:sim plays four times as many worlds of each kind. */
export const TIMES = Number(process.env['TIMES'] ?? 1);
const SCENES = 50;
/** So many worlds show whether a check finds a flaw. */
const FLAWED = 24;

/** Only this world is played, and it prints what happens in it. */
export const onlySeed = process.env['SEED'];

/** FAULTS=2,5: only these of its faults strike in the swarm that SEED names. */
export const onlyFaults = numbersOf(process.env['FAULTS']);

/** WORLDS=1000 npm run test:sim plays so many swarms, a half of them with seeds of the day. */
const WORLDS = Number(process.env['WORLDS'] ?? 240);
const SEEDS_A_DAY = 1_000_000;
const DAY_MS = 86_400_000;

/** Those that stay, and those that the date gives. */
export function swarmSeeds(): {
  readonly fixed: readonly number[];
  readonly drawn: readonly number[];
} {
  if (onlySeed !== undefined) return { fixed: [Number(onlySeed)], drawn: [] };
  const from = (first: number, length: number): readonly number[] => {
    return Array.from({ length }, (_, index) => first + index);
  };
  const drawn = Math.floor(WORLDS / 2);
  const today = Math.floor(Date.now() / DAY_MS) * SEEDS_A_DAY;
  return { fixed: from(1, WORLDS - drawn), drawn: from(today, drawn) };
}

function numbersOf(text: string | undefined): ReadonlySet<number> | undefined {
  return text === undefined ? undefined : new Set(text.split(',').filter(Boolean).map(Number));
}

export function seeds(count: number): readonly number[] {
  return onlySeed === undefined
    ? Array.from({ length: count * TIMES }, (_, index) => index + 1)
    : [Number(onlySeed)];
}

export function judge(seed: number, world: World, report: Report): void {
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

/** Plays a scene in many worlds. */
export async function judgeAll(
  scene: Scene,
  options: CastOptions = {},
  count = SCENES,
): Promise<void> {
  for (const seed of seeds(count)) {
    const world = new World(seed, options);
    judge(seed, world, await scene(world));
  }
}

/**
 * Plays a scene in so many worlds with a flaw, and fails unless each of these complaints comes in
 * as many of them as it is said to.
 */
export async function assertFound(
  scene: Scene,
  options: CastOptions,
  least: readonly (readonly [RegExp, number])[],
  count = FLAWED,
): Promise<void> {
  const all: (readonly string[])[] = [];
  for (let seed = 1; seed <= count; seed += 1) {
    all.push((await scene(new World(seed, options))).violations);
  }
  for (const [complaint, worlds] of least) {
    const found = all.filter((violations) => violations.some((text) => complaint.test(text)));
    const text = `${String(found.length)} worlds of ${String(count)} say so: ${String(complaint)}`;
    assert.ok(found.length >= worlds, `${text}, and ${String(worlds)} should`);
  }
}
