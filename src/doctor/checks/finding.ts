// What the doctor says: one finding for each thing it looked at, graded, with a stable code and, if
// something is to be done, with the remedy. Pure.

/**
 * How serious a finding is. failure: the group can not work like that; warning: it works until
 * something happens; note: worth knowing; good: looked at, nothing to do.
 */
export type Grade = 'failure' | 'warning' | 'note' | 'good';

/** Grades, the worst first. */
export const GRADES: readonly Grade[] = ['failure', 'warning', 'note', 'good'];

/** What a code means, as the documentation lists it. */
export interface FindingKind {
  readonly grade: Grade;
  /** What was found, in general. */
  readonly meaning: string;
}

/** One thing that was looked at. */
export interface Finding<Code extends string = string> {
  /** Stable, kebab-case; scripts may rely on it. */
  readonly code: Code;
  readonly grade: Grade;
  /** Whom it concerns: `host`, an interface, or an instance. */
  readonly about: string;
  /** What was found here, in one sentence. */
  readonly text: string;
  /** What to do about it, as a command or an edit; undefined: nothing. */
  readonly remedy: string | undefined;
}

/** Makes findings of one catalogue: the grade of a code is said once, in the catalogue. */
export function finder<Code extends string>(
  catalogue: Readonly<Record<Code, FindingKind>>,
): (code: Code, about: string, text: string, remedy?: string) => Finding<Code> {
  return (code, about, text, remedy) => {
    return { code, grade: catalogue[code].grade, about, text, remedy };
  };
}
