// Runs a test file in a network namespace of its own, which goes when the file is done.
import { fail, match } from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const INSIDE = 'CARPD_TEST_NAMESPACE';
const FILE_MS_MAX = 120_000;
/** Before the limit of the test, so that a file that hangs says how far it came. */
const INSIDE_MS_MAX = FILE_MS_MAX - 10_000;

/**
 * Runs `suite` inside: the file starts itself once more under `unshare`, with garbage collection at
 * hand (`collectGarbage`), and its outcome is one test. Needs root; skipped, and said so, without.
 */
export function inNamespace(moduleUrl: string, suite: () => void): void {
  if (process.env[INSIDE] === moduleUrl) {
    suite();
    return;
  }
  const skip = process.getuid?.() === 0 ? false : 'network namespaces need root';
  test('in a network namespace', { skip, timeout: FILE_MS_MAX }, async (t) => {
    const output = await runInside(moduleUrl, t.signal);
    match(output, /^# pass [1-9]/m, output);
    match(output, /^# skipped 0$/m, output);
    t.diagnostic(
      output
        .split('\n')
        .filter((line) => /^# pass/.test(line))
        .join(),
    );
  });
}

/** Runs a command line that sets something up; fails with its error output. */
export async function shell(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-euc', script]);
  return stdout;
}

/** The same while this process stands still. */
export function shellStandingStill(script: string): void {
  execFileSync('sh', ['-euc', script], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Collects everything that nothing holds, finalizers included. */
export async function collectGarbage(): Promise<void> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  for (let round = 0; round < 4; round += 1) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Runs a module given as text, to its end, in this namespace; `import` it by absolute URL. Resolves
 * to its exit code (null: killed at the limit) and its output.
 */
export function runModule(
  text: string,
  millisecondsMax = 15_000,
): Promise<[number | null, string]> {
  const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', text];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { env: cleanEnvironment(), timeout: millisecondsMax, killSignal: 'SIGKILL' },
      (_error, stdout, stderr) => {
        resolve([child.exitCode, stdout + stderr]);
      },
    );
  });
}

async function runInside(moduleUrl: string, signal: AbortSignal): Promise<string> {
  const args = ['--net', '--', process.execPath, '--expose-gc', '--import', 'tsx'];
  const file = fileURLToPath(moduleUrl);
  const env = { ...cleanEnvironment(), [INSIDE]: moduleUrl };
  try {
    const options = { env, signal, maxBuffer: 16_000_000, timeout: INSIDE_MS_MAX };
    const done = await promisify(execFile)(
      'unshare',
      [...args, '--test-reporter=tap', file],
      options,
    );
    return done.stdout;
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    fail(`${String(error)}\n${output}`);
  }
}

/** Without what makes node believe that it is a part of the outer test run. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_TEST_CONTEXT: undefined };
}
