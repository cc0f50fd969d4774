// The rules of nftables, as `nft -j list ruleset` prints them (libnftables-json(5)). Pure.
import { isFields, NamedSets, readVerdict, type Fields } from './nft-values.ts';
import {
  all,
  anyOf,
  isCarp,
  isDestination,
  isInterface,
  isSource,
  isStateOf,
  judgeChains,
  not,
  type AdvertPath,
  type Chain,
  type Fate,
  type Judgement,
  type Rule,
  type Tri,
} from './ruleset.ts';

/** Families whose chains see IPv4 packets of this host; netdev does at a device. */
const FAMILIES = ['ip', 'inet', 'netdev'];
/** Where the kernel calls chains on the way of an advert to its socket, and from it. */
const HOOKS = {
  input: ['ingress', 'prerouting', 'input'],
  output: ['output', 'postrouting', 'egress'],
} as const;
/** A chain of type nat accepts, or changes addresses that adverts do not have. */
const TYPES = ['filter', 'route'];
/** What all adverts have (RFC 3768, 5.2.3). */
const TTL = '255';
const OTHER_PROTOCOLS = ['tcp', 'udp', 'icmp', 'icmpv6', 'igmp', 'ip6', 'sctp', 'dccp', 'esp'];

/**
 * What becomes of adverts; undefined: the text is no such list. Tables of the family ip that
 * `except` names are left out: iptables-save tells more of those that iptables has made.
 */
export function nftFate(
  text: string,
  path: AdvertPath,
  except: readonly string[] = [],
): Fate | undefined {
  return judgeNft(text, path, except)?.fate;
}

