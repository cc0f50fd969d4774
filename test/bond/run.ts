// Runs the bond suite: natively where the kernel has bonding, in qemu machines elsewhere. "long"
// adds the variants that take long. With --exec it runs one command in a machine instead.
// See README.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { constants as osConstants, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildGuestTree, guestPath } from './guest-tree.ts';
import { hasBonding } from './native.ts';
import { runInGuest, type GuestOutcome } from './guest.ts';
import { makeKernel, qemuMissing } from './qemu.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const HERE = join(CHECKOUT, 'test/bond');
/** For all files together; a machine that hangs is noticed long before. */
const LIMIT_SECONDS_DEFAULT = 3_600;
/** The scenarios of one file run side by side too. */
const FILES_AT_ONCE = 2;
/** What these do to the kernel, every namespace feels: nothing else may run beside them. */
const ALONE: readonly string[] = ['neighbours-full.test.ts'];

/** What a run of the test runner counted, from the last lines of its TAP output. */
interface Counts {
  readonly tests: number;
  readonly pass: number;
  readonly fail: number;
  readonly skipped: number;
  readonly cancelled: number;
}

const USAGE = `usage: run.ts [--machines=N] [--limit=SECONDS] [--guest] [long] [FILE...]
       run.ts [--limit=SECONDS] [--guest] --exec -- COMMAND [ARGUMENT...]`;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // An orderly exit: its handlers kill the machines and remove what they left.
  process.once(signal, () => process.exit(128 + osConstants.signals[signal]));
}
process.exitCode = await main();

async function main(): Promise<number> {
  const words = commandLine();
  if (words === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { values, positionals } = words;
  const long = values.exec !== true && positionals[0] === 'long';
  if (long) positionals.shift();
  const limitMs = Number(values.limit ?? (long ? 2 : 1) * LIMIT_SECONDS_DEFAULT) * 1_000;
  const native = values.guest !== true && (await hasBonding());
  if (!install(native)) return 1;
  if (values.exec === true)
    return native ? execHere(positionals) : await execInGuest(positionals, limitMs);
  const files = suite(positionals);
  if (files.length === 0) {
    console.error('bond lab: no test files');
    return 1;
  }
  const results = mkdtempSync(join(tmpdir(), 'carpd-bond-'));
  process.once('exit', () => rmSync(results, { recursive: true, force: true }));
  const environment = { CARPD_BOND_LONG: long ? '1' : '' };
  const runs: (Counts | undefined)[] = [];
  for (const [part, some] of apart(files).entries()) {
    const directory = join(results, `part-${part + 1}`);
    await mkdir(directory);
    const machines = Math.min(Number(values.machines ?? 1), some.length);
    const how = { results: directory, machines, limitMs, environment };
    if (native) runs.push(nativeRun(some, directory, environment));
    else runs.push(...(await guestRun(some, how)));
  }
  return conclude(runs);
}

function commandLine() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { machines: text, limit: text, exec: flag, guest: flag };
  try {
    const words = parseArgs({ allowPositionals: true, options });
    const { machines = '1', limit = '1' } = words.values;
    return [machines, limit].every((value) => /^[1-9]\d*$/.test(value)) ? words : undefined;
  } catch {
    return undefined;
  }
}

/** The files named, or all of the suite. */
function suite(named: readonly string[]): readonly string[] {
  if (named.length > 0) return named.map((file) => resolve(file));
  return readdirSync(HERE)
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(HERE, name));
}

/** The files that may run side by side, and each of the others by itself. */
function apart(files: readonly string[]): readonly (readonly string[])[] {
  const isAlone = (file: string): boolean => ALONE.includes(basename(file));
  const others = files.filter((file) => !isAlone(file));
  const parts = [others, ...files.filter(isAlone).map((file) => [file])];
  return parts.filter((part) => part.length > 0);
}

/** Sees to the programs; true when nothing is missing. */
function install(native: boolean): boolean {
  const words = [join(HERE, 'install.sh'), ...(native ? ['native'] : [])];
  if (spawnSync('sh', words, { stdio: 'inherit' }).status !== 0) return false;
  if (native) return true;
  const faults = qemuMissing();
  for (const fault of faults) console.error(`bond lab: ${fault}`);
  return faults.length === 0 && makeKernel();
}

function execHere([file = 'true', ...rest]: readonly string[]): number {
  return spawnSync(file, rest, { stdio: 'inherit' }).status ?? 1;
}

