// `carpd watch`: the events of the running daemon, one line each, as they happen.
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { WatchedEvent } from '../events/watched.ts';
import { watchText } from '../log/watch-text.ts';
import type { WatchCommand } from './commands.ts';
import {
  complaint,
  EXIT_FAILED,
  EXIT_USAGE,
  HTTP_NOT_FOUND,
  HTTP_OK,
  shown,
  strange,
} from './ask.ts';
import type { CommandOutcome } from './check.ts';
import { inColour } from '../report/colour.ts';
import { fitted, hasColour, localTime, type TerminalLike } from './screen.ts';
import { ANSWER_MS_MAX, asTimeout, describeTrouble } from './control-client.ts';

/** Prints until `interrupted` is aborted, which is how it should end, or the daemon is gone. */
export async function watch(
  command: WatchCommand,
  output: Writable & TerminalLike,
  interrupted: AbortSignal,
): Promise<CommandOutcome> {
  const { socketPath, format } = command;
  const text = (format ?? (output.isTTY === true ? 'text' : 'json')) === 'text';
  try {
    const response = await ask(command, interrupted);
    if (response.statusCode !== HTTP_OK) return await refused(response, socketPath);
    for await (const line of wholeLines(response)) {
      const room = output.write(`${text ? asText(line, output) : line}\n`);
      if (!room) await once(output, 'drain', { signal: interrupted });
    }
  } catch (error) {
    if (interrupted.aborted) return shown('');
    if (!isCutOff(error)) {
      return complaint(describeTrouble(socketPath, error, ANSWER_MS_MAX), EXIT_FAILED);
    }
  }
  if (interrupted.aborted) return shown('');
  return complaint(`the daemon at ${socketPath} has ended, or cut this watcher off`, EXIT_FAILED);
}

function ask(
  { socketPath, name, verbose }: WatchCommand,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const query = new URLSearchParams({
    ...(name === undefined ? {} : { name }),
    ...(verbose ? { verbose: 'true' } : {}),
  });
  const path = `/v1/events?${query.toString()}`;
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, agent: false, signal });
    const timer = setTimeout(() => asked.destroy(asTimeout()), ANSWER_MS_MAX);
    asked.once('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    asked.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end();
  });
}

/** What is cut off at the end was no line. */
async function* wholeLines(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

async function refused(response: IncomingMessage, socketPath: string): Promise<CommandOutcome> {
  try {
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    const { error } = JSON.parse(text) as { error: { message: string } };
    const unknownName = response.statusCode === HTTP_NOT_FOUND;
    return complaint(error.message, unknownName ? EXIT_USAGE : EXIT_FAILED);
  } catch {
    return strange(socketPath);
  }
}

function asText(line: string, output: TerminalLike): string {
  const text = fitted(watchText(JSON.parse(line) as WatchedEvent, localTime), output);
  return hasColour(output) ? inColour(text) : text;
}

function isCutOff(error: unknown): boolean {
  return error instanceof Error && error.message === 'aborted';
}
