// HTTP as bytes, for requests that no client would send.
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';

/**
 * Sends bytes as they are to a Unix socket or a port; yields what came until the other side closed.
 */
export async function exchange(
  where: string | NetConnectOpts,
  bytes: string,
  end = false,
): Promise<string> {
  const to = typeof where === 'string' ? { path: where } : where;
  const socket = connect({ ...to, allowHalfOpen: true });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  if (end) socket.end(bytes);
  else socket.write(bytes);
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  socket.destroy();
  return text;
}

/** A request without a body; `more` are further lines of its header. */
export function request(method: string, target: string, more = ''): string {
  return `${method} ${target} HTTP/1.1\r\nhost: carpd\r\n${more}\r\n`;
}
