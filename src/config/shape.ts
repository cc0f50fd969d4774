// Compares a mapping of the file with the known keys: reports unknown keys and misplaced mappings,
// and gives back what is left, which is safe to hand to convict.
import { didYouMean } from './suggest.ts';
import { isMapping, type AnyField, type Raw, type Report } from './schema.ts';
import { show } from './values.ts';

/**
 * The known keys of `raw` with their values. `alsoKnown` are keys that the caller handles itself;
 * they are left out of the result.
 */
export function knownKeys(
  raw: Raw,
  fields: readonly AnyField[],
  report: Report,
  alsoKnown: readonly string[] = [],
): Raw {
  const known: Record<string, unknown> = {};
  const sections = sectionsOf(fields);
  for (const [key, value] of Object.entries(raw)) {
    const section = sections.get(key);
    if (section !== undefined) {
      known[key] = knownInSection(key, value, section, report);
    } else if (fields.some((field) => field.path === key)) {
      if (isLeaf(key, value, report)) known[key] = value;
    } else if (!alsoKnown.includes(key)) {
      const names = [...fields.map(({ path }) => topKey(path)), ...alsoKnown];
      report(keyText(key), unknownKey(key, names));
    }
  }
  return known;
}

/** A key as it may stand in a path: as it is if plain, else quoted and short. */
export function keyText(key: string): string {
  return /^[\w.-]{1,64}$/.test(key) ? key : show(key);
}

function knownInSection(
  name: string,
  value: unknown,
  keys: readonly string[],
  report: Report,
): Raw {
  const known: Record<string, unknown> = {};
  // A section whose keys are all commented out reads as null.
  if (value === null) return known;
  if (!isMapping(value)) {
    report(name, `${kindOf(value)} is not a mapping; its keys are ${keys.join(', ')}`);
    return known;
  }
  for (const [key, inner] of Object.entries(value)) {
    const path = `${name}.${keyText(key)}`;
    if (!keys.includes(key)) report(path, unknownKey(key, keys));
    else if (isLeaf(path, inner, report)) known[key] = inner;
  }
  return known;
}

function isLeaf(path: string, value: unknown, report: Report): boolean {
  if (!isMapping(value)) return true;
  report(path, 'a mapping is not allowed here; give one value');
  return false;
}

function unknownKey(key: string, known: readonly string[]): string {
  const suggestion = didYouMean(key, known);
  if (suggestion !== '') return `unknown key${suggestion}`;
  return `unknown key; known are ${[...new Set(known)].join(', ')}`;
}

/** The kind only: what stands here may hold a passphrase on a line that lost its key. */
function kindOf(value: unknown): string {
  return typeof value === 'object' ? show(value) : `a ${typeof value}`;
}

function topKey(path: string): string {
  return path.split('.')[0] ?? path;
}

function sectionsOf(fields: readonly AnyField[]): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  for (const { path } of fields) {
    const [name = '', inner] = path.split('.');
    if (inner !== undefined) sections.set(name, [...(sections.get(name) ?? []), inner]);
  }
  return sections;
}
