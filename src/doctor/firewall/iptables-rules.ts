// The rules of iptables, as `iptables-save` prints them. Pure.
import {
  all,
  isCarp,
  isDestination,
  isInterface,
  isSource,
  isStateOf,
  judgeChains,
  not,
  type AdvertPath,
  type Fate,
  type Judgement,
  type Rule,
  type Tri,
  type Verdict,
} from './ruleset.ts';

/** Where the kernel calls chains on the way of an advert, by table. */
const BASES = {
  input: ['raw PREROUTING', 'mangle PREROUTING', 'mangle INPUT', 'filter INPUT'],
  output: ['raw OUTPUT', 'mangle OUTPUT', 'filter OUTPUT', 'mangle POSTROUTING'],
} as const;

/** What becomes of adverts in all tables that the text has. */
export function iptablesFate(text: string, path: AdvertPath): Fate {
  return judgeIptables(text, path).fate;
}

/** The same, with the chain to blame as "table CHAIN"; undefined: all let adverts pass. */
export function judgeIptables(text: string, path: AdvertPath): Judgement {
  const chains = new Map<string, { rules: Rule[]; policy?: 'accept' | 'drop' }>();
  let table = '';
  for (const line of text.split('\n')) {
    const name = tableOf(line);
    if (name !== undefined) table = name;
    const key = (chain: string): string => `${table} ${chain}`;
    const [first = '', second = ''] = line.split(' ');
    if (first.startsWith(':')) {
      const policy = { DROP: 'drop', ACCEPT: 'accept' } as const;
      const known = second === 'DROP' || second === 'ACCEPT' ? { policy: policy[second] } : {};
      chains.set(key(first.slice(1)), { rules: [], ...known });
    }
    if (first === '-A') {
      chains.get(key(second))?.rules.push(readRule(words(line).slice(2), path, key));
    }
  }
  return judgeChains(chains, BASES[path.direction]);
}

/** The tables that the text has rules of, by their names. */
export function tablesIn(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => tableOf(line) ?? []);
}

/** "*filter" begins a table. */
function tableOf(line: string): string | undefined {
  return line.startsWith('*') ? line.slice(1).trim() : undefined;
}

/** The words of a line; a comment in quotes is one. */
function words(line: string): readonly string[] {
  return (line.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ''));
}

function readRule(
  options: readonly string[],
  path: AdvertPath,
  key: (chain: string) => string,
): Rule {
  const conditions: Tri[] = [];
  let verdict: Verdict = { kind: 'none' };
  let negated = false;
  for (let index = 0; index < options.length; index += 1) {
    const option = options[index] ?? '';
    const value = options[index + 1] ?? '';
    if (option === '!') {
      negated = true;
      continue;
    }
    if (option === '-j' || option === '-g') {
      verdict = verdictOf(option, value, key);
      // What follows says how a target does it.
      break;
    }
    const condition = conditionOf(option, value, path);
    if (condition !== undefined) conditions.push(negated ? not(condition) : condition);
    negated = false;
    index += 1;
  }
  return { matches: all(conditions), verdict };
}

function verdictOf(option: string, target: string, key: (chain: string) => string): Verdict {
  if (option === '-g') return { kind: 'goto', chain: key(target) };
  switch (target) {
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
    case 'REJECT':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
    default:
      // A target such as LOG is a chain that has no rules.
      return { kind: 'jump', chain: key(target) };
  }
}

/** Undefined: the option is no condition. */
function conditionOf(option: string, value: string, path: AdvertPath): Tri | undefined {
  switch (option) {
    case '-p':
      return isCarp(value);
    case '-d':
      return isDestination(value, path.destination);
    case '-s':
      return isSource(value.split(','), path.sources);
    case '-i':
      return path.direction === 'input' ? isInterface(value, path.interfaceName, '+') : 'no';
    case '-o':
      return path.direction === 'output' ? isInterface(value, path.interfaceName, '+') : 'no';
    case '--ctstate':
    case '--state':
      return isStateOf(value.split(','));
    case '--pkt-type':
      return value === 'multicast' ? 'yes' : 'no';
    case '--dst-type':
      return value.split(',').includes('MULTICAST') ? 'yes' : 'no';
    case '-m':
    case '--comment':
      return undefined;
    default:
      return 'maybe';
  }
}
