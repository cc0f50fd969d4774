// Plays scenes in many worlds and judges what has become of them.
import assert from 'node:assert/strict';
import type { CastOptions } from './cast.ts';
import { promotionsMax } from './invariants.ts';
import { World, type Report } from './world.ts';

export type Scene = (world: World) => Report;

const SCENES = 50;
/** So many worlds show whether a check finds a flaw. */
const FLAWED = 80;

/** Only this world is played, and it prints what happens in it. */
export const onlySeed = process.env['SEED'];

export function seeds(count: number): readonly number[] {
  return onlySeed === undefined
    ? Array.from({ length: count }, (_, index) => index + 1)
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
export function judgeAll(scene: Scene, options: CastOptions = {}, count = SCENES): void {
  for (const seed of seeds(count)) {
    const world = new World(seed, options);
    judge(seed, world, scene(world));
  }
}

/** How many of many worlds with a flaw break a rule that says so. */
export function failing(scene: Scene, options: CastOptions, complaint: RegExp): number {
  const all = Array.from({ length: FLAWED }, (_, index) => new World(index + 1, options));
  return all.filter((world) => scene(world).violations.some((text) => complaint.test(text))).length;
}

export function assertMany(count: number, least: number): void {
  assert.ok(count >= least, `${String(count)} worlds fail, and ${String(least)} should`);
}
