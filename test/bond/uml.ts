// Boots User Mode Linux on the host's root file system, runs one command in it, brings out its exit
// code.
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { constants as osConstants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What one guest is asked to do. */
export interface UmlJob {
  /**
   * Program and arguments, run in `checkout`; the root file system is read-only, /tmp and /run are
   * not.
   */
  readonly command: readonly string[];
  /** Directory of the project; the guest sees it at the same path. */
  readonly checkout: string;
  /** Added to the guest's small environment (PATH, HOME, TMPDIR, CARPD_BOND_LAB=uml). */
  readonly environment?: Readonly<Record<string, string>>;
  /** Memory of the guest in MiB; it is taken from the host only when touched. */
  readonly memoryMiB?: number;
  /** Limit in milliseconds for boot and command together; the machine is killed at it. */
  readonly timeoutMs: number;
  /** The command's output, stdout and stderr together, as it comes. */
  readonly onOutput?: (text: string) => void;
  /**
   * Directories of the host to be seen at their own paths, read-only, though below /tmp or /run.
   */
  readonly visible?: readonly string[];
  /**
   * A directory of the host that the command may write to, at the same path; made when left out.
   */
  readonly jobDirectory?: string;
}

/**
 * How a guest ended: by itself, by the limit, or in a way that gave no exit code (with its
 * console).
 */
export type UmlOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly bootMs: number }
  | { readonly kind: 'timed-out'; readonly console: string }
  | { readonly kind: 'died'; readonly console: string };

/** The guest's kernel modules that the lab uses. */
export const GUEST_MODULES = [
  'bonding',
  'veth',
  'bridge',
  '8021q',
  'macvlan',
  'team',
  'team_mode_activebackup',
  'dummy',
  'tun',
  'sch_netem',
  'sch_ingress',
  'cls_flower',
  'cls_matchall',
  'act_gact',
] as const;

const MODULES_ROOT = '/usr/lib/uml/modules';
const CONSOLE_KEPT = 8_192;

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

/**
 * Boots a guest, runs the job, and resolves when the machine is gone; rejects only if linux.uml
 * can't be started. Several guests may run side by side.
 */
export async function runInUml(job: UmlJob): Promise<UmlOutcome> {
  const token = randomBytes(8).toString('hex');
  const directory = job.jobDirectory ?? mkdtempSync(join(tmpdir(), 'carpd-uml-'));
  const stateDirectory = join(directory, `uml-${token}`);
  const cleanUp = (): void => {
    const own = job.jobDirectory === undefined;
    rmSync(own ? directory : stateDirectory, { recursive: true, force: true });
  };
  process.once('exit', cleanUp);
  try {
    mkdirSync(stateDirectory);
    writeFileSync(join(directory, 'job.sh'), jobScript(job));
    return await boot(job, directory, stateDirectory, token);
  } finally {
    process.removeListener('exit', cleanUp);
    cleanUp();
  }
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

function boot(
  job: UmlJob,
  directory: string,
  stateDirectory: string,
  token: string,
): Promise<UmlOutcome> {
  const memoryMiB = job.memoryMiB ?? 768;
  const words = kernelArguments(job, directory, token);
  const machine = startKernel({ words, memoryMiB, stateDirectory });
  machine.stdin.end();
  const reader = new ConsoleReader(token, job.onOutput ?? (() => undefined));
  machine.stdout.setEncoding('utf8').on('data', (text: string) => reader.push(text));
  machine.stderr.setEncoding('utf8').on('data', (text: string) => reader.push(text));
  return settle(machine, reader, job.timeoutMs);
}

function settle(machine: ChildProcess, reader: ConsoleReader, timeoutMs: number) {
  return new Promise<UmlOutcome>((resolve, reject) => {
    let timedOut = false;
    const kill = (): void => killKernel(machine);
    const limit = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    // Before the clean-up that was registered earlier: the machine still writes.
    process.prependOnceListener('exit', kill);
    const done = (): void => {
      clearTimeout(limit);
      process.removeListener('exit', kill);
      kill();
    };
    // After the exit marker the guest has nothing more to say: don't wait for its power-off.
    reader.onExit = kill;
    machine.once('error', (error) => {
      done();
      reject(error);
    });
    machine.once('close', () => {
      done();
      reader.flush();
      resolve(outcome(reader, timedOut));
    });
  });
}

function outcome(reader: ConsoleReader, timedOut: boolean): UmlOutcome {
  const { exitCode, bootMs } = reader;
  if (exitCode !== undefined) return { kind: 'exited', exitCode, bootMs: bootMs ?? 0 };
  return { kind: timedOut ? 'timed-out' : 'died', console: reader.tail };
}

/** Splits the console into what the guest's kernel says, the markers, and the job's output. */
class ConsoleReader {
  exitCode: number | undefined;
  bootMs: number | undefined;
  tail = '';
  onExit: () => void = () => undefined;
  readonly #startMarker: string;
  readonly #exitMarker: string;
  readonly #onOutput: (text: string) => void;
  #line = '';

  constructor(token: string, onOutput: (text: string) => void) {
    this.#startMarker = `CARPD-UML-START ${token} `;
    this.#exitMarker = `CARPD-UML-EXIT ${token} `;
    this.#onOutput = onOutput;
  }

  push(text: string): void {
    this.tail = (this.tail + text).slice(-CONSOLE_KEPT);
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  flush(): void {
    if (this.#line !== '') this.#take(this.#line);
    this.#line = '';
  }

  #take(line: string): void {
    if (line.startsWith(this.#startMarker)) {
      this.bootMs = Math.round(Number(line.slice(this.#startMarker.length)) * 1_000);
    } else if (line.startsWith(this.#exitMarker)) {
      this.exitCode = Number.parseInt(line.slice(this.#exitMarker.length), 10);
      this.onExit();
    } else if (this.bootMs !== undefined && this.exitCode === undefined) {
      this.#onOutput(`${line}\n`);
    }
  }
}

function kernelArguments(job: UmlJob, directory: string, token: string): readonly string[] {
  const init = fileURLToPath(new URL('uml-init.sh', import.meta.url));
  return [
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/',
    'ro',
    'con=null',
    'con0=null,fd:1',
    'quiet',
    `init=${init}`,
    `CARPD_JOB=${directory}`,
    `CARPD_TOKEN=${token}`,
    `CARPD_LIMIT=${String(Math.ceil(job.timeoutMs / 1_000))}`,
    `CARPD_CHECKOUT=${job.checkout}`,
    `CARPD_VISIBLE=${[job.checkout, ...(job.visible ?? [])].join(':')}`,
    `CARPD_MODULES=${GUEST_MODULES.join(',')}`,
  ];
}

function jobScript(job: UmlJob): string {
  const exports = Object.entries(job.environment ?? {}).map(
    ([name, value]) => `export ${name}=${quote(value)}\n`,
  );
  return `${exports.join('')}exec ${job.command.map(quote).join(' ')}\n`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
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
