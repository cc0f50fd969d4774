// The values, named sets and verdicts in what `nft -j list ruleset` prints. Pure.
import type { Verdict } from './ruleset.ts';

/** An object of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The targets of iptables that end the way of a packet. */
const DROPPING_TARGETS: readonly unknown[] = ['DROP', 'REJECT'];

/**
 * What an expression decides; undefined: it decides nothing. `key` makes the key of a chain of its
 * name. Who queues a packet, or hands it to a program, may drop it, but mostly does not.
 */
export function readVerdict(
  expression: unknown,
  key: (chain: string) => string,
): Verdict | undefined {
  if (!isFields(expression)) return undefined;
  const [name = ''] = Object.keys(expression);
  const value = expression[name];
  switch (name) {
    case 'accept':
    case 'return':
    case 'drop':
      return { kind: name };
    case 'reject':
      return { kind: 'drop' };
    case 'jump':
    case 'goto':
      return { kind: name, chain: key(isFields(value) ? String(value['target']) : '') };
    case 'xt': {
      if (!isFields(value) || value['type'] !== 'target') return undefined;
      return DROPPING_TARGETS.includes(value['name']) ? { kind: 'drop' } : undefined;
    }
    default:
      return undefined;
  }
}

/** The sets and maps with a name, to which rules refer by "@name". */
export class NamedSets {
  readonly #elements = new Map<string, readonly unknown[]>();

  /** Of a whole ruleset. A set without elements is listed without the key. */
  constructor(list: readonly Fields[]) {
    for (const object of list) {
      const set = object['set'] ?? object['map'];
      if (!isFields(set)) continue;
      const { family, table, name, elem = [] } = set;
      const key = `${String(family)} ${String(table)} ${String(name)}`;
      if (Array.isArray(elem)) this.#elements.set(key, elem);
    }
  }

  /**
   * The one value of an expression, or those of its set; undefined: something else, as a range.
   * `place` is "family table".
   */
  values(right: unknown, place: string): readonly string[] | undefined {
    if (typeof right === 'number') return [String(right)];
    if (typeof right === 'string') {
      if (!right.startsWith('@')) return [right];
      const elements = this.#elements.get(`${place} ${right.slice(1)}`);
      return elements === undefined ? undefined : this.values(elements, place);
    }
    if (Array.isArray(right)) {
      const all = right.map((one) => this.values(one, place));
      const known = all.filter((values) => values !== undefined);
      return known.length === all.length ? known.flat() : undefined;
    }
    if (!isFields(right)) return undefined;
    const { prefix, set, elem } = right;
    if (isFields(prefix)) return [`${String(prefix['addr'])}/${String(prefix['len'])}`];
    // An element with a time-out or a comment.
    if (isFields(elem)) return this.values(elem['val'], place);
    return Array.isArray(set) ? this.values(set, place) : undefined;
  }

  /** The keys and verdicts of a map, in place or by its name; undefined: not at hand. */
  pairs(data: unknown, place: string): readonly (readonly [unknown, unknown])[] | undefined {
    const elements =
      typeof data === 'string'
        ? this.#elements.get(`${place} ${data.replace(/^@/, '')}`)
        : isFields(data)
          ? data['set']
          : undefined;
    if (!Array.isArray(elements)) return undefined;
    return elements.flatMap((pair: unknown) => (Array.isArray(pair) ? [[pair[0], pair[1]]] : []));
  }
}
