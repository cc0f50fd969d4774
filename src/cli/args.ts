// carpd's argument list to a command: one table of commands and their options. Pure.
import { unreachable } from '../base/assert.ts';
import { CONTROL_SOCKET_DEFAULT } from '../config/config.ts';
import { didYouMean } from '../config/suggest.ts';
import {
  COMMAND_NAMES,
  type CarpdCommand,
  type CarpdMisuse,
  type CommandName,
} from './commands.ts';
import { CONFIG_PATH_DEFAULT } from './config-path.ts';

/** Switches speak at least every two seconds of spanning tree, and every thirty of LLDP. */
const LISTENING_SECONDS = 10;

/** The options of each command: whether they take a value. --help is known to all. */
const OPTIONS: Readonly<Record<CommandName, Readonly<Record<string, 'value' | 'flag'>>>> = {
  run: { '--config': 'value' },
  check: {
    '--config': 'value',
    '--json': 'flag',
    '--quiet': 'flag',
    '--no-passphrases': 'flag',
  },
  status: { '--json': 'flag', '--watch': 'flag', '--socket': 'value' },
  explain: { '--json': 'flag', '--socket': 'value' },
  watch: { '--json': 'flag', '--text': 'flag', '--verbose': 'flag', '--socket': 'value' },
  handover: { '--all': 'flag', '--force': 'flag', '--json': 'flag', '--socket': 'value' },
  maintenance: { '--all': 'flag', '--force': 'flag', '--json': 'flag', '--socket': 'value' },
  init: {
    '--interface': 'value',
    '--address': 'value',
    '--peers': 'value',
    '--name': 'value',
    '--vhid': 'value',
    '--advskew': 'value',
    '--config': 'value',
    '--passphrase-file': 'value',
    '--force': 'flag',
    '--no-doctor': 'flag',
  },
  sniff: {
    '-i': 'value',
    '-r': 'value',
    '--config': 'value',
    '--json': 'flag',
    '--count': 'value',
    '--seconds': 'value',
  },
  doctor: { '--config': 'value', '-i': 'value', '--json': 'flag', '--seconds': 'value' },
  release: { '--config': 'value', '--quiet': 'flag' },
};

/** How many words a command takes besides its options. */
const WORDS_MAX: Readonly<Partial<Record<CommandName, number>>> = {
  explain: 1,
  watch: 1,
  handover: 1,
  maintenance: 2,
  release: Infinity,
};

