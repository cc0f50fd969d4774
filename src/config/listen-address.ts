// Where metrics are served, as text of the configuration or of an option: ADDR:PORT, [ADDR6]:PORT
// or unix:/PATH. Addresses only: what a name stands for may differ with every look-up. Pure.
import { fail, ok } from '../base/result.ts';
import { parseIpv4 } from '../base/addresses.ts';
import type { ListenAddress } from './config.ts';
import { show, socketPath, type Read } from './values.ts';

const UNIX_PREFIX = 'unix:';

/** A place to listen at. */
export function listenAddress(value: unknown): Read<ListenAddress> {
  const text = typeof value === 'string' ? value : '';
  if (text.startsWith(`${UNIX_PREFIX}/`)) {
    const path = socketPath(text.slice(UNIX_PREFIX.length));
    if (!path.ok) return fail(`${show(value)}: ${path.reason}`);
    if (path.value !== undefined) return ok({ kind: 'unix', text, path: path.value });
  }
  const [, v6, v4, digits] = /^(?:\[([^\]]*)\]|([^:]*)):([1-9]\d{0,4})$/.exec(text) ?? [];
  const host = v6 ?? v4 ?? '';
  const known = v6 === undefined ? parseIpv4(host) !== undefined : canonicalIpv6(v6) !== undefined;
  const port = Number(digits);
  if (known && port <= 65_535) return ok({ kind: 'tcp', text, host, port });
  return fail(`${show(value)} is neither ADDR:PORT (such as 127.0.0.1:9112) nor unix:/PATH`);
}

/** The same, or undefined for the word "off". */
export function listenAddressOrOff(value: unknown): Read<ListenAddress | undefined> {
  if (value === 'off') return ok(undefined);
  const address = listenAddress(value);
  return address.ok ? address : fail(`${address.reason}, nor off`);
}

/** What is to be said where others than this host can ask; undefined: they can't. */
export function exposureWarning(address: ListenAddress): string | undefined {
  if (address.kind === 'unix' || isLoopback(address.host)) return undefined;
  return (
    `${address.text} is not a loopback address: whoever can reach it can read who is master and ` +
    'which addresses serve; there is no password. Restrict it with a firewall, or use 127.0.0.1'
  );
}

function isLoopback(host: string): boolean {
  const ipv4 = parseIpv4(host);
  if (ipv4 !== undefined) return ipv4 >>> 24 === 127;
  const ipv6 = canonicalIpv6(host) ?? '';
  return ipv6 === '::1' || /^::ffff:7f[\da-f]{2}:/.test(ipv6);
}

/** In the shortest form, which is one for each address; undefined: it is none. */
function canonicalIpv6(text: string): string | undefined {
  if (!/^[\da-fA-F:.]+$/.test(text)) return undefined;
  const url = `http://[${text}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : undefined;
}
