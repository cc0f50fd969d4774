// Reads a file together with its permission bits, through one descriptor, so that both belong to
// the same file.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { FileRefusal, type FileContent, type ReadFile } from './passphrase.ts';
import { fileBehind } from './service-environment.ts';

/**
 * Reads a whole file, at the start of a command: also a pipe or a terminal, such as /dev/stdin or
 * the /dev/fd/63 of a shell's <(command), for which it waits until its end. Throws the system's
 * error, or a FileRefusal for anything else and for what is larger than `bytesMax`.
 */
export const readFileWithMode: ReadFile = (path, bytesMax) =>
  readChecked(path, bytesMax, { flags: 0, whyNot: notReadable, wait: (read) => read() });

/** The same, where `wait` runs what may wait for somebody at the other end. */
export function readFileWaiting(wait: Manner['wait']): ReadFile {
  return (path, bytesMax) => readChecked(path, bytesMax, { flags: 0, whyNot: notReadable, wait });
}

/**
 * Reads a whole file while the daemon runs, which must not stand still: a regular file only. What
 * has become a pipe or a device since the start is refused without being opened, or at worst
 * without being waited for.
 */
export const readRegularFile: ReadFile = (path, bytesMax) =>
  readChecked(path, bytesMax, {
    flags: constants.O_NONBLOCK,
    whyNot: notRegular,
    wait: (read) => read(),
  });

/** Reads the configuration as at the start, and no passphrase file: all hold the same word. */
export function withoutPassphrases(configPath: string): ReadFile {
  return (path, bytesMax) =>
    path === configPath
      ? readFileWithMode(path, bytesMax)
      : { bytes: new TextEncoder().encode('not-read'), mode: 0o600 };
}

/**
 * Node 20 keeps the last other result where its realpath reads it: after a look at a pipe that
 * takes the next directory for one, and modules behind symlinks are not found.
 */
const AS_BIGINT = { bigint: true } as const;

interface Manner {
  /** Beside those for reading. */
  readonly flags: number;
  /** Why such a file is not read; undefined: it is. */
  readonly whyNot: (stats: BigIntStats) => string | undefined;
  /** Reads what is no regular file. */
  readonly wait: <Value>(read: () => Value) => Value;
}

function readChecked(wanted: string, bytesMax: number, manner: Manner): FileContent {
  const path = fileBehind(wanted, process.env);
  // Asked before it is opened, since opening may wait, or set off what a device does when it is
  // opened; and once more of what was opened, since another file may have taken the name.
  const stats = statSync(path, AS_BIGINT);
  check(stats, manner.whyNot);
  const read = (): FileContent => readOpened(path, bytesMax, manner);
  return stats.isFile() ? read() : manner.wait(read);
}

function readOpened(path: string, bytesMax: number, { flags, whyNot }: Manner): FileContent {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOCTTY | flags);
  try {
    const stats = fstatSync(descriptor, AS_BIGINT);
    check(stats, whyNot);
    if (stats.isFile() && stats.size > BigInt(bytesMax)) throw tooLarge(bytesMax, stats.size);
    return { bytes: readAtMost(descriptor, bytesMax), mode: Number(stats.mode) };
  } finally {
    closeSync(descriptor);
  }
}

function check(stats: BigIntStats, whyNot: Manner['whyNot']): void {
  const reason = whyNot(stats);
  if (reason !== undefined) throw new FileRefusal(reason);
}

function notReadable(stats: BigIntStats): string | undefined {
  if (stats.isFile() || stats.isFIFO() || stats.isCharacterDevice()) return undefined;
  return `it is ${kindOf(stats)}; give a regular file`;
}

function notRegular(stats: BigIntStats): string | undefined {
  if (stats.isFile()) return undefined;
  return (
    `it is ${kindOf(stats)}, which can be read at the start at most; ` +
    'a reload needs a regular file'
  );
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function readAtMost(descriptor: number, bytesMax: number): Uint8Array {
  // Room for one byte more tells a file that just fits from one that is too large.
  const buffer = new Uint8Array(bytesMax + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.slice(0, length);
    length += count;
  }
  throw tooLarge(bytesMax);
}

function tooLarge(bytesMax: number, size?: bigint): FileRefusal {
  const known = size === undefined ? '' : ` (it has ${String(size)})`;
  return new FileRefusal(`it is larger than ${String(bytesMax)} bytes${known}; check its path`);
}
