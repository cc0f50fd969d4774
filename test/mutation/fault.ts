// A deliberate fault: what is put in the place of some lines of src, and what has to find it.

/** One change of one file: `find` stands there exactly once. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Fault {
  /** In kebab case; unique. */
  readonly name: string;
  /** What the daemon does wrong with it. */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** A world of the swarm in which it shows; those of CI begin at 1. Undefined: in none of them. */
  readonly seed?: number;
  /** Files of tests that find it, the cheapest first. */
  readonly tests?: readonly string[];
}

/** A fault without its name, which is its key in a list. */
export type FaultRecord = Omit<Fault, 'name'>;

/** The source with the edit in it; throws where the source is not as the edit expects it. */
export function applyEdit(source: string, { file, find, replace }: Edit): string {
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined) throw new Error(`${file} lacks:\n${find}`);
  if (more.length > 0) throw new Error(`${file} has this more than once:\n${find}`);
  if (find === replace) throw new Error(`${file}: the edit changes nothing`);
  return before + replace + after;
}

/** Faults with their names, in the order of the list. */
export function named(records: Readonly<Record<string, FaultRecord>>): readonly Fault[] {
  return Object.entries(records).map(([name, record]) => ({ name, ...record }));
}