async function execInGuest(command: readonly string[], timeoutMs: number): Promise<number> {
  const onOutput = (text: string): void => void process.stdout.write(text);
  const outcome = await runInGuest({ command, checkout: CHECKOUT, timeoutMs, onOutput });
  return told(outcome, 'the machine', timeoutMs);
}

function nativeRun(
  files: readonly string[],
  results: string,
  environment: Readonly<Record<string, string>>,
): Counts | undefined {
  const tap = join(results, 'native.tap');
  const words = ['--import', 'tsx', ...runnerWords(tap), ...files];
  spawnSync(process.execPath, words, {
    stdio: 'inherit',
    cwd: CHECKOUT,
    env: { ...process.env, ...environment },
  });
  return readCounts(tap);
}

interface GuestRun {
  readonly results: string;
  readonly machines: number;
  /** For each machine. */
  readonly limitMs: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** Deals the files to so many machines, which run side by side. */
async function guestRun(
  files: readonly string[],
  { results, machines, limitMs, environment }: GuestRun,
): Promise<readonly (Counts | undefined)[]> {
  const tree = join(results, 'tree');
  await buildGuestTree(CHECKOUT, tree);
  const runMachine = async (number: number): Promise<Counts | undefined> => {
    const name = `machine ${number + 1}`;
    const jobDirectory = join(results, `machine-${number + 1}`);
    await mkdir(jobDirectory);
    const tap = join(jobDirectory, 'results.tap');
    const dealt = files.filter((_, index) => index % machines === number);
    const guestFiles = dealt.map((file) => guestPath(CHECKOUT, tree, file));
    const outcome = await runInGuest({
      command: [process.execPath, '--enable-source-maps', ...runnerWords(tap), ...guestFiles],
      checkout: CHECKOUT,
      visible: [tree],
      environment: { CARPD_BOND_OUT: jobDirectory, ...environment },
      jobDirectory,
      timeoutMs: limitMs,
      onOutput: (text) => process.stdout.write(machines === 1 ? text : `${number + 1}: ${text}`),
    });
    told(outcome, `${name} (${dealt.map((file) => basename(file)).join(', ')})`, limitMs);
    return readCounts(tap);
  };
  return Promise.all(Array.from({ length: machines }, (_, number) => runMachine(number)));
}

function runnerWords(tap: string): readonly string[] {
  return [
    '--test',
    // Tests of time: they must not fight each other for the machine.
    `--test-concurrency=${FILES_AT_ONCE}`,
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=tap', `--test-reporter-destination=${tap}`],
  ];
}

/** The summary of a TAP file; undefined if the runner did not come to its end. */
function readCounts(tap: string): Counts | undefined {
  if (!existsSync(tap)) return undefined;
  const text = readFileSync(tap, 'utf8');
  const count = (name: string): number =>
    Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const counts = {
    tests: count('tests'),
    pass: count('pass'),
    fail: count('fail'),
    skipped: count('skipped'),
    cancelled: count('cancelled'),
  };
  return Object.values(counts).some(Number.isNaN) ? undefined : counts;
}

/** Prints the sum and yields the exit code: a suite in which nothing ran has failed. */
function conclude(runs: readonly (Counts | undefined)[]): number {
  const ended = runs.filter((run) => run !== undefined);
  const sum = (name: keyof Counts): number => ended.reduce((total, run) => total + run[name], 0);
  const broken = runs.length - ended.length;
  if (broken > 0) console.error(`bond lab: ${broken} machines without a result count as failed`);
  const passed = sum('pass');
  const skipped = sum('skipped');
  const found = sum('fail') + sum('cancelled') + broken;
  if (passed + found === 0) console.error('bond lab: no test was executed');
  const failed = passed === 0 ? Math.max(found, 1) : found;
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  const skipsFail = process.env['CI'] !== undefined && skipped > 0;
  return failed > 0 || skipsFail ? 1 : 0;
}

/** Tells why a machine gave no exit code; yields its exit code, or 1. */
function told(outcome: GuestOutcome, name: string, timeoutMs: number): number {
  if (outcome.kind === 'exited') return outcome.exitCode;
  const why = {
    'timed-out': `did not end within ${timeoutMs / 1_000} s (--limit=SECONDS)`,
    silent: 'gave no sign of life any more, or never did',
    died: 'ended without an exit code, as by a panic',
  }[outcome.kind];
  console.error(`bond lab: ${name} ${why}; the end of its console:\n${outcome.console}`);
  return 1;
}
