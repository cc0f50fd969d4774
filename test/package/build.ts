// Packages built for tests, for this machine's processor, by the command that builds releases.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Child } from '../../lab/child.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILD_MS = 300_000;
const DEB_ARCH = process.arch === 'x64' ? 'amd64' : process.arch;

/** Builds to the folder `out`, packed quickly; throws with what was said if that fails. */
export async function buildPackages(out: string, options: readonly string[]): Promise<void> {
  const script = ['--import=tsx', 'packaging/build.ts', '--quick', `--out=${out}`];
  // Without --arch it is for this host, and no cross compiler is needed.
  const argv = [process.execPath, ...script, ...options];
  const child = new Child(argv, { cwd: ROOT, label: 'packaging/build.ts' });
  const { code } = await child.ended(BUILD_MS);
  if (code !== 0) throw new Error(child.tail());
}

/** The file name of a package that was built. */
export function debName(name: string, version = ownVersion()): string {
  return `${name}_${version}_${name === 'carpd-ucarp' ? 'all' : DEB_ARCH}.deb`;
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? '';
}
