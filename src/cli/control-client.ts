// Asks the daemon through its control socket; says in one line why there is no answer.
import { statSync } from 'node:fs';
import { request } from 'node:http';
import { messageOf } from '../base/errors.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { unixGroupName } from '../serving/unix-accounts.ts';

/** An answer: the status of HTTP and the text, which is JSON. */
export interface ControlReply {
  readonly status: number;
  readonly text: string;
}

/** What is asked beside the path. */
export interface AskOptions {
  /** Sent as JSON by POST; undefined: GET. */
  readonly body?: unknown;
  /** How long the answer may take. */
  readonly withinMs?: number;
}

/** How long an answer may take, unless it waits for something. */
export const ANSWER_MS_MAX = 5_000;
/** Far more than the report of the largest configuration. */
const ANSWER_BYTES_MAX = 64_000_000;

/** Asks for `path`; the reason is a sentence without the program's name. */
export async function askDaemon(
  socketPath: string,
  path: string,
  { body, withinMs = ANSWER_MS_MAX }: AskOptions = {},
): Promise<Result<ControlReply, string>> {
  try {
    return ok(await exchange(socketPath, path, body, withinMs));
  } catch (error) {
    return fail(describeTrouble(socketPath, error, withinMs));
  }
}

function exchange(
  socketPath: string,
  path: string,
  body: unknown,
  withinMs: number,
): Promise<ControlReply> {
  const method = body === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) asked.destroy(new Error('the answer has no end'));
      });
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, text });
      });
      response.on('error', reject);
    });
    // Also where the connection is accepted by the kernel and by nobody else.
    const timer = setTimeout(() => asked.destroy(asTimeout()), withinMs);
    asked.on('close', () => {
      clearTimeout(timer);
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What ends a request that was not answered in time. */
export function asTimeout(): Error {
  return Object.assign(new Error('ETIMEDOUT'), { code: 'ETIMEDOUT' });
}

/** Why there is no answer, as a sentence with what to do. */
export function describeTrouble(socketPath: string, error: unknown, withinMs: number): string {
  const start = 'start it with carpd run --config FILE, or give --socket PATH (its control.socket)';
  switch (error instanceof Error && 'code' in error ? error.code : undefined) {
    case 'ENOENT':
      return (
        `no daemon answers at ${socketPath}: there is no such socket; ${start}. If one ` +
        'runs, its log tells why it has none (control-failed)'
      );
    case 'ECONNREFUSED':
      return `no daemon answers at ${socketPath}: the one that made the socket is gone; ${start}`;
    case 'ENOTSOCK':
      return `no daemon answers at ${socketPath}: it is no socket; ${start}`;
    case 'EACCES':
    case 'EPERM':
      return `${socketPath} may not be used: ${ownerText(socketPath)}`;
    case 'ETIMEDOUT':
      return (
        `the daemon at ${socketPath} has not answered in ${withinMs / 1_000} s: ` +
        'it is stopped or overloaded'
      );
    case 'ECONNRESET':
    // Cut before all of the question was written.
    case 'EPIPE':
    case 'EAGAIN':
      // A long answer is more likely to be cut off by the end of the daemon.
      if (withinMs > ANSWER_MS_MAX) return `the daemon at ${socketPath} ended before it answered`;
      return `the daemon at ${socketPath} has too many clients at once; ask again in a moment`;
    default:
      return `no daemon answers at ${socketPath}: ${messageOf(error)}; ${start}`;
  }
}

/** Who may use it, as far as that can be seen from here. */
function ownerText(socketPath: string): string {
  const remedy = (unixGroup: string): string =>
    `it is for root and the group ${unixGroup}; ask as one`;
  try {
    const { gid } = statSync(socketPath);
    return remedy(unixGroupName(gid) ?? String(gid));
  } catch {
    return 'its directory is closed to this user; ask as root';
  }
}
