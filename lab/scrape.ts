// Asks a carpd of a lab for its metrics, by a Unix socket: namespaces share the file system.
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { valueOf } from '../test/support/exposition.ts';
import type { Host } from './host.ts';
import { eventually } from './wait.ts';

/** Where the carpd of a host serves its metrics, in the words of the configuration. */
export function metricsAt(host: Host): string {
  return `unix:${metricsSocket(host)}`;
}

/** The settings for `startCarpd` with which it does. */
export function withMetrics(host: Host): { readonly metrics: { readonly listen: string } } {
  return { metrics: { listen: metricsAt(host) } };
}

/** The path of that socket. */
export function metricsSocket(host: Host): string {
  return join(host.directory, `${host.name}.metrics`);
}

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

/** Asks for a page; rejects where nobody answers. */
export function ask(host: Host, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath: metricsSocket(host), path, agent: false }, (response) => {
      read(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    request.on('error', reject);
  });
}

/** All metrics, as text. */
export async function scrape(host: Host): Promise<string> {
  const { status, body } = await ask(host, '/metrics');
  if (status !== 200) throw new Error(`${status ?? 'no status'}: ${body}`);
  return body;
}

/** Scrapes until all these series have the values wanted, and yields that text. */
export function scrapeUntil(
  host: Host,
  wanted: Readonly<Record<string, number>>,
  withinMs: number,
): Promise<string> {
  let missing = '';
  const probe = async (): Promise<string | undefined> => {
    const text = await scrape(host);
    missing = Object.entries(wanted)
      .filter(([series, value]) => valueOf(text, series) !== value)
      .map(
        ([series, value]) => `  ${series} is ${valueOf(text, series) ?? 'not there'}, not ${value}`,
      )
      .join('\n');
    return missing === '' ? text : undefined;
  };
  const what = `the metrics of ${host.name}`;
  return eventually(probe, { withinMs, what, everyMs: 100, detail: () => missing });
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}
