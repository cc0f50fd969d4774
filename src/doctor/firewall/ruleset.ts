// What a set of firewall rules does to one kind of packet, as far as that can be told without
// sending one. Pure.

/** Whether a rule is about the packet: maybe, where it looks at what is not known of it. */
export type Tri = 'yes' | 'no' | 'maybe';

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'none' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

export interface Rule {
  readonly matches: Tri;
  readonly verdict: Verdict;
}

/** A chain; only one that the kernel itself calls has a policy. */
export interface Chain {
  readonly rules: readonly Rule[];
  readonly policy?: 'accept' | 'drop';
}

/** What becomes of the packet in the end. */
export type Fate = 'accepted' | 'dropped' | 'may be dropped';

const DEPTH_MAX = 64;

/** Follows the packet through the chain that the kernel calls, and those that it calls. */
export function fateOf(chains: ReadonlyMap<string, Chain>, base: string): Fate {
  const ends = { ...endsOf({ chains, known: new Map() }, base, []) };
  const { policy = 'accept' } = chains.get(base) ?? {};
  if (ends.returns) ends[policy] = true;
  if (!ends.drop) return 'accepted';
  return ends.accept ? 'may be dropped' : 'dropped';
}

/** All of several that each see the packet. */
export function worstFate(fates: readonly Fate[]): Fate {
  if (fates.includes('dropped')) return 'dropped';
  return fates.includes('may be dropped') ? 'may be dropped' : 'accepted';
}

/** What becomes of adverts, and by which chain. */
export interface Judgement {
  readonly fate: Fate;
  /** The first that does not let them pass; undefined: all do. */
  readonly chain: string | undefined;
}

/** Of chains that each see the packet. */
export function judgeChains(
  chains: ReadonlyMap<string, Chain>,
  bases: readonly string[],
): Judgement {
  const fates = bases.map((chain) => ({ chain, fate: fateOf(chains, chain) }));
  const fate = worstFate(fates.map((one) => one.fate));
  const culprit = fates.find((one) => fate !== 'accepted' && one.fate === fate);
  return { fate, chain: culprit?.chain };
}

/** The ways on which the packet may leave a chain: several, where it is not known what matches. */
interface Ends {
  accept: boolean;
  drop: boolean;
  /** It comes back without a verdict. */
  returns: boolean;
}

interface Walked {
  readonly chains: ReadonlyMap<string, Chain>;
  /** What is known of chains by now: one that many rules call is walked once. */
  readonly known: Map<string, Readonly<Ends>>;
}

/** `path` has the chains that led here; one that calls itself again is left without a verdict. */
function endsOf(walked: Walked, name: string, path: readonly string[]): Readonly<Ends> {
  const before = walked.known.get(name);
  if (before !== undefined) return before;
  const isTooDeep = path.includes(name) || path.length > DEPTH_MAX;
  const rules = isTooDeep ? [] : (walked.chains.get(name)?.rules ?? []);
  const ends = walk(rules, (chain) => endsOf(walked, chain, [...path, name]));
  if (!isTooDeep) walked.known.set(name, ends);
  return ends;
}

function walk(rules: readonly Rule[], call: (chain: string) => Readonly<Ends>): Ends {
  const ends: Ends = { accept: false, drop: false, returns: false };
  for (const { matches, verdict } of rules) {
    if (matches === 'no') continue;
    const goesOn = follow(verdict, ends, call);
    if (!goesOn && matches === 'yes') return ends;
  }
  ends.returns = true;
  return ends;
}

/** Adds to `ends` where the verdict leads; whether the packet may come to the next rule. */
function follow(verdict: Verdict, ends: Ends, into: (chain: string) => Ends): boolean {
  switch (verdict.kind) {
    case 'none':
      return true;
    case 'accept':
    case 'drop':
      ends[verdict.kind] = true;
      return false;
    case 'return':
      ends.returns = true;
      return false;
    case 'jump':
    case 'goto': {
      const inside = into(verdict.chain);
      ends.accept ||= inside.accept;
      ends.drop ||= inside.drop;
      if (verdict.kind === 'jump') return inside.returns;
      ends.returns ||= inside.returns;
      return false;
    }
  }
}

/** All conditions together. */
export function all(conditions: readonly Tri[]): Tri {
  if (conditions.includes('no')) return 'no';
  return conditions.includes('maybe') ? 'maybe' : 'yes';
}

/** One of several conditions. */
export function anyOf(conditions: readonly Tri[]): Tri {
  return not(all(conditions.map(not)));
}

/** The contrary. */
export function not(condition: Tri): Tri {
  if (condition === 'maybe') return 'maybe';
  return condition === 'yes' ? 'no' : 'yes';
}

/** What is known of the adverts of a group: those of peers on the way in, ours on the way out. */
export interface AdvertPath {
  readonly direction: 'input' | 'output';
  readonly interfaceName: string;
  /** Destination of the adverts, as text. */
  readonly destination: string;
  /** Who sends them, as text; undefined or empty: nobody knows. */
  readonly sources?: readonly string[];
}

const CARP_NAMES = ['112', 'vrrp', 'carp'];

/** Whether a protocol, by number or by a name of /etc/protocols, is CARP's. */
export function isCarp(protocol: string): Tri {
  return CARP_NAMES.includes(protocol.toLowerCase()) || protocol === 'all' ? 'yes' : 'no';
}

/** A name of an interface, or the beginning of one before the wildcard. */
export function isInterface(pattern: string, name: string, wildcard: '*' | '+'): Tri {
  const matches = pattern.endsWith(wildcard)
    ? name.startsWith(pattern.slice(0, -1))
    : name === pattern;
  return matches ? 'yes' : 'no';
}

/** An address with or without prefix length. */
export function isDestination(text: string, destination: string): Tri {
  const [address = '', length = '32'] = text.split('/');
  const [mask, given, wanted] = [Number(length), numberOf(address), numberOf(destination)];
  if (given === undefined || wanted === undefined || !(mask >= 0 && mask <= 32)) return 'maybe';
  const size = 2 ** (32 - mask);
  return Math.floor(given / size) === Math.floor(wanted / size) ? 'yes' : 'no';
}

/** The same for who sends, of several; maybe, where one sender is meant and another is not. */
export function isSource(texts: readonly string[], sources: readonly string[] = []): Tri {
  const verdicts = new Set(
    sources.map((source) => anyOf(texts.map((text) => isDestination(text, source)))),
  );
  const [only] = verdicts;
  return only === undefined || verdicts.size > 1 ? 'maybe' : only;
}

/** Adverts are answered by nobody: connection tracking holds each for the first one. */
export function isStateOf(states: readonly string[]): Tri {
  return states.some((state) => state.toLowerCase() === 'new') ? 'yes' : 'no';
}

function numberOf(address: string): number | undefined {
  const octets = address.split('.').map(Number);
  const valid = octets.length === 4 && octets.every((octet) => octet >= 0 && octet <= 255);
  return valid ? octets.reduce((sum, octet) => sum * 256 + octet, 0) : undefined;
}
