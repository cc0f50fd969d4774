// Runs child processes: an argument array and never a shell, a process group of its own, a time
// limit that ends the whole of it, and a result for everything that can happen.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { CommandRequest, CommandResult, RunningCommand } from '../../base/command.ts';
import { messageOf } from '../../base/errors.ts';
import { CommandOutput } from './command-output.ts';
import { keepDescriptorsFromChildren } from '../sockets/native.ts';
import { spareDescriptors } from './spare-descriptors.ts';

/**
 * How long output is awaited after the exit: a daemon that the command started may hold the pipe.
 */
const OUTPUT_GRACE_MS = 200;
/** How long the end is awaited after SIGKILL; a process may hang in the kernel. */
const KILL_GRACE_MS = 1_000;
const SCRIPT_HEAD_BYTES = 256;
const TIMEOUT_MS_MAX = 2 ** 31 - 1;
/** For what the spare descriptors are: a hook can be missed, an address has to be taken off. */
const ESSENTIAL = 'ip';

/** Starts a command. A fault of starting it is a result as well, never an exception. */
export function runCommand(request: CommandRequest): RunningCommand {
  const { argv, input } = request;
  const [program = ''] = argv;
  let child: ChildProcess;
  if (isScriptWithoutInterpreter(program)) {
    return { result: Promise.resolve({ kind: 'not-executable' }), kill: () => undefined };
  }
  try {
    child = start(request);
  } catch (error) {
    // Memory that lacks is thrown; descriptors and processes that lack are told of by an event.
    return { result: Promise.resolve(resultOfError(error)), kill: () => undefined };
  }
  if (input !== undefined) give(child, input);
  // A number of a process that was reaped may be another's by now.
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  const kill = (): void => {
    if (!ended) killProcessGroup(child);
  };
  return { result: settle(child, request, kill), kill };
}

function start(request: CommandRequest): ChildProcess {
  // Packages open descriptors too, and raw-socket leaves its own to every child.
  keepDescriptorsFromChildren();
  const child = spawnOnce(request);
  if (child.pid !== undefined || request.argv[0] !== ESSENTIAL) return child;
  // Without descriptors there are no streams, and which of the limits was met comes too late.
  if (!spareDescriptors.release()) return child;
  child.on('error', () => undefined);
  try {
    const second = spawnOnce(request);
    second.once('close', () => spareDescriptors.take());
    return second;
  } finally {
    // At once what the child has left of them, before others get it.
    spareDescriptors.take();
  }
}

function spawnOnce({ argv, env, input }: CommandRequest): ChildProcess {
  const [program = '', ...args] = argv;
  return spawn(program, args, {
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(env === undefined ? {} : { env }),
  });
}

function give(child: ChildProcess, input: string): void {
  // A child that ends without reading all of it breaks the pipe; its exit tells the rest.
  child.stdin?.on('error', () => undefined);
  child.once('exit', () => child.stdin?.destroy());
  child.stdin?.end(input);
}

function settle(
  child: ChildProcess,
  request: CommandRequest,
  kill: () => void,
): Promise<CommandResult> {
  const output = new CommandOutput(child, request);
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout;
    const finish = (result: CommandResult): void => {
      clearTimeout(timer);
      output.end();
      resolve(result);
    };
    const killAtLimit = (): void => {
      timedOut = true;
      kill();
      timer = setTimeout(() => finish({ kind: 'timeout', ended: false }), KILL_GRACE_MS);
    };
    let timedOut = false;
    timer = setTimeout(killAtLimit, Math.min(request.timeoutMs, TIMEOUT_MS_MAX));
    child.once('error', (error) => finish(resultOfError(error)));
    child.once('exit', (code, signal) => {
      if (timedOut) return finish({ kind: 'timeout', ended: true });
      clearTimeout(timer);
      const done = (): void => finish(exited(code, signal, output));
      timer = setTimeout(done, OUTPUT_GRACE_MS);
      child.once('close', done);
    });
  });
}

/**
 * Whether the kernel would refuse the file (ENOEXEC) as a text without "#!" in its first line. The
 * C library then runs a shell, of its own accord and under the name of the script; not so here.
 */
function isScriptWithoutInterpreter(program: string): boolean {
  if (!program.includes('/')) return false;
  const head = Buffer.alloc(SCRIPT_HEAD_BYTES);
  let length: number;
  try {
    const fd = openSync(program, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!fstatSync(fd).isFile()) return false;
      length = readSync(fd, head, 0, head.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Starting it will tell why, and a program need not be readable.
    return false;
  }
  // Programs and the formats of binfmt_misc have a NUL somewhere at their beginning; text has not.
  const beginning = head.subarray(0, length);
  return !beginning.includes(0) && !beginning.toString('latin1').startsWith('#!');
}

function exited(
  code: number | null,
  signal: NodeJS.Signals | null,
  output: CommandOutput,
): CommandResult {
  return {
    kind: 'exited',
    code: code ?? undefined,
    ...(signal === null ? {} : { signal }),
    output: output.text(),
    truncated: output.truncated,
  };
}

function killProcessGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Everybody in the process group has ended already.
  }
}

function resultOfError(error: unknown): CommandResult {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
  if (code === 'EACCES' || code === 'ENOEXEC') return { kind: 'not-executable' };
  return { kind: 'failed', detail: messageOf(error) };
}
