// The names of what a lab leaves in the system, and how it is removed: at the end of a lab, at the
// end of the process, and by the next run when a process was killed before it could clean up.
import { readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSync } from './command.ts';

const NETNS_DIRECTORY = '/run/netns';
const OWNED_NAME = /^carpd-(\d+)-\d+-/;

/** The beginnings of the names of this process's own labs; names are not used twice. */
const ownPrefixes: string[] = [];

/** The beginning of all names of a new lab. */
export function newLabPrefix(): string {
  const prefix = `carpd-${process.pid}-${ownPrefixes.length + 1}-`;
  ownPrefixes.push(prefix);
  return prefix;
}

/** Kills every process in the namespaces and deletes them; those that are gone are no fault. */
export function removeNamespaces(names: readonly string[]): void {
  if (names.length === 0) return;
  for (const pid of processesIn(names)) killProcess(pid);
  // -force goes on after a failure: another test process may have swept the same namespace.
  const batch = names.map((name) => `netns del ${name}\n`).join('');
  runSync(['ip', '-force', '-batch', '-'], batch);
}

/**
 * Removes namespaces and temporary directories whose creating process is gone, and those that bear
 * this process's number but are of an earlier process that had it.
 */
export function sweepStale(): void {
  removeNamespaces(entries(NETNS_DIRECTORY).filter(isStale));
  for (const name of entries(tmpdir()).filter(isStale)) {
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isStale(name: string): boolean {
  const pid = Number(OWNED_NAME.exec(name)?.[1]);
  if (!Number.isInteger(pid)) return false;
  if (pid === process.pid) return !ownPrefixes.some((prefix) => name.startsWith(prefix));
  return !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // Root may signal everybody, so the only fault left is that there is no such process.
    return false;
  }
}

/** The processes whose network namespace is one of those named. */
function processesIn(names: readonly string[]): number[] {
  const inodes = new Set(names.map(inodeOf));
  inodes.delete(undefined);
  return entries('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && inodes.has(namespaceOf(pid)));
}

function inodeOf(name: string): string | undefined {
  const found = statSync(join(NETNS_DIRECTORY, name), { throwIfNoEntry: false });
  return found === undefined ? undefined : `net:[${found.ino}]`;
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // /run/netns does not exist before the first namespace of the machine.
    return [];
  }
}
