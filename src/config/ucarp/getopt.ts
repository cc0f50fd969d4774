// Splits an argument list the way GNU getopt_long does, which is what ucarp uses: bundled short
// options, values joined or apart, long options by unambiguous prefix, words among the options.
// Pure.

/** One option under all its names. */
export interface OptionSpec<Key extends string> {
  readonly key: Key;
  /** Names with two dashes, without them. */
  readonly long: readonly string[];
  /** Single letters. */
  readonly short: string;
  readonly takesValue: boolean;
  /**
   * False: the long names must be written out. Options added to an existing program are such, so
   * that abbreviations which used to work stay unambiguous.
   */
  readonly abbreviable: boolean;
}

/** What an argument list consists of, in order. */
export type GetoptItem<Key extends string> =
  | { readonly kind: 'option'; readonly key: Key; readonly as: string; readonly value: string }
  | { readonly kind: 'word'; readonly text: string }
  | GetoptFault;

/** A misuse; `as` is the option as typed, without its value. */
export interface GetoptFault {
  readonly kind: 'fault';
  readonly reason: 'unknown' | 'ambiguous' | 'missing-value' | 'unwanted-value';
  readonly as: string;
}

/**
 * All items of `argv` (without the program's name). `value` is '' for options that take none.
 * Total: every list is split, and parsing goes on after a fault, as getopt does.
 */
export function getopt<Key extends string>(
  argv: readonly string[],
  specs: readonly OptionSpec<Key>[],
): readonly GetoptItem<Key>[] {
  const items: GetoptItem<Key>[] = [];
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    index += 1;
    if (word === '--') {
      argv.slice(index).forEach((text) => items.push({ kind: 'word', text }));
      return items;
    }
    const next = argv[index];
    if (word.startsWith('--')) {
      const { item, usedNext } = longOption(word, next, specs);
      items.push(item);
      index += usedNext ? 1 : 0;
    } else if (word.startsWith('-') && word !== '-') {
      index += shortOptions(word, next, specs, items) ? 1 : 0;
    } else {
      items.push({ kind: 'word', text: word });
    }
  }
  return items;
}

interface LongRead<Key extends string> {
  readonly item: GetoptItem<Key>;
  readonly usedNext: boolean;
}

function longOption<Key extends string>(
  word: string,
  next: string | undefined,
  specs: readonly OptionSpec<Key>[],
): LongRead<Key> {
  const equals = word.indexOf('=');
  const as = equals === -1 ? word : word.slice(0, equals);
  const joined = equals === -1 ? undefined : word.slice(equals + 1);
  const fault = (reason: GetoptFault['reason']): LongRead<Key> => ({
    item: { kind: 'fault', reason, as },
    usedNext: false,
  });
  const found = findLong(as.slice(2), specs);
  if (found === 'unknown' || found === 'ambiguous') return fault(found);
  const option = { kind: 'option', key: found.key, as } as const;
  if (!found.takesValue) {
    return joined === undefined
      ? { item: { ...option, value: '' }, usedNext: false }
      : fault('unwanted-value');
  }
  if (joined !== undefined) return { item: { ...option, value: joined }, usedNext: false };
  if (next === undefined) return fault('missing-value');
  return { item: { ...option, value: next }, usedNext: true };
}

/** An exact name wins; else the one option that has a name with this beginning. */
function findLong<Key extends string>(
  name: string,
  specs: readonly OptionSpec<Key>[],
): OptionSpec<Key> | 'unknown' | 'ambiguous' {
  const exact = specs.find(({ long }) => long.includes(name));
  if (exact !== undefined) return exact;
  const begun = specs.filter(
    ({ long, abbreviable }) => abbreviable && long.some((known) => known.startsWith(name)),
  );
  const first = begun[0];
  if (first === undefined) return 'unknown';
  return begun.length === 1 ? first : 'ambiguous';
}

/** Reads a word of short options into `items`; returns whether the next word was a value. */
function shortOptions<Key extends string>(
  word: string,
  next: string | undefined,
  specs: readonly OptionSpec<Key>[],
  items: GetoptItem<Key>[],
): boolean {
  const letters = Array.from(word).slice(1);
  for (const [position, letter] of letters.entries()) {
    const as = `-${letter}`;
    const spec = specs.find(({ short }) => short.includes(letter));
    if (spec === undefined) {
      items.push({ kind: 'fault', reason: 'unknown', as });
    } else if (!spec.takesValue) {
      items.push({ kind: 'option', key: spec.key, as, value: '' });
    } else {
      const joined = letters.slice(position + 1).join('');
      const value = joined === '' ? next : joined;
      if (value === undefined) items.push({ kind: 'fault', reason: 'missing-value', as });
      else items.push({ kind: 'option', key: spec.key, as, value });
      return joined === '' && value !== undefined;
    }
  }
  return false;
}
