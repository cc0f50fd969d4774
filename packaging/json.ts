// Reading JSON whose shape is not known: each step says what it found missing.
import { readFileSync } from 'node:fs';

export type Members = Readonly<Record<string, unknown>>;

/** The members of the object in a JSON file. */
export function readJson(path: string): Members {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  return members(value, path);
}

/** The members of a value that has to be an object; `what` names it in the error. */
export function members(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null) throw new Error(`${what} is not an object`);
  return Object.fromEntries(Object.entries(value));
}

/** A value that has to be text; `what` names it in the error. */
export function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} is not text`);
  return value;
}
