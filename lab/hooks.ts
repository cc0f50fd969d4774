// The up and down scripts of a peer: each run leaves a line in the peer's own event file and moves
// the virtual IP, as an administrator's scripts for ucarp do.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromWallMs } from './clock.ts';

/** The scripts of one peer and where they write. */
export interface Hooks {
  /** The peer's own temporary directory. */
  readonly directory: string;
  readonly up: string;
  readonly down: string;
  readonly eventFile: string;
}

/** One run of a hook. */
export interface HookEvent {
  /** When the script began, on the lab's time line. */
  readonly atMs: number;
  readonly hook: 'up' | 'down';
  /** What the daemon passed: interface, address and, if set, xparam. */
  readonly args: readonly string[];
}

/** Writes the scripts into a new directory below `parent`. */
export function makeHooks(parent: string, moveAddress: boolean): Hooks {
  const directory = mkdtempSync(join(parent, 'peer-'));
  const eventFile = join(directory, 'hooks.log');
  writeFileSync(eventFile, '');
  const script = (hook: HookEvent['hook'], command: string): string => {
    const path = join(directory, hook);
    const address = moveAddress ? `ip addr ${command} "$2/32" dev "$1"\n` : '';
    writeFileSync(path, `#!/bin/sh\n${logLine(hook, eventFile)}\n${address}exit 0\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const up = script('up', 'replace');
  // At start there is nothing to remove yet, which is no fault.
  const down = script('down', '2>/dev/null del');
  return { directory, up, down, eventFile };
}

/** The events of an event file; a line that is still being written is left out. */
export function readHookLog(text: string): readonly HookEvent[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [time, hook, ...args] = line.split('\t');
      const atMs = fromWallMs(Number(time) * 1000);
      return { atMs, hook: hook === 'up' ? 'up' : 'down', args };
    });
}

function logLine(hook: string, eventFile: string): string {
  const words = `for word; do printf '\\t%s' "$word"; done`;
  return `{ printf '%s\\t${hook}' "$(date +%s.%N)"; ${words}; echo; } >>'${eventFile}'`;
}
