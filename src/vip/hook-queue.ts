// Which waiting hooks need not run any more when too many wait. Pure.
import { invariant } from '../base/assert.ts';

/**
 * Shortens a queue to `waitingMax` (2 or more), or to one less where a pair had to leave. An up and
 * a down that follow each other undo each other, so they leave together, the oldest first; of the
 * same hook twice in a row the first leaves. The last one always stays: it says how things are in
 * the end. Hooks that alternated still do.
 */
export function dropSuperfluous<Request extends { readonly hook: 'up' | 'down' }>(
  queue: readonly Request[],
  waitingMax: number,
): { readonly kept: readonly Request[]; readonly dropped: readonly Request[] } {
  invariant(waitingMax >= 2, 'a pair can leave only from before the last one');
  const kept = [...queue];
  const dropped: Request[] = [];
  while (kept.length > waitingMax) {
    const pair = kept[0]?.hook !== kept[1]?.hook;
    dropped.push(...kept.splice(0, pair ? 2 : 1));
  }
  return { kept, dropped };
}
