// Plays a world of a swarm, and finds out which of its faults are needed to break a rule.
import { Swarm } from './swarm.ts';

export interface Played {
  readonly swarm: Swarm;
  /** What was not as it has to be, in words. */
  readonly faults: readonly string[];
}

/** `kept`: the numbers of the faults that strike; all, if nobody says. */
export async function played(seed: number, kept?: ReadonlySet<number>): Promise<Played> {
  const swarm = new Swarm(seed, { kept });
  const failed = await swarm.play().then(
    () => [],
    (error: unknown) => [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  );
  return { swarm, faults: [...swarm.violations, ...failed] };
}

/**
 * Leaves faults out, one after the other, as long as the world breaks a rule without it; returns
 * the numbers of those that are needed.
 */
export async function shrunk(
  seed: number,
  struck: readonly number[],
  breaks: (kept: readonly number[]) => Promise<boolean> = async (kept) => {
    return (await played(seed, new Set(kept))).faults.length > 0;
  },
): Promise<readonly number[]> {
  let kept = struck;
  for (const one of struck) {
    const fewer = kept.filter((other) => other !== one);
    if (await breaks(fewer)) kept = fewer;
  }
  return kept;
}
