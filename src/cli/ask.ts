// One question to the running daemon and what a command makes of the answer.
import type { CommandOutcome } from './check.ts';
import { askDaemon, type Answer, type AskOptions } from './control-client.ts';

/** The daemon's answer as text and exit code; `show` may throw where it is not what was expected. */
export interface Question extends AskOptions {
  readonly socketPath: string;
  readonly path: string;
  /** Undefined: the answer is a fault, which is told as such. */
  readonly show: (answer: Answer) => CommandOutcome | undefined;
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
