// The addresses and routes of a host as `ip -j` shows them: what of them is missing afterwards, and
// the lines that make it anew. Pure.
import { formatIpv4, parseIpv4, type Ipv4 } from '../base/addresses.ts';
import { deviceWord, type DeviceName } from './plan.ts';
import type { AddressRecord } from './ports.ts';

/** What shows the IPv4 routes of all tables. */
export const SHOW_ROUTES = ['ip', '-4', '-details', '-j', 'route', 'show', 'table', 'all'] as const;
/** What shows the IPv4 addresses of all interfaces. */
export const SHOW_ADDRESSES = ['ip', '-4', '-j', 'addr', 'show'] as const;

/** A route: the words that make it, and what decides whether it is to be made anew. */
interface Route {
  readonly words: string;
  readonly devices: readonly string[];
  readonly byKernel: boolean;
  readonly source: string | undefined;
  readonly direct: boolean;
}

type Json = Readonly<Record<string, unknown>>;

const FOR_EVER = 0xffffffff;
const SCOPES: Readonly<Record<string, number>> = { global: 0, site: 200, link: 253, host: 254 };
/** What would have another meaning in a batch. */
const UNSAFE = /["'#\\\n]/;

/**
 * The lines for `ip -batch` that make anew the routes through `device` that were there before and
 * are not now. Left out are those that the kernel makes by itself and those from a virtual IP. A
 * route that others are reached by comes before them. `nameBefore`: what the device was called
 * at that time.
 */
export function missingRoutes(
  before: string,
  after: string,
  device: DeviceName,
  virtualIps: ReadonlySet<Ipv4>,
  nameBefore = device.name,
): readonly string[] {
  const left = new Set(readRoutes(after, device).map(({ words }) => words));
  const sources = new Set([...virtualIps].map(formatIpv4));
  const missing = readRoutes(before, device, nameBefore).filter(
    ({ words, devices, byKernel, source }) =>
      devices.includes(nameBefore) && !byKernel && !sources.has(source ?? '') && !left.has(words),
  );
  const ordered = [...missing.filter((r) => r.direct), ...missing.filter((r) => !r.direct)];
  return ordered.map(({ words }) => `route add ${words}`).filter((line) => !UNSAFE.test(line));
}

/**
 * The interface in what `ip -j addr` shows: by its index if that is known, else by its name or an
 * alternative one. Undefined: it is not there.
 */
export function findDevice(json: string, known: DeviceName): DeviceName | undefined {
  const isKnown = ({ ifindex, ifname, altnames }: Json): boolean => {
    if (known.ifindex !== undefined) return ifindex === known.ifindex;
    return ifname === known.name || (Array.isArray(altnames) && altnames.includes(known.name));
  };
  const link = readList(json).find(isKnown);
  const [name, ifindex] = [textOf(link?.['ifname']), numberOf(link?.['ifindex'])];
  return name === undefined ? undefined : { name, ifindex };
}

/** The addresses of one interface, with all that `ip` shows of them. */
export function readAddresses(json: string, device: string): readonly AddressRecord[] {
  const link = readList(json).find(({ ifname }) => ifname === device);
  return listOf(link?.['addr_info']).flatMap((info) => {
    const address = ipv4Of(info['local']);
    const prefixLength = numberOf(info['prefixlen']);
    if (address === undefined || prefixLength === undefined) return [];
    return [{ address, prefixLength, ...attributesOf(info, address) }];
  });
}

function attributesOf(info: Json, address: Ipv4): Omit<AddressRecord, 'address' | 'prefixLength'> {
  const broadcast = ipv4Of(info['broadcast']);
  const label = textOf(info['label']);
  const metric = numberOf(info['metric']);
  const validS = secondsOf(info['valid_life_time']);
  const preferredS = secondsOf(info['preferred_life_time']);
  return {
    peer: ipv4Of(info['address']) ?? address,
    scope: SCOPES[textOf(info['scope']) ?? ''] ?? Number(info['scope'] ?? 0),
    noPrefixRoute: info['noprefixroute'] === true,
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(label === undefined ? {} : { label }),
    ...(metric === undefined ? {} : { metric }),
    ...(validS === undefined ? {} : { validS }),
    ...(preferredS === undefined ? {} : { preferredS }),
  };
}

/** In the words, `device`, which is called `name` there, goes by what a batch understands. */
function readRoutes(json: string, device: DeviceName, name = device.name): readonly Route[] {
  return readList(json).map((route) => {
    const hops = listOf(route['nexthops']);
    const type = textOf(route['type']);
    const words = [
      ...(type === undefined || type === 'unicast' ? [] : [type]),
      textOf(route['dst']) ?? 'default',
      ...hopWords(route, device, name),
      ...named(route, [
        ['table', 'table'],
        ['protocol', 'proto'],
        ['scope', 'scope'],
        ['prefsrc', 'src'],
        ['metric', 'metric'],
        ['tos', 'tos'],
      ]),
      ...listOf(route['metrics']).flatMap((metrics) =>
        Object.entries(metrics).flatMap(([name, value]) => [name, String(value)]),
      ),
      ...hops.flatMap((hop) => [
        'nexthop',
        ...hopWords(hop, device, name),
        ...named(hop, [['weight', 'weight']]),
      ]),
    ];
    return {
      words: words.join(' '),
      devices: [route, ...hops].flatMap(({ dev }) => textOf(dev) ?? []),
      byKernel: route['protocol'] === 'kernel',
      source: textOf(route['prefsrc']),
      direct: ![route, ...hops].some((hop) => 'gateway' in hop || 'via' in hop),
    };
  });
}

/** How a route, or one of its hops, goes on. */
function hopWords(hop: Json, device: DeviceName, name: string): readonly string[] {
  const dev = hop['dev'] === name ? deviceWord(device) : hop['dev'];
  const via = isJson(hop['via']) ? hop['via'] : undefined;
  const flags = Array.isArray(hop['flags']) ? hop['flags'] : [];
  return [
    ...named(hop, [['gateway', 'via']]),
    ...(via === undefined ? [] : ['via', String(via['family']), String(via['host'])]),
    ...named({ dev }, [['dev', 'dev']]),
    ...(flags.includes('onlink') ? ['onlink'] : []),
  ];
}

/** The values of these keys, each behind its word. */
function named(json: Json, keys: readonly (readonly [string, string])[]): readonly string[] {
  return keys.flatMap(([key, word]) => {
    const value = json[key];
    return typeof value === 'string' || typeof value === 'number' ? [word, String(value)] : [];
  });
}

function readList(json: string): readonly Json[] {
  try {
    return listOf(JSON.parse(json));
  } catch {
    return [];
  }
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function secondsOf(value: unknown): number | undefined {
  return value === FOR_EVER ? undefined : numberOf(value);
}

function ipv4Of(value: unknown): Ipv4 | undefined {
  return typeof value === 'string' ? parseIpv4(value) : undefined;
}
