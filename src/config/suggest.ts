// "Did you mean": the known word nearest to one that was mistyped.

/** Longer words are nobody's typing slip, and comparing them costs their length squared. */
const WORD_LENGTH_MAX = 64;

/** The candidate a typing slip away from `word`, or undefined if none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word === '' || word.length > WORD_LENGTH_MAX) return undefined;
  const plain = simplify(word);
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = distanceTo(plain, simplify(candidate));
    if (distance < (best?.distance ?? Infinity)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** ` (did you mean "X"?)`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? '' : ` (did you mean "${candidate}"?)`;
}

/** Case, dashes and underscores are habits, not differences. */
function simplify(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, '');
}

/** Edits between the two, Infinity if too many; "skew" is near "advskew" for containing. */
function distanceTo(word: string, candidate: string): number {
  const distance = editDistance(word, candidate);
  if (distance <= Math.max(1, Math.floor(candidate.length / 3))) return distance;
  const contained = word.length >= 4 && (candidate.includes(word) || word.includes(candidate));
  return contained && candidate.length >= 3 ? WORD_LENGTH_MAX : Infinity;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const replaced = (last[column - 1] ?? 0) + (same ? 0 : 1);
      const inserted = (current[column - 1] ?? 0) + 1;
      const deleted = (last[column] ?? 0) + 1;
      const isSwap = row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(replaced, inserted, deleted, swapped));
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
