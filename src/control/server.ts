// The control socket: HTTP with JSON over a Unix socket, which the commands of carpd
// use. Whatever its clients do or leave undone, it takes little and never waits.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../base/errors.ts';
import { failure, reply, type Controlled, type Reply, type StreamReply } from './routes.ts';
import { listenAt, type Place } from '../serving/unix-socket.ts';
import type { EventSink } from '../events/bus.ts';
import type { EventOf } from '../events/events.ts';
import {
  CONNECTION_MS_MAX,
  createGuardedServer,
  sendBody,
  type Body,
} from '../serving/http-guard.ts';
import { keepOpening, type Losable, type Opened } from '../serving/keep-opening.ts';

export interface ControlOptions extends Controlled, Place {
  readonly events: EventSink;
}

/** More clients than that at once are cut without an answer. */
const CONNECTIONS_MAX = 16;
const CONTROL_SOCKET = { what: 'the control socket', setting: 'control.socket' };

/**
 * Opens the control socket and keeps it open. That it can't be opened is reported, once for each
 * reason, and tried again every 10 s: the election does not depend on it. Closing it cuts its
 * clients, and removes the socket file if it is ours; retiring it lets them have their answers.
 */
export function openControl(options: ControlOptions): Opened {
  const { path, events } = options;
  return keepOpening({
    open: () => openServer(options),
    onOpened: () => events.publish({ event: 'control-opened', path }),
    onFailed: (detail) => events.publish({ event: 'control-failed', during: 'opening', detail }),
    onLost: () => {
      const detail = `somebody removed or replaced ${path}; it is opened again`;
      events.publish({ event: 'control-failed', during: 'serving', detail });
    },
  });
}

async function openServer(options: ControlOptions): Promise<Losable> {
  const { events, watchers } = options;
  const server = createGuardedServer({
    connectionsMax: CONNECTIONS_MAX,
    onRequest: (request, response, limit) => void answer(request, response, limit, options),
    refusal: (message) => json({ error: { message } }),
  });
  const claim = await listenAt(server, options, CONTROL_SOCKET);
  // From here on an error concerns a single client.
  server.on('error', (error) => events.publish(failed('serving', error)));
  return {
    // A daemon that can't be asked must not stay so because somebody tidied up its directory.
    isLost: () => !claim.isOurs(),
    retire: () => {
      claim.release();
      server.close();
    },
    close: () => {
      claim.release();
      watchers.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  limit: (lifeMs: number | undefined) => void,
  options: ControlOptions,
): Promise<void> {
  const found = await safeReply(request, options, limit);
  if ('stream' in found) {
    limit(undefined);
    stream(response, found, options);
    return;
  }
  limit(CONNECTION_MS_MAX);
  sendBody(response, found.status, json(found.body), found.headers);
}

function failed(
  during: EventOf<'control-failed'>['during'],
  error: unknown,
): EventOf<'control-failed'> {
  return { event: 'control-failed', during, detail: messageOf(error) };
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
    return failure(500, 'carpd could not answer; its log says why');
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

function json(body: unknown): Body {
  return { contentType: 'application/json', content: `${JSON.stringify(body)}\n` };
}
