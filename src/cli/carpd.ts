// carpd: from the argument list to a command and its exit code.
import { unreachable } from '../base/assert.ts';
import { parseArgs } from './args.ts';
import { checkConfig, type CommandOutcome } from './check.ts';
import type { CheckCommand } from './commands.ts';
import { THIS_HOST } from './host-warnings.ts';
import { carpdHelp } from './help.ts';
import { version } from './version.ts';
import { readFileWithMode, withoutPassphrases } from '../config/read-file.ts';
import { earlySignals } from '../process/early-signals.ts';

const EXIT_USAGE = 2;

/** Does what the arguments ask for, and ends the process with its exit code. */
export async function carpd(argv: readonly string[]): Promise<void> {
  const exitCode = await main(argv);
  // What was written to a pipe must get out before the process may end.
  process.stdout.write('', () => process.exit(exitCode));
}

async function main(argv: readonly string[]): Promise<number> {
  const command = parseArgs(argv);
  if (command.kind !== 'run') earlySignals.giveUp();
  switch (command.kind) {
    case 'help':
      process.stdout.write(carpdHelp(command.topic));
      return 0;
    case 'version':
      process.stdout.write(`carpd ${version()}\n`);
      return 0;
    case 'error':
      process.stderr.write(`carpd: ${command.message}\n`);
      return EXIT_USAGE;
    case 'check':
      return print(await check(command));
    case 'status': {
      const { status, watchStatus } = await import('./status.ts');
      if (!command.watch) return print(await status(command, process.stdout));
      return print(await watchStatus(command, process.stdout, interruption()));
    }
    case 'explain': {
      const { explain } = await import('./explain.ts');
      return print(await explain(command, process.stdout));
    }
    case 'watch': {
      const { watch } = await import('./watch.ts');
      return print(await watch(command, process.stdout, interruption()));
    }
    case 'handover': {
      const { handover } = await import('./orders.ts');
      return print(await handover(command));
    }
    case 'maintenance': {
      const { maintenance } = await import('./orders.ts');
      return print(await maintenance(command));
    }
    case 'init': {
      const { init } = await import('./init.ts');
      return print(await init(command, { input: process.stdin, output: process.stdout }));
    }
    case 'sniff': {
      const { sniff } = await import('./sniff.ts');
      const { stdout, stderr } = process;
      return sniff(command, { stdout, stderr, signal: interruption() });
    }
    case 'release': {
      const { release } = await import('./release.ts');
      return print(await release(command));
    }
    case 'reload': {
      const { reload } = await import('./reload.ts');
      return print(await reload(command));
    }
    case 'doctor': {
      const { doctor } = await import('./doctor.ts');
      return print(await doctor(command, process.stdout, interruption()));
    }
    case 'run': {
      // Loaded late: the rest works where the addons were never built.
      const { run } = await import('./run.ts');
      // The log is written or given up by now; standard output may be stuck for good.
      return process.exit(await run(command.configPath));
    }
    default:
      return unreachable(command);
  }
}

async function check(command: CheckCommand): Promise<CommandOutcome> {
  const { configPath, passphrases, diff } = command;
  const readFile = passphrases ? readFileWithMode : withoutPassphrases(configPath);
  const checked = checkConfig(command, readFile, THIS_HOST);
  if (!diff || checked.exitCode !== 0) return checked;
  const { difference } = await import('./reload.ts');
  const { stdout, stderr, exitCode } = await difference(command);
  return { stdout, stderr: checked.stderr + stderr, exitCode };
}

/** Aborted when the user, or whoever reads the output, has had enough. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, abort);
  process.stdout.once('error', abort);
  return controller.signal;
}

function print({ stdout, stderr, exitCode }: CommandOutcome): number {
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return exitCode;
}
