// Fills a folder with carpd, its Node included, as the self-contained packages have it.
//
//   node --import tsx packaging/tree.ts DIR
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownVersion } from './dependencies.ts';
import { makeRuntimeTree } from './runtime-tree.ts';

const [folder] = process.argv.slice(2);
const { arch } = process;
if (folder === undefined || (arch !== 'x64' && arch !== 'arm64')) {
  console.error('usage: tree.ts DIR, on x64 or arm64');
  process.exitCode = 2;
} else {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const target = resolve(folder);
  mkdirSync(target, { recursive: true });
  makeRuntimeTree({ root, arch, node: 'bundled', version: ownVersion(root), target });
}
