// The rules of nftables, as `nft -j list ruleset` prints them (libnftables-json(5)). Pure.
import {
  all,
  fateOf,
  isCarp,
  isDestination,
  isInterface,
  isStateOf,
  not,
  worstFate,
  type AdvertPath,
  type Chain,
  type Fate,
  type Rule,
  type Tri,
  type Verdict,
} from './ruleset.ts';

/** Families whose chains see IPv4 packets of this host. */
const FAMILIES = ['ip', 'inet'];
const OTHER_PROTOCOLS = ['tcp', 'udp', 'icmp', 'icmpv6', 'igmp', 'ip6', 'sctp', 'dccp', 'esp'];

type Fields = Readonly<Record<string, unknown>>;

/** What becomes of adverts; undefined: the text is no such list. */
export function nftFate(text: string, path: AdvertPath): Fate | undefined {
  const list = parsed(text);
  if (list === undefined) return undefined;
  const { chains, bases } = readChains(list, path);
  return worstFate(bases.map((base) => fateOf(chains, base)));
}

function parsed(text: string): readonly Fields[] | undefined {
  try {
    const root: unknown = JSON.parse(text);
    const list = isFields(root) ? root['nftables'] : undefined;
    return Array.isArray(list) ? list.filter(isFields) : undefined;
  } catch {
    return undefined;
  }
}

interface Ruleset {
  readonly chains: ReadonlyMap<string, Chain>;
  /** Those that the kernel calls on the way. */
  readonly bases: readonly string[];
}

function readChains(list: readonly Fields[], path: AdvertPath): Ruleset {
  const chains = new Map<string, { rules: Rule[]; policy?: 'accept' | 'drop' }>();
  const bases: string[] = [];
  const place = ({ family, table }: Fields): string => `${String(family)} ${String(table)}`;
  for (const { chain } of list) {
    if (!isFields(chain) || !FAMILIES.includes(String(chain['family']))) continue;
    const key = `${place(chain)} ${String(chain['name'])}`;
    const policy = chain['policy'] === 'drop' ? 'drop' : 'accept';
    const isBase = chain['hook'] === path.direction && chain['type'] === 'filter';
    chains.set(key, isBase ? { rules: [], policy } : { rules: [] });
    if (isBase) bases.push(key);
  }
  for (const { rule } of list) {
    if (!isFields(rule)) continue;
    const expressions = Array.isArray(rule['expr']) ? rule['expr'].filter(isFields) : [];
    const key = (chain: string): string => `${place(rule)} ${chain}`;
    chains.get(key(String(rule['chain'])))?.rules.push(readRule(expressions, path, key));
  }
  return { chains, bases };
}

function readRule(
  expressions: readonly Fields[],
  path: AdvertPath,
  key: (chain: string) => string,
): Rule {
  const conditions: Tri[] = [];
  let verdict: Verdict = { kind: 'none' };
  for (const expression of expressions) {
    const [name = ''] = Object.keys(expression);
    const target = targetOf(expression[name]);
    if (name === 'match') conditions.push(readMatch(expression[name], path));
    else if (name === 'accept' || name === 'return') verdict = { kind: name };
    else if (name === 'drop' || name === 'reject') verdict = { kind: 'drop' };
    else if (name === 'jump' || name === 'goto') verdict = { kind: name, chain: key(target) };
    // A limit, a quota, a map of verdicts, a match of iptables: nobody knows.
    else if (!HARMLESS.includes(name)) conditions.push('maybe');
  }
  return { matches: all(conditions), verdict };
}

/** They look at no packet and end nothing. */
const HARMLESS = ['counter', 'log', 'mangle', 'notrack', 'comment', 'ct helper', 'meter', 'set'];

function targetOf(value: unknown): string {
  return isFields(value) ? String(value['target']) : '';
}

function readMatch(match: unknown, path: AdvertPath): Tri {
  if (!isFields(match)) return 'maybe';
  const values = valuesOf(match['right']);
  const found = values === undefined ? 'maybe' : compare(match['left'], values, path);
  return match['op'] === '!=' ? not(found) : found;
}

/** The one value, or those of a set in place; undefined: something else. */
function valuesOf(right: unknown): readonly string[] | undefined {
  if (typeof right === 'string' || typeof right === 'number') return [String(right)];
  if (Array.isArray(right)) return lists(right.map(valuesOf));
  if (!isFields(right)) return undefined;
  const { prefix, set } = right;
  if (isFields(prefix)) return [`${String(prefix['addr'])}/${String(prefix['len'])}`];
  return Array.isArray(set) ? lists(set.map(valuesOf)) : undefined;
}

function lists(all: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  const known = all.filter((values) => values !== undefined);
  return known.length === all.length ? known.flat() : undefined;
}

function compare(left: unknown, values: readonly string[], path: AdvertPath): Tri {
  if (!isFields(left)) return 'maybe';
  const { meta, payload, ct } = left;
  if (isFields(meta)) return compareMeta(String(meta['key']), values, path);
  if (isFields(ct)) return ct['key'] === 'state' ? isStateOf(values) : 'maybe';
  if (!isFields(payload)) return 'maybe';
  const protocol = String(payload['protocol']);
  if (OTHER_PROTOCOLS.includes(protocol)) return 'no';
  if (protocol !== 'ip') return 'maybe';
  if (payload['field'] === 'protocol') return anyOf(values, isCarp);
  const toGroup = (value: string): Tri => isDestination(value, path.group);
  return payload['field'] === 'daddr' ? anyOf(values, toGroup) : 'maybe';
}

function compareMeta(key: string, values: readonly string[], path: AdvertPath): Tri {
  const own = path.direction === 'input' ? ['iifname', 'iif'] : ['oifname', 'oif'];
  if (own.includes(key)) {
    return anyOf(values, (value) => isInterface(value, path.interfaceName, '*'));
  }
  switch (key) {
    case 'l4proto':
      return anyOf(values, isCarp);
    case 'nfproto':
      return anyOf(values, (value) => (value === 'ipv4' ? 'yes' : 'no'));
    case 'protocol':
      return anyOf(values, (value) => (value === 'ip' ? 'yes' : 'no'));
    case 'pkttype':
      return anyOf(values, (value) => (value === 'multicast' ? 'yes' : 'no'));
    default:
      return 'maybe';
  }
}

function anyOf(values: readonly string[], test: (value: string) => Tri): Tri {
  return not(all(values.map((value) => not(test(value)))));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