/** What stood behind the name of the command. */
interface Given {
  readonly options: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/** Reads the arguments after the program's name. Total. */
export function parseArgs(argv: readonly string[]): CarpdCommand {
  const [first, ...rest] = argv;
  if (first === undefined) {
    return misuse(`no command; give one of ${COMMAND_NAMES.join(', ')}, or --help`);
  }
  if (first === '--help' || first === '-h' || first === 'help') return helpOn(rest[0]);
  if (first === '--version' || first === '-V') return { kind: 'version' };
  const name = COMMAND_NAMES.find((known) => known === first);
  if (name !== undefined) return parseCommand(name, rest);
  const what = first.startsWith('-') ? 'option' : 'command';
  const known = what === 'option' ? ['--help', '--version'] : COMMAND_NAMES;
  return misuse(`unknown ${what} ${quoted(first)}${hint(first, known, 'carpd --help')}`);
}

function helpOn(topic: string | undefined): CarpdCommand {
  const name = COMMAND_NAMES.find((known) => known === topic);
  if (topic === undefined || topic.startsWith('-') || name !== undefined) {
    return { kind: 'help', topic: name };
  }
  return misuse(`no help on ${quoted(topic)}${hint(topic, COMMAND_NAMES, 'carpd --help')}`);
}

function parseCommand(name: CommandName, words: readonly string[]): CarpdCommand {
  const known = OPTIONS[name];
  const given = new Map<string, string>();
  const alone: string[] = [];
  const iterator = words.values();
  for (const word of iterator) {
    if (word === '--help' || word === '-h') return { kind: 'help', topic: name };
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const option = equals === -1 ? word : word.slice(0, equals);
    const takes = Object.hasOwn(known, option) ? known[option] : undefined;
    const isWord = word !== '' && !word.startsWith('-');
    if (isWord && alone.length < (WORDS_MAX[name] ?? 0)) {
      alone.push(word);
      continue;
    }
    if (takes === undefined) {
      const what = word.startsWith('-') ? 'unknown option' : 'unexpected word';
      const candidates = [...Object.keys(known), '--help'];
      const remedy = hint(option, candidates, `carpd ${name} --help`);
      return misuse(`${name}: ${what} ${quoted(option)}${remedy}`);
    }
    if (given.has(option)) return misuse(`${name}: ${option} is given twice; give it once`);
    if (takes === 'flag') {
      if (equals !== -1) return misuse(`${name}: ${option} takes no value`);
      given.set(option, '');
    } else {
      const value = equals === -1 ? iterator.next().value : word.slice(equals + 1);
      if (value === undefined || value === '') {
        return misuse(`${name}: ${option} needs a value; see carpd ${name} --help`);
      }
      given.set(option, value);
    }
  }
  return build(name, { options: given, words: alone });
}

function build(name: CommandName, given: Given): CarpdCommand {
  const { options, words } = given;
  const json = options.has('--json');
  const socketPath = options.get('--socket') ?? CONTROL_SOCKET_DEFAULT;
  switch (name) {
    case 'run':
    case 'check': {
      const configPath = options.get('--config');
      if (configPath === undefined) {
        return misuse(`${name}: --config FILE is needed, such as --config /etc/carpd/carpd.yaml`);
      }
      if (name === 'run') return { kind: name, configPath };
      const passphrases = !options.has('--no-passphrases');
      return { kind: name, configPath, json, quiet: options.has('--quiet'), passphrases };
    }
    case 'release': {
      const configPath = options.get('--config') ?? CONFIG_PATH_DEFAULT;
      return { kind: name, configPath, names: words, quiet: options.has('--quiet') };
    }
    case 'status':
      return { kind: name, json, watch: options.has('--watch'), socketPath };
    case 'explain': {
      const [instance] = words;
      if (instance !== undefined) return { kind: name, name: instance, json, socketPath };
      return misuse('explain: the NAME of an instance is needed; carpd status lists them');
    }
    case 'watch': {
      const text = options.has('--text');
      if (text && json) return misuse('watch: give --json or --text, not both');
      const verbose = options.has('--verbose');
      return { kind: name, name: words[0], text, verbose, socketPath };
    }
    case 'handover': {
      const [instance] = words;
      // Which one is meant is never guessed.
      if (options.has('--all') === (instance !== undefined)) {
        return misuse('handover: give the NAME of an instance or --all; carpd status lists them');
      }
      return { kind: name, name: instance, force: options.has('--force'), json, socketPath };
    }
    case 'maintenance':
      return buildMaintenance(given, { json, socketPath });
    case 'init':
      return buildInit(options);
    case 'sniff':
      return buildSniff(options);
    case 'doctor':
      return buildDoctor(options);
    default:
      return unreachable(name);
  }
}

function buildInit(options: ReadonlyMap<string, string>): CarpdCommand {
  const keys = ['interface', 'address', 'peers', 'name', 'vhid', 'advskew'] as const;
  const given: Partial<Record<(typeof keys)[number], string>> = {};
  for (const key of keys) {
    const value = options.get(`--${key}`);
    if (value !== undefined) given[key] = value;
  }
  return {
    kind: 'init',
    given,
    configPath: options.get('--config') ?? CONFIG_PATH_DEFAULT,
    passphrasePath: options.get('--passphrase-file'),
    force: options.has('--force'),
    examine: !options.has('--no-doctor'),
  };
}

function buildSniff(options: ReadonlyMap<string, string>): CarpdCommand {
  const interfaceName = options.get('-i');
  const file = options.get('-r');
  if ((interfaceName === undefined) === (file === undefined)) {
    return misuse('sniff: give -i INTERFACE or -r FILE.pcap');
  }
  if (file !== undefined && options.has('--seconds')) {
    return misuse('sniff: --seconds goes with -i only; a file ends by itself');
  }
  const numbers = ['--count', '--seconds'] as const;
  for (const option of numbers) {
    const given = options.get(option);
    if (given === undefined || /^[1-9]\d{0,5}$/.test(given)) continue;
    return misuse(`sniff: ${option} ${quoted(given)} is not a whole number 1-999999`);
  }
  const [count, seconds] = numbers.map((option) => {
    const given = options.get(option);
    return given === undefined ? undefined : Number(given);
  });
  const json = options.has('--json');
  const configPath = options.get('--config');
  return { kind: 'sniff', interfaceName, file, configPath, json, count, seconds };
}

function buildDoctor(options: ReadonlyMap<string, string>): CarpdCommand {
  const interfaceName = options.get('-i');
  const given = options.get('--config');
  if (interfaceName !== undefined && given !== undefined) {
    return misuse('doctor: give --config FILE or -i INTERFACE, not both');
  }
  const seconds = options.get('--seconds') ?? String(LISTENING_SECONDS);
  if (!/^\d{1,3}$/.test(seconds)) {
    return misuse(`doctor: --seconds ${quoted(seconds)} is not a whole number 0-999`);
  }
  const configPath = interfaceName === undefined ? (given ?? CONFIG_PATH_DEFAULT) : undefined;
  const json = options.has('--json');
  return { kind: 'doctor', configPath, interfaceName, json, seconds: Number(seconds) };
}

function buildMaintenance(
  { options, words }: Given,
  rest: { readonly json: boolean; readonly socketPath: string },
): CarpdCommand {
  const [first, second] = words;
  const on = first === 'on' ? true : first === 'off' ? false : undefined;
  const force = options.has('--force');
  const kind = 'maintenance';
  if (on === undefined && second !== undefined) {
    return misuse(`maintenance: ${quoted(first ?? '')} is neither on nor off`);
  }
  const name = on === undefined ? first : second;
  if (name !== undefined && options.has('--all')) {
    return misuse('maintenance: give NAME or --all, not both');
  }
  if (force && on !== true) return misuse('maintenance: --force goes with on only');
  // Without a name the whole node is meant.
  return { kind, on, name, force, ...rest };
}

function hint(word: string, known: readonly string[], help: string): string {
  const suggestion = didYouMean(word, known);
  return suggestion === '' ? `; see ${help}` : suggestion;
}

/** One line, whatever was typed. */
function quoted(word: string): string {
  return JSON.stringify(word);
}

function misuse(message: string): CarpdMisuse {
  return { kind: 'error', message };
}
