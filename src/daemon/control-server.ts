// The control socket: HTTP with JSON over a Unix socket, which the commands of carpd
// use. Whatever its clients do or leave undone, it takes little and never waits.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../base/errors.ts';
import { failure, reply, type Controlled, type Reply, type StreamReply } from './control-routes.ts';
import { listenAt, type ClaimedPath, type Place } from './control-socket.ts';
import type { EventSink } from './event-bus.ts';
import type { EventOf } from './events.ts';

export interface ControlOptions extends Controlled, Place {
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
/** How soon a socket file that somebody removed is made anew. */
const LOOK_MS = 5_000;

/**
 * Opens the control socket and keeps it open. That it can't be opened is told, once for each
 * reason, and tried again every 10 s: the election does not depend on it.
 */
export function openControl(options: ControlOptions): Control {
  const keeper = new Keeper(options);
  keeper.open();
  return keeper;
}

class Keeper implements Control {
  readonly #options: ControlOptions;
  #told: string | undefined;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #current: { readonly server: Server; readonly claim: ClaimedPath } | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  open(): void {
    void this.#attempt();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#current?.claim.release();
    this.#options.watchers.close();
    this.#current?.server.close();
    this.#current?.server.closeAllConnections();
    this.#current = undefined;
  }

  async #attempt(): Promise<void> {
    const { path, events } = this.#options;
    const server = createControlServer(this.#options);
    try {
      const claim = await listenAt(server, this.#options);
      // From here on an error concerns a single client.
      server.on('error', (error) => events.publish(failed('serving', error)));
      this.#current = { server, claim };
    } catch (error) {
      const text = messageOf(error);
      if (text !== this.#told) events.publish(failed('opening', error));
      this.#told = text;
      if (!this.#isClosed()) this.#timer = setTimeout(() => this.open(), RETRY_MS);
      return;
    }
    if (this.#isClosed()) {
      this.close();
      return;
    }
    this.#told = undefined;
    events.publish({ event: 'control-opened', path });
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** A daemon that can't be asked must not stay so because somebody tidied up its directory. */
  #look(): void {
    const { path, events } = this.#options;
    if (this.#current?.claim.isOurs() !== false) return;
    clearInterval(this.#timer);
    // Who is connected is still answered.
    this.#current.server.close();
    this.#current = undefined;
    const text = `somebody removed or replaced ${path}; it is opened again`;
    events.publish({ event: 'control-failed', during: 'serving', detail: text });
    this.open();
  }

  #isClosed(): boolean {
    return this.#closed;
  }
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
    const limit = (lifeMs: number | undefined): void => limitLife(lives, request.socket, lifeMs);
    void safeReply(request, options, limit).then((answer) => {
      if ('stream' in answer) {
        limit(undefined);
        stream(response, answer, options);
        return;
      }
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

/** A fault in a report must not end a daemon that may be master. */
async function safeReply(
  request: IncomingMessage,
  options: ControlOptions,
  limit: (lifeMs: number) => void,
): Promise<Reply | StreamReply> {
  try {
    return await reply(request, options, limit);
  } catch (error) {
    options.events.publish(failed('answering', error));
    return failure(500, 'carpd could not answer; its log tells why');
  }
}

/** Answers without an end; a fault in it must not end a daemon that may be master. */
function stream(response: ServerResponse, answer: StreamReply, { events }: ControlOptions): void {
  try {
    answer.stream(response);
  } catch (error) {
    events.publish(failed('answering', error));
    response.destroy();
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
