// Short commands of the lab: run to their end, output returned, failure told with what was said.
import { execFile, spawnSync } from 'node:child_process';
import { CarpdError } from '../src/base/errors.ts';

const TIMEOUT_MS = 60_000;

/**
 * Runs `argv` with `input` on its standard input; yields its standard output, fails if it fails.
 */
export function run(argv: readonly string[], input = ''): Promise<string> {
  const [file = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = execFile(file, rest, { timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(commandError(argv, `${stderr}${stdout}`.trim() || error.message, error));
    });
    // A command that ends before it has read its input is judged by its exit status alone.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs `argv` to its end while everything else stands still, for clean-up; never fails. */
export function runSync(argv: readonly string[], input = ''): void {
  const [file = '', ...rest] = argv;
  spawnSync(file, rest, { input, timeout: TIMEOUT_MS, stdio: ['pipe', 'ignore', 'ignore'] });
}

function commandError(argv: readonly string[], reason: string, cause: unknown): CarpdError {
  return new CarpdError('CARPD_COMMAND', argv.join(' '), reason, cause);
}
