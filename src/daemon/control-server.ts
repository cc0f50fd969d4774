// The control socket: HTTP with JSON over a Unix socket, from which `carpd status` and `carpd
// explain` live. Whatever its clients do or leave undone, it takes little and never waits.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../base/errors.ts';
import { show } from '../config/values.ts';
import { listenAt, type ClaimedPath } from './control-socket.ts';
import type { EventSink } from './event-bus.ts';
import type { EventOf } from './events.ts';
import type { InstanceReport, StatusReport } from './report.ts';

export interface ControlOptions {
  /** Absolute, at most 107 bytes. */
  readonly path: string;
  readonly events: EventSink;
  readonly status: () => StatusReport;
  /** Undefined: there is no instance of this name. */
  readonly explain: (name: string) => InstanceReport | undefined;
  /** The names of all instances. */
  readonly names: () => readonly string[];
}

/** The socket, open or tried again and again. */
export interface Control {
  /** Closes it, cuts its clients and removes the socket file if it is ours. */
  close(): void;
}

/** More clients than that at once are cut without an answer. */
const CONNECTIONS_MAX = 16;
/** A connection carries one request and its answer, and is over after this time in any case. */
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

/** What is answered: a status of HTTP and what becomes the JSON body. */
interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One thing that can be asked or done; a path that ends with a slash takes one more word. */
interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answer: (options: ControlOptions, word: string) => Reply;
}

const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/status',
    answer: ({ status }) => ({ status: 200, body: status() }),
  },
  {
    method: 'GET',
    path: '/v1/explain/',
    answer: ({ explain, names }, name) => {
      const report = explain(name);
      if (report !== undefined) return { status: 200, body: report };
      const known = names();
      const text = `no instance is named ${show(name)}; there are: ${known.join(', ')}`;
      return { status: 404, body: { error: { message: text, names: known } } };
    },
  },
];

function failed(
  during: EventOf<'control-failed'>['during'],
  error: unknown,
): EventOf<'control-failed'> {
  return { event: 'control-failed', during, detail: messageOf(error) };
}

function createControlServer(options: ControlOptions): Server {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
    send(response, safeReply(request, options));
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, keepAlive: false }, onRequest);
  // What a client expects beyond an answer is its own affair.
  server.on('checkExpectation', onRequest);
  server.maxConnections = CONNECTIONS_MAX;
  server.maxRequestsPerSocket = 1;
  server.on('connection', limitLife);
  server.on('clientError', refuseMalformed);
  return server;
}

/** Cuts who sends, or takes its answer, too slowly, however busy it looks. */
function limitLife(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), CONNECTION_MS_MAX);
  socket.once('close', () => {
    clearTimeout(timer);
  });
}

/** A fault in a report must not end a daemon that may be master. */
function safeReply(request: IncomingMessage, options: ControlOptions): Reply {
  try {
    return reply(request, options);
  } catch (error) {
    options.events.publish(failed('answering', error));
    return failure(500, 'carpd could not answer; its log tells why');
  }
}

function reply({ method, url = '', headers }: IncomingMessage, options: ControlOptions): Reply {
  if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
    return failure(413, 'a request has no body here; send none');
  }
  const [path = ''] = url.split('?');
  const found = ROUTES.filter((route) => wordOf(route, path) !== undefined);
  const route = found.find((one) => one.method === method);
  if (route !== undefined) return route.answer(options, wordOf(route, path) ?? '');
  if (found.length === 0) {
    const paths = ROUTES.map((one) => `${one.method} ${one.path}`).join(', ');
    return failure(404, `there is nothing at this path; there are: ${paths}`);
  }
  const allow = found.map((one) => one.method).join(', ');
  return { ...failure(405, `this path takes ${allow} only`), headers: { allow } };
}

/** What follows the path of the route; undefined if the route is not the one. */
function wordOf(route: Route, path: string): string | undefined {
  if (!route.path.endsWith('/')) return path === route.path ? '' : undefined;
  if (!path.startsWith(route.path)) return undefined;
  try {
    return decodeURIComponent(path.slice(route.path.length));
  } catch {
    return undefined;
  }
}

function failure(status: number, message: string): Reply {
  return { status, body: { error: { message } } };
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
