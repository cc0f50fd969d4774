// A copy of the checkout as plain JavaScript: in the guest a TypeScript loader costs six seconds a
// process.
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const TRANSPILED = ['src', 'lab', 'test', 'demo'];
const LEFT_OUT = new Set(['.git', ...TRANSPILED]);

/**
 * Fills `target` so that it looks like `checkout`, with the .ts files of the folders above as .js
 * beside links to everything else. Types are not checked. Relative imports keep working, for
 * node_modules, dist and the addon too.
 */
export async function buildGuestTree(checkout: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const entry of await readdir(checkout)) {
    if (!LEFT_OUT.has(entry)) await symlink(join(checkout, entry), join(target, entry));
  }
  for (const directory of TRANSPILED) await copyTree(checkout, target, directory);
}

/** The path inside the guest tree of a file of the checkout. */
export function guestPath(checkout: string, target: string, file: string): string {
  return join(target, relative(checkout, file).replace(/\.ts$/, '.js'));
}

async function copyTree(checkout: string, target: string, directory: string): Promise<void> {
  await mkdir(join(target, directory), { recursive: true });
  for (const entry of await readdir(join(checkout, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      await copyTree(checkout, target, path);
    } else if (path.endsWith('.ts') && !path.endsWith('.d.ts')) {
      await transpile(join(checkout, path), guestPath(checkout, target, join(checkout, path)));
    } else {
      await symlink(join(checkout, path), join(target, path));
    }
  }
}

async function transpile(from: string, to: string): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(from, 'utf8'), {
    fileName: from,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      rewriteRelativeImportExtensions: true,
      inlineSourceMap: true,
    },
  });
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, outputText);
}
