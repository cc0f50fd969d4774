// The nodes that the timelines begin with, and what befalls them.
import { minutes, type Expected, type Node } from './timeline.ts';

export const MASTER: Node = { host: 'a', state: () => 'master' };
export const BACKUP: Node = { host: 'b', state: () => 'backup' };

/** In minutes. */
export const DAY = 24 * 60;

/** Something happens after so many minutes. */
export const HAPPENS = minutes(5);
/** Nothing fires at any time. */
export const QUIET: readonly Expected[] = Array.from({ length: minutes(30) }, (_, step) => ({
  step: step + 1,
  firing: [],
}));
export const since = (step: number): boolean => step >= HAPPENS;
export const once = (step: number): number => Number(step === HAPPENS);

/** A node that can't be scraped from some step on. */
export function gone(node: Node, isGone: (step: number) => boolean): Node {
  return { ...node, state: (step) => (isGone(step) ? undefined : node.state(step)) };
}
