// The processes of carpd's `ucarp` front end in a host's namespace, also those that have gone into
// the background.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from './host.ts';

/** A child has run its own program by then, also on a machine that is busy. */
const BETWEEN_LOOKS_MS = 200;

/**
 * Their process ids; a parent that still waits for its daemon is one of them. A child of theirs
 * bears their command line until it runs its own program, so that only who is there twice counts.
 */
export async function frontEndsIn(host: Host): Promise<readonly number[]> {
  const first = new Set(await lookOnce(host));
  if (first.size === 0) return [];
  await sleep(BETWEEN_LOOKS_MS);
  return (await lookOnce(host)).filter((pid) => first.has(pid));
}

async function lookOnce(host: Host): Promise<readonly number[]> {
  const pids = (await host.exec(['ip', 'netns', 'pids', host.netns])).split('\n').map(Number);
  return pids.filter((pid) => pid > 0 && /^ucarp[ \0]|ucarp\.js/.test(commandOf(pid)));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
