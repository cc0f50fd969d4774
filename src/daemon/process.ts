// The daemon as a process: signals in, exit code out.
import { messageOf } from '../base/errors.ts';
import type { Config } from '../config/config.ts';
import { now } from '../linux/clock.ts';
import { hookEnvironment } from '../vip/hooks.ts';
import { Daemon } from './daemon.ts';
import { releaseAtOnce } from './emergency.ts';
import type { Logger } from './log.ts';

/** How the process behaves where `carpd` and `ucarp` differ. */
export interface Manners {
  /** carpd: SIGHUP reloads. ucarp: SIGHUP and SIGQUIT stop as well. */
  readonly reload: (() => Config | undefined) | undefined;
  /** End with exit code 0 when an interface vanishes or is set down (Debian's hook needs it). */
  readonly endWithInterface: boolean;
}

export interface ProcessOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly manners: Manners;
  /** All instances take part, or wait for their interface. */
  readonly onStarted?: () => void;
  /** Setting up failed; one line, which is in the log as well. */
  readonly onFailed?: (line: string) => void;
}

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
/** ucarp's code for a set-up that failed. */
const EXIT_SET_UP = 2;

/**
 * Runs until a signal or a fault ends it; resolves to the exit code when the log is written. Then
 * process.exit() ends the process at once.
 */
export async function runDaemon(options: ProcessOptions): Promise<number> {
  const { log, config, manners } = options;
  const env = hookEnvironment(process.env);
  let daemon: Daemon | undefined;
  let gone = false;
  const ended = new Promise<number>((resolve) => {
    const end = (why: string, exitCode: number): void => {
      if (gone) return;
      gone = true;
      log.info('daemon-stopping', `${why}: releasing what this host holds`);
      void stopThen(() => daemon, resolve, exitCode, log);
    };
    const fail = (why: string): void => {
      log.fatal('daemon-failed', why);
      releaseAtOnce(daemon?.masters() ?? [], env);
      log.flushSync();
      endIfStuck(log);
      process.exit(EXIT_FAILED);
    };
    const endAtOnce = (signal: string): void =>
      fail(`${signal} again: ending at once, without waiting for hooks`);
    listenToSignals(options, () => daemon, end, endAtOnce);
    process.on('uncaughtException', (error) =>
      fail(`fault in carpd: ${error.stack ?? error.message}`),
    );
    const onInterfaceGone = (): void => {
      // Before everything has started it is a failed set-up, which is told apart below.
      if (manners.endWithInterface && daemon !== undefined) end('the interface is gone', EXIT_DONE);
    };
    Daemon.start({ config, log, now, env, onInterfaceGone }).then(
      (started) => {
        daemon = started;
        const fault = manners.endWithInterface ? started.firstFault() : undefined;
        if (fault !== undefined) {
          options.onFailed?.(fault);
          return end(fault, EXIT_SET_UP);
        }
        log.info('daemon-started', `running ${config.instances.length} instance(s)`);
        options.onStarted?.();
      },
      (error: unknown) => {
        log.error('daemon-failed', messageOf(error));
        options.onFailed?.(messageOf(error));
        resolve(manners.endWithInterface ? EXIT_SET_UP : EXIT_FAILED);
      },
    );
  });
  const exitCode = await ended;
  log.info('daemon-stopped', 'stopped', { exitCode });
  await log.flush();
  endIfStuck(log);
  return exitCode;
}

/** process.exit() waits for the threads, and one that writes to a stopped terminal never ends. */
function endIfStuck(log: Logger): void {
  if (log.holdsUpExit()) process.kill(process.pid, 'SIGKILL');
}

async function stopThen(
  daemon: () => Daemon | undefined,
  resolve: (exitCode: number) => void,
  exitCode: number,
  log: Logger,
): Promise<void> {
  try {
    await daemon()?.stop();
    resolve(exitCode);
  } catch (error) {
    log.error('daemon-failed', messageOf(error));
    resolve(EXIT_FAILED);
  }
}

function listenToSignals(
  { log, manners }: ProcessOptions,
  daemon: () => Daemon | undefined,
  end: (why: string, exitCode: number) => void,
  endAtOnce: (signal: string) => void,
): void {
  const { reload } = manners;
  const ending: NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
  if (reload === undefined) ending.push('SIGQUIT', 'SIGHUP');
  else process.on('SIGHUP', () => void applyReload(reload, daemon(), log));
  let asked = false;
  const onEnding = (signal: NodeJS.Signals): void => {
    if (asked) return endAtOnce(signal);
    asked = true;
    end(signal, EXIT_DONE);
  };
  for (const signal of ending) process.on(signal, onEnding);
  process.on('SIGUSR1', () => daemon()?.logState());
  process.on('SIGUSR2', () => {
    log.info('signal-received', 'SIGUSR2: every master hands over');
    daemon()?.handover();
  });
}

async function applyReload(
  reload: () => Config | undefined,
  daemon: Daemon | undefined,
  log: Logger,
): Promise<void> {
  log.info('signal-received', 'SIGHUP: reading the configuration again');
  const config = reload();
  if (config === undefined || daemon === undefined) return;
  try {
    await daemon.reload(config);
  } catch (error) {
    log.error('configuration-rejected', messageOf(error));
  }
}
