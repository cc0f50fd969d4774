// Boots a guest on the host's root file system, runs one command in it, brings out its exit code.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kernelFolder, Qemu } from './qemu.ts';

/** What one guest is asked to do. */
export interface GuestJob {
  /**
   * Program and arguments, run in `checkout`; the root file system is read-only, /tmp and /run are
   * not.
   */
  readonly command: readonly string[];
  /** Directory of the project; the guest sees it at the same path. */
  readonly checkout: string;
  /** Added to the guest's small environment (PATH, HOME, TMPDIR, CARPD_BOND_LAB=guest). */
  readonly environment?: Readonly<Record<string, string>>;
  /** Memory of the guest in MiB; it is taken from the host only when touched. */
  readonly memoryMiB?: number;
  /** How many processors it has; all of the host's, but no more than two, if not given. */
  readonly cpus?: number;
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
export type GuestOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: UntimelyEnd; readonly console: string };

/** Killed at the limit; killed because it gave no sign of life; gone by itself, as by a panic. */
type UntimelyEnd = 'timed-out' | 'silent' | 'died';

/** The guest's kernel modules that the lab uses; others are loaded when something asks for them. */
const GUEST_MODULES = [
  ...['bonding', 'team', 'team_mode_activebackup', 'team_mode_loadbalance', 'veth', 'dummy'],
  ...['bridge', 'br_netfilter', '8021q', 'macvlan', 'tun', 'nf_tables'],
  ...['sch_netem', 'sch_ingress', 'cls_flower', 'cls_matchall', 'act_gact'],
];

/** A boot takes 5 s, and much longer beside others; then a sign of life comes every 10 s. */
const SILENT_MS = 150_000;
const LOOK_MS = 5_000;
const MEMORY_MIB_DEFAULT = 2_048;
const CPUS_DEFAULT = 2;

/**
 * Boots a guest, runs the job, and resolves when the machine is gone; rejects only if qemu can't be
 * started. Several guests may run side by side. `makeKernel` has to have succeeded before.
 */
export async function runInGuest(job: GuestJob): Promise<GuestOutcome> {
  const own = job.jobDirectory === undefined;
  const directory = job.jobDirectory ?? mkdtempSync(join(tmpdir(), 'carpd-guest-'));
  const started = `CARPD-STARTED ${randomBytes(8).toString('hex')}`;
  const cleanUp = (): void => {
    if (own) rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', cleanUp);
  try {
    const stateDirectory = join(directory, 'machine');
    mkdirSync(stateDirectory, { recursive: true });
    writeFileSync(join(directory, 'job.sh'), jobScript(job));
    writeFileSync(join(directory, 'settings.sh'), settings(job, directory, started));
    for (const name of ['exit-code', 'alive']) rmSync(join(directory, name), { force: true });
    const machine = new Qemu({
      words: ['CARPD_ROOT=host', `CARPD_INIT=${guestInit()}`],
      memoryMiB: job.memoryMiB ?? MEMORY_MIB_DEFAULT,
      cpus: job.cpus ?? CPUS_DEFAULT,
      stateDirectory,
      shares: [
        { tag: 'host', path: '/', writable: false },
        { tag: 'job', path: directory, writable: true },
      ],
    });
    const end = await settle(machine, { ...job, jobDirectory: directory }, started);
    const exitCode = readExitCode(directory);
    return exitCode === undefined
      ? { kind: end, console: machine.tail() }
      : { kind: 'exited', exitCode };
  } finally {
    process.removeListener('exit', cleanUp);
    cleanUp();
  }
}

type PlacedJob = GuestJob & { readonly jobDirectory: string };

/** Resolves when the machine is gone: how it ended, should there be no exit code. */
function settle(machine: Qemu, job: PlacedJob, started: string): Promise<UntimelyEnd> {
  const { child } = machine;
  return new Promise((resolve, reject) => {
    let end: UntimelyEnd = 'died';
    const kill = (): void => machine.kill();
    const killFor = (why: UntimelyEnd): void => {
      end = why;
      kill();
    };
    const bornMs = Date.now();
    const look = setInterval(() => {
      const aliveMs = Math.max(bornMs, modifiedMs(join(job.jobDirectory, 'alive')));
      if (Date.now() - aliveMs > SILENT_MS) killFor('silent');
    }, LOOK_MS);
    const limit = setTimeout(() => killFor('timed-out'), job.timeoutMs);
    const reader = new LineReader(started, job.onOutput);
    child.stdout.setEncoding('utf8').on('data', (text: string) => reader.push(text));
    // Before the clean-up that was registered earlier: the machine still writes.
    process.prependOnceListener('exit', kill);
    const done = (): void => {
      clearTimeout(limit);
      clearInterval(look);
      process.removeListener('exit', kill);
      kill();
    };
    child.once('error', (error) => {
      done();
      reject(error);
    });
    child.once('close', () => {
      done();
      reader.flush();
      resolve(end);
    });
  });
}

/** When the guest last wrote a file, by the host's clock; 0 if it never did. */
function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Passes on the job's output, which begins after the line `started`. */
class LineReader {
  readonly #started: string;
  readonly #onOutput: (text: string) => void;
  #hasStarted = false;
  #line = '';

  constructor(started: string, onOutput?: (text: string) => void) {
    this.#started = started;
    this.#onOutput = onOutput ?? (() => undefined);
  }

  push(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  flush(): void {
    if (this.#line !== '') this.#take(this.#line);
    this.#line = '';
  }

  #take(line: string): void {
    if (this.#hasStarted) return this.#onOutput(`${line}\n`);
    this.#hasStarted = line.trim() === this.#started;
  }
}

function readExitCode(directory: string): number | undefined {
  try {
    const text = readFileSync(join(directory, 'exit-code'), 'utf8').trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

function guestInit(): string {
  return fileURLToPath(new URL('guest-init.sh', import.meta.url));
}

function settings(job: GuestJob, directory: string, started: string): string {
  const visible = [job.checkout, kernelFolder(), ...(job.visible ?? [])];
  return assignments({
    CARPD_JOB: directory,
    CARPD_STARTED: started,
    CARPD_LIMIT: String(Math.ceil(job.timeoutMs / 1_000)),
    CARPD_CHECKOUT: job.checkout,
    CARPD_VISIBLE: visible.join(':'),
    CARPD_KERNEL: kernelFolder(),
    CARPD_MODULES: GUEST_MODULES.join(' '),
  });
}

function jobScript(job: GuestJob): string {
  const exported = Object.entries(job.environment ?? {}).map(
    ([name, value]) => `export ${name}=${quote(value)}\n`,
  );
  return `${exported.join('')}exec ${job.command.map(quote).join(' ')}\n`;
}

function assignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('');
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
