// One question to the running daemon and what a command makes of the answer.
import { fail, ok, type Result } from '../base/result.ts';
import { plainText } from '../base/text.ts';
import type { CommandOutcome } from './check.ts';
import type { CommandName } from './commands.ts';
import { askDaemon, type ControlReply, type AskOptions } from './control-client.ts';

/** What is asked; `show` may throw where the answer is not what was expected. */
export interface Question extends AskOptions {
  readonly socketPath: string;
  readonly path: string;
  /** Undefined: the answer is a fault, which is shown as such. */
  readonly show: (answer: ControlReply) => CommandOutcome | undefined;
}

export const HTTP_OK = 200;
/** An order was carried out, but not for all as it was asked for. */
export const HTTP_CONFLICT = 409;
export const HTTP_NOT_FOUND = 404;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** Asks, and says in one line what went wrong. */
export async function ask(question: Question): Promise<CommandOutcome> {
  const { socketPath, path, show } = question;
  const answer = await askDaemon(socketPath, path, question);
  if (!answer.ok) return complaint(answer.reason, EXIT_FAILED);
  const { status, text } = answer.value;
  try {
    const shown = show(answer.value);
    if (shown !== undefined) return shown;
    const { error } = JSON.parse(text) as { error: { message: string } };
    return complaint(error.message, status === HTTP_NOT_FOUND ? EXIT_USAGE : EXIT_FAILED);
  } catch {
    return strange(socketPath);
  }
}

/** The instances that a report has, which begins with what is said of the daemon. */
interface Named {
  readonly instances: readonly { readonly name: string }[];
}

/**
 * The instance that a command `what` is about: the one it was given, or the only one of the daemon.
 * Where there are several, the outcome says so: which one is meant is never guessed.
 */
export async function chosenInstance(
  what: CommandName,
  { name, socketPath }: { readonly name: string | undefined; readonly socketPath: string },
): Promise<Result<string, CommandOutcome>> {
  if (name !== undefined) return ok(name);
  const answer = await askDaemon(socketPath, '/v1/status');
  if (!answer.ok) return fail(complaint(answer.reason, EXIT_FAILED));
  try {
    const { instances } = JSON.parse(answer.value.text) as Named;
    const names = instances.map(({ name }) => name);
    const [only] = names;
    if (only !== undefined && names.length === 1) return ok(only);
    return fail(complaint(`${what}: ${whichOf(what, names)}`, EXIT_USAGE));
  } catch {
    return fail(strange(socketPath));
  }
}

function whichOf(what: CommandName, names: readonly string[]): string {
  const choice = what === 'explain' ? 'the NAME of one' : 'the NAME of one, or --all';
  const known = names.map(plainText).join(', ');
  return `there are ${names.length} instances; give ${choice}: ${known}`;
}

/** That the daemon has no instance of this name. */
export function unknownInstance(name: string, all: Named['instances']): CommandOutcome {
  const known = all.map((one) => plainText(one.name)).join(', ');
  return complaint(`no instance is named "${plainText(name)}"; there are: ${known}`, EXIT_USAGE);
}

/** A daemon of another version answers, or something that is no carpd. */
export function strange(socketPath: string): CommandOutcome {
  const what = `what answers at ${socketPath} does not speak as this version of carpd does`;
  return complaint(`${what}; restart the daemon, or give another --socket`, EXIT_FAILED);
}

/** A text that is the whole outcome of a command that went well. */
export function shown(stdout: string): CommandOutcome {
  return { stdout, stderr: '', exitCode: 0 };
}

/** One line that says what went wrong. */
export function complaint(text: string, exitCode: number): CommandOutcome {
  return { stdout: '', stderr: `carpd: ${text}\n`, exitCode };
}
