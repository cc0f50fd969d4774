// Checks on our own code. A failure here is a bug of carpd: the process releases what it holds and
// ends.

/** Thrown when carpd itself is wrong; never for input, and never for what the system refuses. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws InvariantError unless `condition` holds; `fact` says what must be true, as a sentence. */
export function invariant(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new InvariantError(fact);
}

/**
 * Marks the end of an exhaustive switch: the compiler refuses a union member that was forgotten.
 */
export function unreachable(value: never): never {
  const printable = (_key: string, part: unknown): unknown =>
    typeof part === 'bigint' ? part.toString() : part;
  throw new InvariantError(`unexpected variant: ${JSON.stringify(value, printable)}`);
}
