// The `ucarp` front end: one instance from ucarp's own options, with its manners and exit codes.
import { networkInterfaces } from 'node:os';
import type { Config, InstanceConfig } from '../config/config.ts';
import type { ReadFile } from '../config/passphrase.ts';
import { readFileWaiting } from '../config/read-file.ts';
import { parseUcarp, resolvePassphrase, type UcarpRun } from '../config/ucarp/ucarp.ts';
import { earlySignals } from '../process/early-signals.ts';
import { openLog, type Logger } from '../log/log.ts';
import { findDoubts, findObstacle } from '../process/preflight.ts';
import { runDaemon } from '../process/process.ts';
import { syslogTee } from '../log/syslog-tee.ts';
import { ucarpHelp } from './help.ts';
import { nameProcess } from './process-name.ts';
import { version } from './version.ts';

/** Where a run stands, for the process that waits for a daemonized one to be up. */
export interface Progress {
  readonly onStarted: () => void;
  /** One line for standard error. */
  readonly complain: (line: string) => void;
}

/** What the arguments ask for, before anything is done. */
export type UcarpRequest =
  | { readonly kind: 'done'; readonly exitCode: number }
  | { readonly kind: 'run'; readonly options: UcarpRun };

const EXIT_SET_UP = 2;
const STDOUT = 1;

/**
 * Writes over the arguments, of which a password given by --pass is one: the process list shows
 * `ucarp` and `shown` from now on, and the process goes by the name of the stock program.
 */
export function hideArguments(shown = ''): void {
  // Sets the name as well, but to the beginning of all this.
  process.title = `ucarp${shown}`;
  nameProcess('ucarp');
}

/** Reads the arguments; help and misuse are answered here. */
export function readUcarpArguments(
  argv: readonly string[],
  complain: (line: string) => void,
): UcarpRequest {
  const options = parseUcarp(argv);
  if (options.kind === 'help') {
    process.stdout.write(ucarpHelp(version()));
    return { kind: 'done', exitCode: 0 };
  }
  if (options.kind === 'error') {
    complain(options.message);
    return { kind: 'done', exitCode: options.exitCode };
  }
  return { kind: 'run', options };
}

/**
 * Runs until a signal or the end of the interface; resolves to the exit code. `readFile` reads the
 * password's file.
 */
export async function runUcarp(
  options: UcarpRun,
  progress: Progress,
  readFile: ReadFile = readFileWaiting((read) => earlySignals.giveUpWhile(read)),
): Promise<number> {
  const { complain, onStarted } = progress;
  const passphrase = resolvePassphrase(options.passphrase, readFile);
  if (!passphrase.ok) {
    complain(passphrase.reason.message);
    return passphrase.reason.exitCode;
  }
  const interfaceName = options.instance.interfaceName ?? firstInterface();
  if (interfaceName === undefined) {
    complain('no interface is up; name one by --interface');
    return EXIT_SET_UP;
  }
  const obstacle = findObstacle();
  if (obstacle !== undefined) {
    complain(obstacle);
    return EXIT_SET_UP;
  }
  const { secret } = passphrase.value;
  const instance: InstanceConfig = { ...options.instance, interfaceName, passphrase: secret };
  const level = options.debug ? 'debug' : 'info';
  const config: Config = {
    log: { level, format: 'text' },
    metrics: { listen: options.metrics },
    control: { socket: undefined, unixGroup: undefined },
    state: { directory: undefined },
    instances: [instance],
  };
  hideArguments(` --interface=${interfaceName} --vhid=${instance.vhid}`);
  const log = openUcarpLog(options, level);
  const warnings = [...options.warnings, ...passphrase.value.warnings, ...findDoubts(false)];
  const mode = { reload: undefined, endWithInterface: true };
  const callbacks = { onStarted, onFailed: complain };
  return runDaemon({ config, log, warnings, mode, version: version(), ...callbacks });
}

function openUcarpLog({ facility }: UcarpRun, level: 'debug' | 'info'): Logger {
  const tee = facility === 'none' ? undefined : syslogTee(facility, 'ucarp');
  return openLog({ level, format: 'text', fd: STDOUT, ...(tee === undefined ? {} : { tee }) });
}

/** The first interface that is up, has an address and is not the loopback (pcap_lookupdev). */
function firstInterface(): string | undefined {
  return Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ internal }) => !internal),
  )?.[0];
}
