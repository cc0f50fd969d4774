// Which versions of the C and C++ libraries the binaries of a tree need, for a package's Depends.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell.ts';

const ELF = Buffer.from('\x7fELF');

/** Debian's libstdc++6 has the version of the GCC that first had the symbols. */
const GCC_OF_GLIBCXX: readonly (readonly [symbols: string, gcc: string])[] = [
  ['3.4.21', '5'],
  ['3.4.22', '6'],
  ['3.4.24', '7'],
  ['3.4.25', '8'],
  ['3.4.26', '9'],
  ['3.4.28', '10'],
  ['3.4.29', '11'],
  ['3.4.30', '12'],
  ['3.4.32', '13.1'],
  ['3.4.33', '14'],
];

/** The Depends of a tree for its C library and C++ runtime: "libc6 (>= 2.28)" and the like. */
export function libraryDepends(tree: string): readonly string[] {
  const versions = binaries(tree).map((file) => run(['readelf', '--version-info', file]));
  const libc = newest(versions, /\bGLIBC_(\d+(?:\.\d+)+)/g);
  const glibcxx = newest(versions, /\bGLIBCXX_(\d+(?:\.\d+)+)/g);
  const gcc = GCC_OF_GLIBCXX.find(([symbols]) => compare(symbols, glibcxx) >= 0)?.[1];
  if (gcc === undefined) throw new Error(`no release of GCC is known for GLIBCXX_${glibcxx}`);
  return [`libc6 (>= ${libc})`, 'libgcc-s1', `libstdc++6 (>= ${gcc})`];
}

function binaries(tree: string): readonly string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:js|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).subarray(0, ELF.length).equals(ELF));
}

function newest(texts: readonly string[], pattern: RegExp): string {
  const found = texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
  return found.sort(compare).at(-1) ?? '0';
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
