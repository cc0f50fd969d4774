// The commands of carpd that talk to a running daemon, run on a lab host to their end.
import { fileURLToPath } from 'node:url';
import { controlSocket } from './carpd-peer.ts';
import type { Host } from './host.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Longer than any command but those that wait for a takeover. */
const WITHIN_MS = 15_000;

/** How a command ended and what it wrote. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The words of carpd, for a command line of its own. */
export function carpdArgv(...words: readonly string[]): readonly string[] {
  return [process.execPath, MAIN, ...words];
}

/** Runs a command of carpd on the host to its end. */
export async function runCarpd(
  host: Host,
  words: readonly string[],
  withinMs = WITHIN_MS,
): Promise<Ran> {
  const child = host.spawn(carpdArgv(...words), { label: `carpd ${words[0] ?? ''}` });
  const { code } = await child.ended(withinMs);
  const text = (wanted: 'stdout' | 'stderr'): string =>
    child.lines.flatMap((line) => (line.stream === wanted ? `${line.text}\n` : [])).join('');
  return { code, stdout: text('stdout'), stderr: text('stderr') };
}

/** The same, asking the daemon of the host. */
export function askCarpd(host: Host, words: readonly string[], withinMs = WITHIN_MS): Promise<Ran> {
  return runCarpd(host, [...words, '--socket', controlSocket(host)], withinMs);
}
