// Where Prometheus and load balancers ask: /metrics, /healthz and /readyz over HTTP, on a port or a
// Unix socket. Whatever its clients do, it costs the election little.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { CarpdError, messageOf } from '../base/errors.ts';
import type { ListenAddress } from '../config/config.ts';
import { listenAt, type ClaimedPath } from '../serving/unix-socket.ts';
import { createGuardedServer, hasBody, sendBody, type Body } from '../serving/http-guard.ts';
import {
  keepOpening,
  type Losable,
  type Opened,
  type OpeningOptions,
} from '../serving/keep-opening.ts';

/** What /healthz and /readyz ask. */
export interface HealthSource {
  /** What is wrong with the process; undefined: it lives and its loop turns. */
  livenessFailure(): Promise<string | undefined>;
  /** Why it does not take part with all it is configured to; empty: it does. */
  readinessFailures(): readonly string[];
}

export interface MetricsServerOptions extends Omit<OpeningOptions, 'open'> {
  readonly address: ListenAddress;
  /** The metrics as text, and of which type that is. */
  readonly metrics: () => Promise<Uint8Array>;
  readonly metricsType: string;
  readonly health: HealthSource;
  /** A client could not be served, for a reason of ours. */
  readonly onFault: (reason: string) => void;
}

/** Prometheus opens one; the rest is room for those who look by hand, and for slow ones. */
const CONNECTIONS_MAX = 32;
const TEXT = 'text/plain; charset=utf-8';

/**
 * Opens the server and keeps it open, as `openControl` does with its socket. Closing it cuts its
 * clients, and removes the socket file if it is ours.
 */
export function openMetrics(options: MetricsServerOptions): Opened {
  const { onOpened, onFailed, onLost } = options;
  return keepOpening({ open: () => openServer(options), onOpened, onFailed, onLost });
}

/** Rejects with a CarpdError that says what to do. */
async function openServer(options: MetricsServerOptions): Promise<Losable> {
  const { address, onFault } = options;
  const server = createGuardedServer({
    connectionsMax: CONNECTIONS_MAX,
    onRequest: (request, response) => void answer(request, response, options),
    refusal: text,
  });
  const claim = await listen(server, address);
  // From here on an error concerns a single client.
  server.on('error', (error) => onFault(messageOf(error)));
  return {
    isLost: () => claim?.isOurs() === false,
    retire: () => {
      claim?.release();
      server.close();
    },
    close: () => {
      claim?.release();
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Reply {
  readonly status: number;
  readonly body: Body;
}

type ReplyMaker = (options: MetricsServerOptions) => Promise<Reply> | Reply;

const PAGES: Readonly<Record<string, ReplyMaker>> = {
  '/metrics': async ({ metrics, metricsType }) => {
    const content = Buffer.from(await metrics());
    return { status: 200, body: { contentType: metricsType, content } };
  },
  '/healthz': async ({ health }) => {
    const found = await health.livenessFailure();
    return found === undefined ? reply(200, 'healthy') : reply(503, `not healthy: ${found}`);
  },
  '/readyz': ({ health }) => {
    const found = health.readinessFailures();
    return found.length === 0 ? reply(200, 'ready') : reply(503, `not ready: ${found.join('; ')}`);
  },
};

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: MetricsServerOptions,
): Promise<void> {
  const { status, body } = await safeReply(request, options);
  const headers = status === 405 ? { allow: 'GET, HEAD' } : undefined;
  sendBody(response, status, body, headers);
}

/** A fault in a page must not end a daemon that may be master. */
async function safeReply(request: IncomingMessage, options: MetricsServerOptions): Promise<Reply> {
  try {
    return await replyTo(request, options);
  } catch (error) {
    options.onFault(`a request could not be answered: ${messageOf(error)}`);
    return reply(500, 'carpd could not answer; its log says why');
  }
}

function replyTo(request: IncomingMessage, options: MetricsServerOptions): Promise<Reply> | Reply {
  if (hasBody(request)) return reply(413, 'a request has no body here; send none');
  const [path = ''] = (request.url ?? '').split('?');
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
  if (page === undefined) {
    return reply(404, `there is nothing at this path; there are: ${Object.keys(PAGES).join(', ')}`);
  }
  if (request.method === 'GET' || request.method === 'HEAD') return page(options);
  return reply(405, 'this path takes GET and HEAD only');
}

function reply(status: number, message: string): Reply {
  return { status, body: text(message) };
}

function text(message: string): Body {
  return { contentType: TEXT, content: `${message}\n` };
}

/** Resolves to the claim of a Unix socket. */
async function listen(server: Server, address: ListenAddress): Promise<ClaimedPath | undefined> {
  if (address.kind === 'unix') {
    return listenAt(server, { path: address.path, unixGroup: undefined }, METRICS_SOCKET);
  }
  const { host, port } = address;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refused(address.text, error)));
    server.listen({ host, port, exclusive: true }, resolve);
  });
  server.removeAllListeners('error');
  return undefined;
}

const METRICS_SOCKET = { what: 'the metrics socket', setting: 'metrics.listen' };

/** What can be done about it, by the code of the system. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there; give each its own metrics.listen',
  EADDRNOTAVAIL: 'this host does not have the address now; correct metrics.listen, or add it',
  EACCES: 'ports below 1024 need the capability net_bind_service; choose a higher one',
};

function refused(where: string, error: NodeJS.ErrnoException): CarpdError {
  const reason = REMEDIES[error.code ?? ''] ?? `${messageOf(error)}; correct metrics.listen`;
  return new CarpdError('CARPD_CONTROL', `serve metrics at ${where}`, reason, error);
}
