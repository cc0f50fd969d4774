// ucarp, drop-in: the same options, scripts, signals and exit codes, run by carpd.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../base/errors.ts';
import { hideArguments, readUcarpArguments, runUcarp } from './ucarp.ts';
import { PASSPHRASE_FILE_BYTES_MAX, type FileContent } from '../config/passphrase.ts';
import { readFileWithMode } from '../config/read-file.ts';
import type { UcarpRun } from '../config/ucarp/ucarp.ts';
import { earlySignals } from '../process/early-signals.ts';

/** Set in the environment of a daemonized process, which gets its arguments by message. */
const DAEMON_MARK = 'CARPD_UCARP_DAEMON';
const EXIT_SET_UP = 2;
/** The file that is run as the command; it loads this one. */
const COMMAND = fileURLToPath(new URL('../ucarp.js', import.meta.url));

/** What the daemonized process reports to the one that waits for it. */
type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'complaint'; readonly line: string }
  | { readonly kind: 'ended'; readonly exitCode: number };

/** What it gets: arguments never stand in its own process list, so no password does. */
interface Order {
  readonly argv: readonly string[];
  readonly folder: string;
  /** What was read of the password's file, where there is one: it may be the standard input. */
  readonly passfile: Passfile | undefined;
}

/** A file's content in base64, or why it can't be read. */
type Passfile = { readonly content: string; readonly mode: number } | { readonly reason: string };

/** Does what the arguments ask for, in the background where they say so, and ends the process. */
export async function ucarp(argv: readonly string[]): Promise<void> {
  hideArguments();
  const isDaemon = process.env[DAEMON_MARK] !== undefined;
  process.exit(await (isDaemon ? background() : foreground(argv)));
}

async function foreground(argv: readonly string[]): Promise<number> {
  const complain = (line: string): void => void process.stderr.write(`ucarp: ${line}\n`);
  const request = readUcarpArguments(argv, complain);
  if (request.kind === 'done') {
    earlySignals.giveUp();
    // The help must be written before the process may end. The log of a run may never be.
    await new Promise((resolve) => process.stdout.write('', resolve));
    return request.exitCode;
  }
  if (request.options.daemonize) {
    earlySignals.giveUp();
    return daemonize(argv, request.options);
  }
  return runUcarp(request.options, { complain, onStarted: () => undefined });
}

/** Waits until the daemon is up or has failed: ucarp's own parent leaves too early to know. */
function daemonize(argv: readonly string[], options: UcarpRun): Promise<number> {
  const { passphrase } = options;
  // Read here, since the daemon has no standard input, nor any pipe of the shell.
  const passfile = passphrase.kind === 'file' ? readPassfile(passphrase.path) : undefined;
  const child = spawn(process.execPath, [COMMAND], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [DAEMON_MARK]: '1' },
  });
  return new Promise((resolve) => {
    child.on('message', (report: Report) => {
      if (report.kind === 'complaint') process.stderr.write(`ucarp: ${report.line}\n`);
      if (report.kind === 'ready') resolve(0);
      if (report.kind === 'ended') resolve(report.exitCode);
    });
    child.on('error', (error) => {
      process.stderr.write(`ucarp: cannot go into the background: ${messageOf(error)}\n`);
      resolve(EXIT_SET_UP);
    });
    child.on('exit', (code) => resolve(code ?? EXIT_SET_UP));
    const order: Order = { argv, folder: process.cwd(), passfile };
    child.send(order);
  });
}

function background(): Promise<number> {
  Reflect.deleteProperty(process.env, DAEMON_MARK);
  const send = (report: Report): void => {
    if (process.connected) process.send?.(report);
  };
  return new Promise((resolve) => {
    process.once('message', (order: Order) => {
      const complain = (line: string): void => send({ kind: 'complaint', line });
      process.chdir(order.folder);
      const request = readUcarpArguments(order.argv, complain);
      if (request.kind === 'done') return resolve(request.exitCode);
      const onStarted = (): void => {
        process.chdir('/');
        send({ kind: 'ready' });
        process.disconnect();
      };
      runUcarp(request.options, { complain, onStarted }, () => unpack(order.passfile)).then(
        (exitCode) => {
          send({ kind: 'ended', exitCode });
          resolve(exitCode);
        },
        (error: unknown) => {
          complain(messageOf(error));
          resolve(EXIT_SET_UP);
        },
      );
    });
  });
}

function readPassfile(path: string): Passfile {
  try {
    const { bytes, mode } = readFileWithMode(path, PASSPHRASE_FILE_BYTES_MAX);
    return { content: Buffer.from(bytes).toString('base64'), mode };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

function unpack(passfile: Passfile | undefined): FileContent {
  if (passfile === undefined) throw new Error('it was not read');
  if ('reason' in passfile) throw new Error(passfile.reason);
  return { bytes: Buffer.from(passfile.content, 'base64'), mode: passfile.mode };
}
