// The rules of iptables, as `iptables-save` prints them. Pure.
import {
  all,
  fateOf,
  isCarp,
  isDestination,
  isInterface,
  isStateOf,
  not,
  type AdvertPath,
  type Fate,
  type Rule,
  type Tri,
  type Verdict,
} from './ruleset.ts';

/** What becomes of adverts in the filter table. */
export function iptablesFate(text: string, path: AdvertPath): Fate {
  const chains = new Map<string, { rules: Rule[]; policy?: 'accept' | 'drop' }>();
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    if (table !== 'filter') continue;
    const [first = '', second = ''] = line.split(' ');
    if (first.startsWith(':')) {
      const policy = { DROP: 'drop', ACCEPT: 'accept' } as const;
      const known = second === 'DROP' || second === 'ACCEPT' ? { policy: policy[second] } : {};
      chains.set(first.slice(1), { rules: [], ...known });
    }
    if (first === '-A') chains.get(second)?.rules.push(readRule(words(line).slice(2), path));
  }
  return fateOf(chains, path.direction === 'input' ? 'INPUT' : 'OUTPUT');
}

/** The words of a line; a comment in quotes is one. */
function words(line: string): readonly string[] {
  return (line.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, ''));
}

function readRule(options: readonly string[], path: AdvertPath): Rule {
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
      verdict = verdictOf(option, value);
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

function verdictOf(option: string, target: string): Verdict {
  if (option === '-g') return { kind: 'goto', chain: target };
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
      return { kind: 'jump', chain: target };
  }
}

/** Undefined: the option is no condition. */
function conditionOf(option: string, value: string, path: AdvertPath): Tri | undefined {
  switch (option) {
    case '-p':
      return isCarp(value);
    case '-d':
      return isDestination(value, path.group);
    case '-i':
      return path.direction === 'input' ? isInterface(value, path.interfaceName, '+') : 'no';
    case '-o':
      return path.direction === 'output' ? isInterface(value, path.interfaceName, '+') : 'no';
    case '--ctstate':
    case '--state':
      return isStateOf(value.split(','));
    case '--pkt-type':
      return value === 'multicast' ? 'yes' : 'no';
    case '-m':
    case '--comment':
      return undefined;
    default:
      return 'maybe';
  }
}
