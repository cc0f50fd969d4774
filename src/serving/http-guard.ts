// An HTTP server that takes little of a process with better things to do, whatever its clients do
// or leave undone: one request on a connection, few connections, little time and short headers.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface GuardOptions {
  /** More clients than that at once are cut without an answer. */
  readonly connectionsMax: number;
  /**
   * Called for each request; it may answer later, and give itself, or the answer's way back, so
   * much time from then on; undefined: without end. Must not throw.
   */
  readonly onRequest: (
    request: IncomingMessage,
    response: ServerResponse,
    limit: (lifeMs: number | undefined) => void,
  ) => void;
  /** What a client gets whose bytes are no request, besides the status. */
  readonly refusal: (message: string) => Body;
}

export interface Body {
  readonly contentType: string;
  readonly content: string | Buffer;
}

/** A connection carries one request; it, and the answer's way back, take this long at most. */
export const CONNECTION_MS_MAX = 5_000;
const HEADER_BYTES_MAX = 8_192;

/** Makes the server, with its limits set; it does not listen yet. */
export function createGuardedServer(options: GuardOptions): Server {
  const { connectionsMax, refusal } = options;
  const lives = new WeakMap<Duplex, NodeJS.Timeout>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    options.onRequest(request, response, (lifeMs) => limitLife(lives, request.socket, lifeMs));
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, keepAlive: false }, onRequest);
  // What a client expects beyond an answer is its own affair.
  server.on('checkExpectation', onRequest);
  server.maxConnections = connectionsMax;
  server.maxRequestsPerSocket = 1;
  server.on('connection', (socket) => limitLife(lives, socket, CONNECTION_MS_MAX));
  server.on('clientError', (error, socket) => refuseMalformed(error, socket, refusal));
  return server;
}

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
}

/** Answers and ends the connection. */
export function sendBody(
  response: ServerResponse,
  status: number,
  { contentType, content }: Body,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(content),
    connection: 'close',
    ...headers,
  });
  response.end(content);
}

/** Cuts who sends, or takes its answer, too slowly, however busy it looks; undefined: never. */
function limitLife(
  lives: WeakMap<Duplex, NodeJS.Timeout>,
  socket: Socket,
  lifeMs: number | undefined,
): void {
  clearTimeout(lives.get(socket));
  if (socket.destroyed || lifeMs === undefined) return;
  const timer = setTimeout(() => socket.destroy(), lifeMs);
  lives.set(socket, timer);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}

/** What is no HTTP, or too much of it, never becomes a request. */
function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  refusal: GuardOptions['refusal'],
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const status = tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const message = tooLong ? 'the header is too long' : 'this is no request of HTTP';
  const { contentType, content } = refusal(message);
  const head = `content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(content)}`;
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\nconnection: close\r\n\r\n${content.toString()}`);
}
