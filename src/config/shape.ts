// Compares a mapping of the file with the known keys: reports unknown keys and misplaced mappings,
// and gives back what is left, which is safe to hand to convict.
import { rivalHint } from './rival-words.ts';
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
  return knownIn(raw, '', { keys: keyTree(fields), report, alsoKnown });
}

/** The keys of a mapping: null where a value stands, else the keys of the section. */
type KeyTree = ReadonlyMap<string, KeyTree | null>;

interface Level {
  readonly keys: KeyTree;
  readonly report: Report;
  readonly alsoKnown: readonly string[];
}

function knownIn(raw: Raw, prefix: string, { keys, report, alsoKnown }: Level): Raw {
  const known: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const path = `${prefix}${keyText(key)}`;
    const section = keys.get(key);
    if (section === null) {
      if (isLeaf(path, value, report)) known[key] = value;
    } else if (section !== undefined) {
      known[key] = knownInSection(path, value, section, report);
    } else if (!alsoKnown.includes(key)) {
      report(path, unknownKey(key, [...keys.keys(), ...alsoKnown]));
    }
  }
  return known;
}

/** A key as it may stand in a path: as it is if plain, else quoted and short. */
export function keyText(key: string): string {
  return /^[\w.-]{1,64}$/.test(key) ? key : show(key);
}

function knownInSection(path: string, value: unknown, keys: KeyTree, report: Report): Raw {
  // A section whose keys are all commented out reads as null.
  if (value === null) return {};
  if (isMapping(value)) return knownIn(value, `${path}.`, { keys, report, alsoKnown: [] });
  report(path, `${kindOf(value)} is not a mapping; its keys are ${[...keys.keys()].join(', ')}`);
  return {};
}

function isLeaf(path: string, value: unknown, report: Report): boolean {
  if (!isMapping(value)) return true;
  report(path, 'a mapping is not allowed here; give one value');
  return false;
}

function unknownKey(key: string, known: readonly string[]): string {
  const hint = rivalHint(key);
  if (hint !== undefined) return `unknown key: ${hint}`;
  const suggestion = didYouMean(key, known);
  if (suggestion !== '') return `unknown key${suggestion}`;
  return `unknown key; known are ${[...new Set(known)].join(', ')}`;
}

/** The kind only: what stands here may hold a passphrase on a line that lost its key. */
function kindOf(value: unknown): string {
  return typeof value === 'object' ? show(value) : `a ${typeof value}`;
}

function keyTree(fields: readonly AnyField[]): KeyTree {
  const tree = new Map<string, KeyTree | null>();
  const names = fields.map(({ path }) => path.split('.')[0] ?? path);
  for (const name of new Set(names)) {
    const inner = fields.filter(({ path }) => path.startsWith(`${name}.`));
    const cut = inner.map((field) => ({ ...field, path: field.path.slice(name.length + 1) }));
    tree.set(name, inner.length === 0 ? null : keyTree(cut));
  }
  return tree;
}
