// The control socket: HTTP with JSON over a Unix socket, which the commands of carpd
// use. Whatever its clients do or leave undone, it takes little and never waits.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../base/errors.ts';
import { failure, reply, type Controlled, type Reply } from './control-routes.ts';
import { listenAt, type ClaimedPath } from './control-socket.ts';
import type { EventSink } from './event-bus.ts';
import type { EventOf } from './events.ts';

export interface ControlOptions extends Controlled {
  /** Absolute, at most 107 bytes. */
  readonly path: string;
  /** Name or number of the group that may use it. */
  readonly group: string | undefined;
  readonly events: EventSink;
}

/** The socket, open or tried again and again. */
export interface Control {
  /** Closes it, cuts its clients and removes the socket file if it is ours. */
  close(): void;
}

/** More clients than that at once are cut without an answer. */
const CONNECTIONS_MAX = 16;
/** A connection carries one request; it, and the answer's way back, take this long at most. */
const CONNECTION_MS_MAX = 5_000;
const HEADER_BYTES_MAX = 8_192;
const RETRY_MS = 10_000;
const CONTROL_SOCKET = { what: 'the control socket', setting: 'control.socket', mark: 'c' };

/**
 * Opens the control socket. That it can't be opened is logged, once for each reason, and tried
 * again every 10 s: the election does not depend on it.
 */
export function openControl(options: ControlOptions): Control {
  const { path, events } = options;
  let told: string | undefined;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let current: { readonly server: Server; readonly claim: ClaimedPath } | undefined;

  const attempt = async (): Promise<void> => {
    const server = createControlServer(options);
    try {
      const claim = await listenAt(server, path, CONTROL_SOCKET);
      // From here on an error concerns a single client.
      server.on('error', (error) => events.publish(failed('serving', error)));
      current = { server, claim };
      if (closed) {
        shut();
        return;
      }
      events.publish({ event: 'control-opened', path });
    } catch (error) {
      const text = messageOf(error);
      if (text !== told) events.publish(failed('opening', error));
      told = text;
      if (!closed) retry = setTimeout(() => void attempt(), RETRY_MS);
    }
  };
  const shut = (): void => {
    closed = true;
    clearTimeout(retry);
    current?.claim.release();
    current?.server.close();
    current?.server.closeAllConnections();
    current = undefined;
  };
  void attempt();
  return { close: shut };
}

function failed(
  during: EventOf<'control-failed'>['during'],
  error: unknown,
): EventOf<'control-failed'> {
  return { event: 'control-failed', during, detail: messageOf(error) };
}

function createControlServer(options: ControlOptions): Server {
  const lives = new WeakMap<Duplex, NodeJS.Timeout>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const limit = (lifeMs: number): void => limitLife(lives, request.socket, lifeMs);
    void safeReply(request, options, limit).then((answer) => {
      limit(CONNECTION_MS_MAX);
      send(response, answer);
    });
  };
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, keepAlive: false }, onRequest);
  // What a client expects beyond an answer is its own affair.
  server.on('checkExpectation', onRequest);
  server.maxConnections = CONNECTIONS_MAX;
  server.maxRequestsPerSocket = 1;
  server.on('connection', (socket) => limitLife(lives, socket, CONNECTION_MS_MAX));
  server.on('clientError', refuseMalformed);
  return server;
}

/** Cuts who sends, or takes its answer, too slowly, however busy it looks. */
function limitLife(lives: WeakMap<Duplex, NodeJS.Timeout>, socket: Socket, lifeMs: number): void {
  clearTimeout(lives.get(socket));
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), lifeMs);
  lives.set(socket, timer);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}

/** A fault in a report must not end a daemon that may be master. */
async function safeReply(
  request: IncomingMessage,
  options: ControlOptions,
  limit: (lifeMs: number) => void,
): Promise<Reply> {
  try {
    return await reply(request, options, limit);
  } catch (error) {
    options.events.publish(failed('answering', error));
    return failure(500, 'carpd could not answer; its log tells why');
  }
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
    ...headers,
  });
  response.end(text);
}

/** What is no HTTP, or too much of it, never becomes a request. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const status = tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const message = tooLong ? 'the header is too long' : 'this is no request of HTTP';
  const text = `${JSON.stringify({ error: { message } })}\n`;
  const head = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}`;
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\nconnection: close\r\n\r\n${text}`);
}
