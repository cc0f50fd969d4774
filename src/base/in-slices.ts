// Begins many things with pauses in between, in which the loop takes its turns.

/** What is begun between two turns of the loop: some milliseconds of instances. */
const SLICE = 25;

/**
 * Begins these some at a time. `nextTurn` calls back in a later turn of the loop. Resolves when all
 * have ended; rejects with what one of them rejected with.
 */
export async function inSlices<Item>(
  items: readonly Item[],
  nextTurn: (run: () => void) => unknown,
  begin: (item: Item) => Promise<void>,
): Promise<void> {
  const begun: Promise<readonly PromiseSettledResult<void>[]>[] = [];
  for (let at = 0; at < items.length; at += SLICE) {
    if (at > 0) await new Promise<void>((resolve) => void nextTurn(resolve));
    begun.push(Promise.allSettled(items.slice(at, at + SLICE).map(begin)));
  }
  for (const result of (await Promise.all(begun)).flat()) {
    if (result.status === 'rejected') throw result.reason;
  }
}
