// Kernels of User Mode Linux, for the boot test.
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, statfsSync } from 'node:fs';
import { constants as osConstants, tmpdir } from 'node:os';
import { join } from 'node:path';

const MODULES_ROOT = '/usr/lib/uml/modules';

/** What is missing for booting guests here, as sentences with a remedy; empty when nothing is. */
export function umlMissing(): readonly string[] {
  const faults: string[] = [];
  if (findProgram('linux.uml') === undefined) {
    faults.push('linux.uml is not installed: apt-get install user-mode-linux');
  }
  if (findProgram('modprobe') === undefined) {
    faults.push('modprobe is not installed: apt-get install kmod');
  }
  if (!existsSync(MODULES_ROOT) || readdirSync(MODULES_ROOT).length === 0) {
    faults.push(`${MODULES_ROOT} has no modules: apt-get install user-mode-linux`);
  }
  return faults;
}

/** What a kernel of User Mode Linux is started with. */
export interface Kernel {
  /** Its command line, without memory and names. */
  readonly words: readonly string[];
  readonly memoryMiB: number;
  /** A directory of its own for what it keeps on the host. */
  readonly stateDirectory: string;
}

/** Starts linux.uml with a pipe for each of its three streams, to be ended by `killKernel`. */
export function startKernel({
  words,
  memoryMiB,
  stateDirectory,
}: Kernel): ChildProcessWithoutNullStreams {
  const umid = `carpd-${randomBytes(8).toString('hex')}`;
  const own = [`mem=${String(memoryMiB)}M`, `umid=${umid}`, `uml_dir=${stateDirectory}/`];
  return spawn('linux.uml', [...own, ...words], {
    // A process group of its own: every process of the guest is a process here, and all must go.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: searchPath(), HOME: stateDirectory, TMPDIR: memoryDirectory(memoryMiB) },
  });
}

/** Kills a kernel with all that runs on it, at once. */
export function killKernel(machine: ChildProcess): void {
  if (machine.pid === undefined) return;
  try {
    process.kill(-machine.pid, osConstants.signals.SIGKILL);
  } catch {
    // The group is gone already, which is what is wanted.
  }
}

/**
 * The guest's memory is a sparse file: it must lie where all of it can be had (containers limit
 * /dev/shm).
 */
function memoryDirectory(memoryMiB: number): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize >= memoryMiB * 1_048_576) return '/dev/shm';
  } catch {
    // No /dev/shm: a plain directory does, more slowly.
  }
  return tmpdir();
}

function findProgram(name: string): string | undefined {
  return searchPath()
    .split(':')
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function searchPath(): string {
  return `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
}
