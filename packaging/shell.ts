// Commands that the packaging runs, to their end: what they print is returned, a failure is told.
import { spawnSync } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs `argv` and yields its standard output; throws with what it said where it fails. */
export function run(argv: readonly string[], { cwd, env = {} }: RunOptions = {}): string {
  const [file = '', ...rest] = argv;
  const child = spawnSync(file, rest, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.error !== undefined) throw new Error(`cannot run ${file}: ${child.error.message}`);
  if (child.status !== 0) {
    const said = `${child.stdout}${child.stderr}`.trim().split('\n').slice(-20).join('\n');
    throw new Error(`${argv.join(' ')} failed:\n${said}`);
  }
  return child.stdout;
}

/** Throws, with the packages to install, unless every tool is in the PATH. */
export function requireTools(packageOf: Readonly<Record<string, string>>): void {
  const found = (tool: string): boolean =>
    spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool], { stdio: 'ignore' }).status === 0;
  const missing = Object.keys(packageOf).filter((tool) => !found(tool));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => packageOf[tool] ?? tool))].sort();
  const install = `apt-get install ${packages.join(' ')}`;
  throw new Error(`missing: ${missing.join(', ')}; on Debian and Ubuntu: ${install}`);
}