/** The same, with the chain to blame as "family table chain". */
export function judgeNft(
  text: string,
  path: AdvertPath,
  except: readonly string[] = [],
): Judgement | undefined {
  const list = parsed(text);
  if (list === undefined) return undefined;
  const { chains, bases } = readChains(list, path, except);
  return judgeChains(chains, bases);
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

/** What a rule of a table is read with. */
interface Reading {
  readonly path: AdvertPath;
  readonly sets: NamedSets;
  /** "family table", before the name of a chain or set. */
  readonly place: string;
  /** Conditions of the chain itself. */
  readonly conditions: readonly Tri[];
}

function readChains(list: readonly Fields[], path: AdvertPath, except: readonly string[]): Ruleset {
  const chains = new Map<string, { rules: Rule[]; policy?: 'accept' | 'drop' }>();
  const bases: string[] = [];
  const unknown = new Set<string>();
  for (const { chain } of list) {
    if (!isFields(chain) || !FAMILIES.includes(String(chain['family']))) continue;
    if (chain['family'] === 'ip' && except.includes(String(chain['table']))) continue;
    const key = `${placeOf(chain)} ${String(chain['name'])}`;
    const isBase = isOnTheWay(chain, path);
    const isMaybeElsewhere = isBase && isOfUnknownDevice(chain);
    if (isMaybeElsewhere) unknown.add(key);
    const policy = chain['policy'] === 'drop' && !isMaybeElsewhere ? 'drop' : 'accept';
    chains.set(key, isBase ? { rules: [], policy } : { rules: [] });
    if (isBase) bases.push(key);
  }
  const sets = new NamedSets(list);
  for (const { rule } of list) {
    if (!isFields(rule)) continue;
    const expressions = Array.isArray(rule['expr']) ? rule['expr'].filter(isFields) : [];
    const place = placeOf(rule);
    const key = `${place} ${String(rule['chain'])}`;
    const conditions: readonly Tri[] = unknown.has(key) ? ['maybe'] : [];
    const rules = chains.get(key)?.rules;
    rules?.push(...readRule(expressions, { path, sets, place, conditions }));
  }
  return { chains, bases };
}

function placeOf({ family, table }: Fields): string {
  return `${String(family)} ${String(table)}`;
}

function isOnTheWay({ hook, type, dev }: Fields, path: AdvertPath): boolean {
  const hooks: readonly string[] = HOOKS[path.direction];
  if (!hooks.includes(String(hook)) || !TYPES.includes(String(type))) return false;
  if (dev === undefined) return true;
  return (Array.isArray(dev) ? dev : [dev]).includes(path.interfaceName);
}

/**
 * Older versions of nft, such as 1.0.6, leave out of their JSON which device such a chain is of.
 */
function isOfUnknownDevice({ family, hook, dev }: Fields): boolean {
  return dev === undefined && (family === 'netdev' || hook === 'ingress' || hook === 'egress');
}

/** One rule, or one for each verdict of a map. */
function readRule(expressions: readonly Fields[], reading: Reading): readonly Rule[] {
  const conditions: Tri[] = [...reading.conditions];
  for (const expression of expressions) {
    const [name = ''] = Object.keys(expression);
    const verdict = readVerdict(expression, (chain) => `${reading.place} ${chain}`);
    if (name === 'vmap') return readVerdictMap(expression[name], conditions, reading);
    if (verdict !== undefined) return [{ matches: all(conditions), verdict }];
    if (name === 'match') conditions.push(readMatch(expression[name], reading));
    // A limit, a quota, a match of iptables: nobody knows.
    else if (!HARMLESS.includes(name) && !isHarmless(expression['xt'])) conditions.push('maybe');
  }
  return [];
}

/** A map of verdicts is as many rules; one whose verdicts are not at hand may do anything. */
function readVerdictMap(
  vmap: unknown,
  conditions: readonly Tri[],
  reading: Reading,
): readonly Rule[] {
  const { key, data } = isFields(vmap) ? vmap : {};
  const pairs = reading.sets.pairs(data, reading.place);
  if (pairs === undefined) {
    return (['accept', 'drop'] as const).map((kind) => {
      return { matches: all([...conditions, 'maybe']), verdict: { kind } };
    });
  }
  return pairs.flatMap(([value, verdict]) => {
    const values = reading.sets.values(value, reading.place);
    const found = values === undefined ? 'maybe' : compare(key, values, reading.path);
    const read = readVerdict(verdict, (chain) => `${reading.place} ${chain}`);
    return read === undefined ? [] : [{ matches: all([...conditions, found]), verdict: read }];
  });
}

/** A match of iptables that looks at nothing, or a target that ends nothing. */
function isHarmless(xt: unknown): boolean {
  return isFields(xt) && (xt['type'] === 'target' || xt['name'] === 'comment');
}

/** They look at no packet and end nothing. */
const HARMLESS = ['counter', 'log', 'mangle', 'notrack', 'comment', 'ct helper', 'meter', 'set'];

function readMatch(match: unknown, { path, sets, place }: Reading): Tri {
  if (!isFields(match)) return 'maybe';
  const { op, left, right } = match;
  // A packet without the header that is asked for matches neither way.
  if (isOfOtherProtocol(left)) return 'no';
  if (!EQUALITIES.includes(op)) return 'maybe';
  const values = sets.values(right, place);
  const found = values === undefined ? 'maybe' : compare(left, values, path);
  return op === '!=' ? not(found) : found;
}

function isOfOtherProtocol(left: unknown): boolean {
  const payload = isFields(left) ? left['payload'] : undefined;
  return isFields(payload) && OTHER_PROTOCOLS.includes(String(payload['protocol']));
}

const EQUALITIES: readonly unknown[] = ['==', '!=', 'in'];

function compare(left: unknown, values: readonly string[], path: AdvertPath): Tri {
  if (!isFields(left)) return 'maybe';
  const { meta, payload, ct, fib } = left;
  if (isFields(fib)) return compareFib(fib, values);
  if (isFields(meta)) return compareMeta(String(meta['key']), values, path);
  if (isFields(ct)) return ct['key'] === 'state' ? isStateOf(values) : 'maybe';
  if (!isFields(payload)) return 'maybe';
  if (payload['protocol'] !== 'ip') return isOfOtherProtocol(left) ? 'no' : 'maybe';
  switch (payload['field']) {
    case 'protocol':
      return anyOf(values.map(isCarp));
    case 'daddr':
      return anyOf(values.map((value) => isDestination(value, path.destination)));
    case 'saddr':
      return isSource(values, path.sources);
    case 'ttl':
      return values.includes(TTL) ? 'yes' : 'no';
    default:
      return 'maybe';
  }
}

function compareMeta(key: string, values: readonly string[], path: AdvertPath): Tri {
  const own = path.direction === 'input' ? ['iifname', 'iif'] : ['oifname', 'oif'];
  if (own.includes(key)) {
    return anyOf(values.map((value) => isInterface(value, path.interfaceName, '*')));
  }
  switch (key) {
    case 'l4proto':
      return anyOf(values.map(isCarp));
    case 'nfproto':
      return anyOf(values.map((value) => (value === 'ipv4' ? 'yes' : 'no')));
    case 'protocol':
      return anyOf(values.map((value) => (value === 'ip' ? 'yes' : 'no')));
    case 'pkttype':
      return anyOf(values.map((value) => (value === 'multicast' ? 'yes' : 'no')));
    default:
      return 'maybe';
  }
}

/** The type of the address that adverts go to; of the rest the routes decide. */
function compareFib({ result, flags }: Fields, values: readonly string[]): Tri {
  const isTarget = flags === 'daddr' || (Array.isArray(flags) && flags.join() === 'daddr');
  if (result !== 'type' || !isTarget) return 'maybe';
  return values.includes('multicast') ? 'yes' : 'no';
}
