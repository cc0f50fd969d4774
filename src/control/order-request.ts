// The orders that come by the control socket: an object of JSON read strictly, since what was
// misspelt must not become an order that was not meant.
import { fail, ok, type Result } from '../base/result.ts';
import { didYouMean } from '../config/suggest.ts';
import { show } from '../config/values.ts';
import type { Order } from './orders.ts';

/** An order and whom it concerns: an instance by its name, or undefined for all. */
export interface OrderRequest {
  readonly order: Order;
  readonly name: string | undefined;
}

const KEYS = {
  handover: ['name', 'all', 'force'],
  maintenance: ['on', 'name', 'all', 'force'],
} as const satisfies Record<Order['kind'], readonly string[]>;

/** Reads the body of an order; the reason is a sentence. */
export function readOrder(kind: Order['kind'], body: unknown): Result<OrderRequest, string> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return fail('the body is no object of JSON; send one such as {"name": "db"}');
  }
  const keys: readonly string[] = KEYS[kind];
  const given = new Map<string, unknown>(Object.entries(body));
  for (const key of given.keys()) {
    if (keys.includes(key)) continue;
    const hint = didYouMean(key, keys);
    return fail(`unknown key ${show(key)}${hint === '' ? `; known are ${keys.join(', ')}` : hint}`);
  }
  for (const key of ['on', 'all', 'force']) {
    const value = given.get(key);
    if (value === undefined || typeof value === 'boolean') continue;
    return fail(`${key}: ${show(value)} is not true or false`);
  }
  const name = given.get('name');
  if (name !== undefined && typeof name !== 'string') {
    return fail(`name: ${show(name)} is no text; give the name of an instance`);
  }
  const all = given.get('all') === true;
  if (all === (name !== undefined)) {
    return fail('give either the name of an instance ("name") or "all": true');
  }
  const force = given.get('force') === true;
  if (kind === 'handover') return ok({ order: { kind, force }, name });
  const on = given.get('on');
  if (typeof on !== 'boolean') return fail('on: is missing; give true or false');
  return ok({ order: { kind, on, force }, name });
}

/** Reads the body of a reload: {} or {"dryRun": true}. */
export function readReload(body: unknown): Result<{ readonly dryRun: boolean }, string> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return fail('the body is no object of JSON; send {} or {"dryRun": true}');
  }
  const given = new Map<string, unknown>(Object.entries(body));
  const unknown = [...given.keys()].find((key) => key !== 'dryRun');
  if (unknown !== undefined) return fail(`unknown key ${show(unknown)}; known is dryRun`);
  const dryRun = given.get('dryRun') ?? false;
  if (typeof dryRun !== 'boolean') return fail(`dryRun: ${show(dryRun)} is not true or false`);
  return ok({ dryRun });
}
