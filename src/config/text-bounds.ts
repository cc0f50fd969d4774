// What a text may hold, told from its tokens before anything is built from it: a parser takes
// memory for each level, and a megabyte of brackets would take a gigabyte.
import { Lexer } from 'yaml';

/** Levels of nesting; the configuration itself needs five. */
export const DEPTH_MAX = 32;
/** Aliases ("*name") may multiply a small file into gigabytes; configurations need few. */
export const ALIAS_COUNT_MAX = 100;
/** Keys, values and signs: 200 for each of 1000 instances. */
const PART_COUNT_MAX = 200_000;

/** Marks of the lexer, which stand for no character: document start, end of flow, scalar. */
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);
const SCALAR_MARK = '\u001f';

/** Which bound the text exceeds; undefined: none. Linear, and stops where it is sure. */
export function boundExceeded(text: string): string | undefined {
  const depth = new Depth();
  let aliases = 0;
  let parts = 0;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (MARKS.has(token)) {
      isScalar = token === SCALAR_MARK;
      continue;
    }
    // The text of a scalar may look like any sign.
    if (!isScalar && token.startsWith('*')) aliases += 1;
    depth.take(token, isScalar);
    isScalar = false;
    if (depth.levels() > DEPTH_MAX) {
      const levels = String(DEPTH_MAX);
      return `nests deeper than ${levels} levels; carpd needs five, look for a bracket too many`;
    }
    if (token.trim() !== '') parts += 1;
    if (parts > PART_COUNT_MAX) {
      return `has more than ${String(PART_COUNT_MAX)} keys, values and signs; check its path`;
    }
    if (aliases > ALIAS_COUNT_MAX) {
      return `has more than ${String(ALIAS_COUNT_MAX)} aliases ("*name"); write the values out`;
    }
  }
  return undefined;
}

/** Counts levels: of brackets, and of indentation outside of brackets. */
class Depth {
  readonly #indents: number[] = [];
  #brackets = 0;
  #column = 0;
  /** Nothing but signs that open a level stands before this place on its line. */
  #isStart = true;

  levels(): number {
    return this.#brackets + this.#indents.length;
  }

  take(token: string, isScalar: boolean): void {
    if (!isScalar && isBlank(token)) return this.#advance(token);
    if (!isScalar && token.startsWith('#')) return this.#advance(token);
    const sign = isScalar ? '' : token;
    if (sign === '[' || sign === '{') this.#brackets += 1;
    else if (sign === ']' || sign === '}') this.#brackets = Math.max(0, this.#brackets - 1);
    // Each of "- - -" begins a level, as a deeper line does.
    const opens = sign === '-' || sign === '?' || (sign === ':' && this.#isStart);
    if (this.#brackets === 0 && (this.#isStart || opens)) this.#indent();
    this.#isStart = opens;
    this.#advance(token);
  }

  #indent(): void {
    while ((this.#indents.at(-1) ?? -1) >= this.#column) this.#indents.pop();
    this.#indents.push(this.#column);
  }

  #advance(token: string): void {
    const end = token.lastIndexOf('\n');
    if (end < 0) {
      this.#column += token.length;
      return;
    }
    this.#column = token.length - end - 1;
    this.#isStart = end === token.length - 1;
  }
}

/** Spaces, or the end of a line. */
function isBlank(token: string): boolean {
  return token.trim() === '';
}
