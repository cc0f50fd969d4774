// What the control socket can be asked and ordered: its paths, and the answer to each.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fail, ok, type Result } from '../base/result.ts';
import { show } from '../config/values.ts';
import { hasBody, readJson } from './request-body.ts';
import { readOrder, readReload } from './order-request.ts';
import { WATCHERS_MAX, type Watchers, type WatchWish } from './watchers.ts';
import { HANDOVER_MS_MAX } from './handover.ts';
import type { OrderResult } from '../events/catalogue/order-result.ts';
import type { Order } from './orders.ts';
import type { InstanceReport, StatusReport } from '../report/report.ts';

/** What came of an order to reload. */
export type ReloadResult =
  | {
      /** planned: it was only to be said what a reload would do. */
      readonly outcome: 'planned' | 'applied';
      /** What it changes and what that takes. */
      readonly lines: readonly string[];
      /** What of it could not be done, a sentence each. */
      readonly undone: readonly string[];
    }
  | { readonly outcome: 'refused'; readonly faults: readonly string[] };

/** What of the daemon the control socket speaks for. */
export interface Controlled {
  readonly status: () => StatusReport;
  /** Undefined: there is no instance of this name. */
  readonly explain: (name: string) => InstanceReport | undefined;
  /** The names of all instances. */
  readonly names: () => readonly string[];
  /** Who is sent events as they happen. */
  readonly watchers: Watchers;
  /**
   * Reads the configuration again and applies it, or with `dryRun` only says what that would do.
   * Never rejects.
   */
  readonly reload: (dryRun: boolean) => Promise<ReloadResult>;
  /** Carries an order out for these instances; never rejects. */
  readonly order: (order: Order, names: readonly string[]) => Promise<readonly OrderResult[]>;
}

/** What is answered: a status of HTTP and what becomes the JSON body. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that goes on until one side ends it. */
export interface StreamReply {
  readonly stream: (response: ServerResponse) => void;
}

/** One thing that can be asked or done; a path that ends with a slash takes one more word. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** How long the answer may take when the request has come in whole. */
  readonly lifeMs: number;
  readonly answer: (controlled: Controlled, asked: Asked) => Reply | StreamReply | Promise<Reply>;
}

/** What came with the request. */
interface Asked {
  /** The word behind the path. */
  readonly word: string;
  /** What stands behind the question mark. */
  readonly query: URLSearchParams;
  /** The body, parsed; undefined where the route takes none. */
  readonly body: unknown;
}

const QUESTION_MS = 5_000;
/** Beside the waits of a handover, the state directory may be slow. */
const ORDER_MS = HANDOVER_MS_MAX + 30_000;

/** The file is read within a minute, and masters that restart hand over. */
const RELOAD_MS = 60_000 + ORDER_MS;

/** Every route. */
export const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/status',
    lifeMs: QUESTION_MS,
    answer: ({ status }) => ({ status: 200, body: status() }),
  },
  {
    method: 'GET',
    path: '/v1/explain/',
    lifeMs: QUESTION_MS,
    answer: ({ explain, names }, { word }) => {
      const report = explain(word);
      return report === undefined ? unknownName(word, names()) : { status: 200, body: report };
    },
  },
  {
    method: 'GET',
    path: '/v1/events',
    lifeMs: QUESTION_MS,
    answer: (controlled, { query }) => watch(controlled, query),
  },
  {
    method: 'POST',
    path: '/v1/handover',
    lifeMs: ORDER_MS,
    answer: (controlled, { body }) => carryOut(controlled, 'handover', body),
  },
  {
    method: 'POST',
    path: '/v1/maintenance',
    lifeMs: ORDER_MS,
    answer: (controlled, { body }) => carryOut(controlled, 'maintenance', body),
  },
  {
    method: 'POST',
    path: '/v1/reload',
    lifeMs: RELOAD_MS,
    answer: (controlled, { body }) => reload(controlled, body),
  },
];

/** The answer to a request; `onWhole` is given how long it may take when it has come in whole. */
export async function reply(
  request: IncomingMessage,
  controlled: Controlled,
  onWhole: (lifeMs: number) => void,
): Promise<Reply | StreamReply> {
  const { method, url = '' } = request;
  const [path = '', search = ''] = url.split('?');
  const query = new URLSearchParams(search);
  const found = ROUTES.filter((route) => wordOf(route, path) !== undefined);
  const route = found.find((one) => one.method === method);
  if (route === undefined) return misdirected(found);
  const word = wordOf(route, path) ?? '';
  if (route.method === 'GET') {
    if (hasBody(request)) return failure(413, 'a question has no body; send none');
    return route.answer(controlled, { word, query, body: undefined });
  }
  const body = await readJson(request);
  if (!body.ok) return failure(body.reason.status, body.reason.message);
  onWhole(route.lifeMs);
  return route.answer(controlled, { word, query, body: body.value });
}

/** An answer that tells what went wrong. */
export function failure(status: number, message: string): Reply {
  return { status, body: { error: { message } } };
}

function misdirected(found: readonly Route[]): Reply {
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

function unknownName(name: string, known: readonly string[]): Reply {
  const text = `no instance is named ${show(name)}; there are: ${known.join(', ')}`;
  return { status: 404, body: { error: { message: text, names: known } } };
}

function watch({ watchers, names }: Controlled, query: URLSearchParams): Reply | StreamReply {
  const wish = readWatchWish(query);
  if (!wish.ok) return failure(400, wish.reason);
  const { name } = wish.value;
  const known = names();
  if (name !== undefined && !known.includes(name)) return unknownName(name, known);
  if (watchers.full) {
    return failure(503, `${WATCHERS_MAX} watch already, which is as many as may; end one of them`);
  }
  return { stream: (response) => watchers.begin(response, wish.value) };
}

function readWatchWish(query: URLSearchParams): Result<WatchWish, string> {
  const unknown = [...query.keys()].find((key) => key !== 'name' && key !== 'verbose');
  if (unknown !== undefined) {
    return fail(`there is no ${show(unknown)} here; there are: name=INSTANCE, verbose=true`);
  }
  const verbose = query.get('verbose') ?? 'false';
  if (verbose !== 'true' && verbose !== 'false') return fail('verbose is true or false');
  return ok({ name: query.get('name') ?? undefined, verbose: verbose === 'true' });
}

async function reload({ reload: order }: Controlled, body: unknown): Promise<Reply> {
  const read = readReload(body);
  if (!read.ok) return failure(400, read.reason);
  const { dryRun } = read.value;
  const result = await order(dryRun);
  if (result.outcome === 'refused') {
    const message = `${result.faults.join('; ')}; the old configuration stays in force`;
    return { status: 409, body: { error: { message, faults: result.faults } } };
  }
  const { lines, undone } = result;
  return { status: undone.length === 0 ? 200 : 409, body: { dryRun, lines, undone } };
}

async function carryOut(
  { order: give, names }: Controlled,
  kind: Order['kind'],
  body: unknown,
): Promise<Reply> {
  const read = readOrder(kind, body);
  if (!read.ok) return failure(400, read.reason);
  const { order, name } = read.value;
  const known = names();
  if (name !== undefined && !known.includes(name)) return unknownName(name, known);
  const results = await give(order, name === undefined ? known : [name]);
  const allDone = results.every(({ outcome }) => outcome === 'done');
  return { status: allDone ? 200 : 409, body: { results } };
}
