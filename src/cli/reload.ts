// `carpd reload`, and `carpd check --diff`: what a reload changes and what that costs.
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { plainText } from '../base/text.ts';
import { CONTROL_SOCKET_DEFAULT } from '../config/config.ts';
import { loadConfigFile } from '../config/load.ts';
import { withoutPassphrases } from '../config/read-file.ts';
import { serviceFallbacks } from '../config/service-environment.ts';
import type { StatusReport } from '../report/report.ts';
import { checkConfig, type CommandOutcome } from './check.ts';
import type { CheckCommand, ReloadCommand } from './commands.ts';
import {
  ask,
  complaint,
  EXIT_FAILED,
  EXIT_USAGE,
  HTTP_CONFLICT,
  HTTP_OK,
  shown,
  strange,
} from './ask.ts';
import { askDaemon } from './control-client.ts';

/** The file is read within a minute, and each master that restarts hands over. */
const ANSWER_MS_MAX = 240_000;

type Wish = Pick<ReloadCommand, 'socketPath' | 'dryRun' | 'configPath' | 'pid'>;

/**
 * Has the daemon read its file again, or say what that would do; fails where it is refused. A
 * daemon that answers on no socket is signalled by its `pid`, if that is given.
 */
export async function reload(wish: Wish): Promise<CommandOutcome> {
  const { dryRun, configPath, pid } = wish;
  if (wish.socketPath !== undefined) return orderReload(wish.socketPath, dryRun);
  if (configPath === undefined) return orderReload(defaultSocket(), dryRun);
  const socketPath = await answeringSocket(configPath);
  if (socketPath !== undefined) return orderReload(socketPath, dryRun);
  if (pid === undefined || dryRun) return complaint(nobody(configPath), EXIT_FAILED);
  const { stderr, exitCode } = checkConfig(
    { configPath, json: false, quiet: true },
    withoutPassphrases(configPath),
  );
  // Also where the file is wrong: the daemon has to know, and to tell who asks it later.
  const failure = signal(pid);
  if (failure !== undefined) {
    return { stdout: '', stderr: `${stderr}carpd: ${failure}\n`, exitCode: EXIT_FAILED };
  }
  if (exitCode !== 0) {
    return { stdout: '', stderr: stderr + NOTHING_CHANGED, exitCode: EXIT_FAILED };
  }
  return shown(
    `no control socket answers: process ${pid} is signalled; its log says the outcome\n`,
  );
}

/** Sends SIGHUP; returns why it could not. */
function signal(pid: number): string | undefined {
  try {
    process.kill(pid, 'SIGHUP');
    return undefined;
  } catch (error) {
    return `process ${pid} cannot be signalled: ${messageOf(error)}`;
  }
}

/** Has the daemon that reads this file say what a reload of it would do. */
export async function difference(
  command: Pick<CheckCommand, 'configPath' | 'socketPath'>,
): Promise<CommandOutcome> {
  const { configPath } = command;
  const socketPath = command.socketPath ?? (await answeringSocket(configPath));
  if (socketPath === undefined) return complaint(nobody(configPath), EXIT_FAILED);
  const answer = await askDaemon(socketPath, '/v1/status');
  if (!answer.ok) return complaint(answer.reason, EXIT_FAILED);
  try {
    const { config } = JSON.parse(answer.value.text) as StatusReport;
    if (isSameFile(config, configPath)) return await orderReload(socketPath, true);
    const other = `the carpd at ${socketPath} reads ${plainText(config ?? 'no file')}`;
    return complaint(`${other}, not ${configPath}; give its file, or another --socket`, EXIT_USAGE);
  } catch {
    return strange(socketPath);
  }
}

/** By whatever path: the daemon tells its own as it was given, made absolute. */
export function isSameFile(one: string | null | undefined, other: string): boolean {
  if (typeof one !== 'string') return false;
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return resolve(one) === resolve(other);
  }
}

/** Where the daemon that reads this file answers; undefined: none does. */
async function answeringSocket(configPath: string): Promise<string | undefined> {
  const loaded = loadConfigFile(configPath, withoutPassphrases(configPath));
  const configured = loaded.ok ? loaded.config.control.socket : undefined;
  // A file that is wrong, or names another socket by now, says nothing of where that one listens.
  for (const path of new Set([configured ?? defaultSocket(), defaultSocket()])) {
    const answer = await askDaemon(path, '/v1/status');
    if (answer.ok && isSameFile(fileOf(answer.value.text), configPath)) return path;
  }
  return undefined;
}

function fileOf(status: string): string | null | undefined {
  try {
    return (JSON.parse(status) as StatusReport).config;
  } catch {
    return undefined;
  }
}

function nobody(configPath: string): string {
  return (
    `no carpd that reads ${configPath} answers: start it with carpd run --config ${configPath}, ` +
    'or give --socket PATH (its control.socket)'
  );
}

function defaultSocket(): string {
  return serviceFallbacks(process.env)['control.socket'] ?? CONTROL_SOCKET_DEFAULT;
}

function orderReload(socketPath: string, dryRun: boolean): Promise<CommandOutcome> {
  return ask({
    socketPath,
    path: '/v1/reload',
    body: { dryRun },
    withinMs: ANSWER_MS_MAX,
    show: ({ status, text }) => {
      if (status !== HTTP_OK && status !== HTTP_CONFLICT) return undefined;
      const answer = JSON.parse(text) as Answer;
      return 'error' in answer ? refused(answer.error.faults) : applied(answer);
    },
  });
}

type Answer =
  | { readonly lines: readonly string[]; readonly undone: readonly string[] }
  | { readonly error: { readonly faults: readonly string[] } };

const NOTHING_CHANGED = 'carpd: nothing was changed: the old configuration stays in force\n';

function applied({ lines, undone }: Exclude<Answer, { readonly error: unknown }>): CommandOutcome {
  const stdout = lines.map((line) => `${plainText(line)}\n`).join('');
  if (undone.length === 0) return shown(stdout);
  const rest = 'carpd: the rest of the new configuration is in force\n';
  return { stdout, stderr: complaints(undone) + rest, exitCode: EXIT_FAILED };
}

function refused(faults: readonly string[]): CommandOutcome {
  return { stdout: '', stderr: complaints(faults) + NOTHING_CHANGED, exitCode: EXIT_FAILED };
}

function complaints(reasons: readonly string[]): string {
  return reasons.map((one) => `carpd: ${plainText(one)}\n`).join('');
}
