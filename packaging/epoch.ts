// The one time that packages know: that of the commit they are built from.
import { lutimesSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell.ts';

/** Seconds since 1970: SOURCE_DATE_EPOCH if it is set, else the time of the last commit. */
export function sourceEpoch(root: string): number {
  const given = process.env['SOURCE_DATE_EPOCH'] ?? '';
  const seconds = Number(given === '' ? lastCommit(root) : given);
  if (Number.isSafeInteger(seconds) && seconds > 0) return seconds;
  throw new Error(`SOURCE_DATE_EPOCH is "${given}", not a number of seconds`);
}

/** Gives everything below `folder`, and the folder itself, this time. */
export function stampTree(folder: string, epoch: number): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    lutimesSync(join(folder, name), epoch, epoch);
  lutimesSync(folder, epoch, epoch);
}

function lastCommit(root: string): string {
  try {
    return run(['git', '-c', 'safe.directory=*', 'log', '-1', '--format=%ct'], { cwd: root });
  } catch {
    throw new Error('this is no git checkout: set SOURCE_DATE_EPOCH to the time of the release');
  }
}
