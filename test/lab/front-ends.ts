// The processes of carpd's `ucarp` front end in a host's namespace, also those that have gone into
// the background.
import { readFileSync } from 'node:fs';
import type { Host } from './host.ts';

/** Their process ids; a parent that still waits for its daemon is one of them. */
export async function frontEndsIn(host: Host): Promise<readonly number[]> {
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
