// The body of a request to the control socket, which is small, comes at once, and is JSON.
import type { IncomingMessage } from 'node:http';
import { fail, ok, type Result } from '../base/result.ts';

/** Why a body is not taken: a status of HTTP and a sentence. */
export interface BodyRefusal {
  readonly status: 400 | 408 | 413;
  readonly message: string;
}

/** Far more than an order needs. */
export const BODY_BYTES_MAX = 4_096;
/** Less than a connection lives, so that the refusal gets through. */
const BODY_MS_MAX = 3_000;

/** Whether a body comes with the request. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
}

/** Reads the body to its end and parses it. Never rejects. */
export async function readJson(request: IncomingMessage): Promise<Result<unknown, BodyRefusal>> {
  const bytes = await readBytes(request);
  if (!bytes.ok) return bytes;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.value);
    return ok(JSON.parse(text));
  } catch {
    return fail({ status: 400, message: 'the body is no JSON; send an object such as {}' });
  }
}

function readBytes(request: IncomingMessage): Promise<Result<Uint8Array, BodyRefusal>> {
  const tooLarge: BodyRefusal = {
    status: 413,
    message: `the body is larger than ${BODY_BYTES_MAX} bytes`,
  };
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES_MAX) {
    return Promise.resolve(fail(tooLarge));
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (result: Result<Uint8Array, BodyRefusal>): void => {
      clearTimeout(timer);
      request.removeAllListeners('data');
      resolve(result);
    };
    const tooSlow: BodyRefusal = {
      status: 408,
      message: `the body was not there within ${BODY_MS_MAX / 1_000} s`,
    };
    const timer = setTimeout(() => end(fail(tooSlow)), BODY_MS_MAX);
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > BODY_BYTES_MAX) end(fail(tooLarge));
    });
    request.once('end', () => end(ok(Buffer.concat(chunks))));
    // Nobody is there to read the answer; it ends what waits for it.
    const cutOff = (): void => end(fail({ status: 400, message: 'the body is cut off' }));
    request.once('error', cutOff);
    request.once('close', cutOff);
  });
}
