// What a command of carpd takes, said once: its options, its words and what they mean. The parser,
// the help and the manual page all read it. Pure.
import { wrap } from '../base/text.ts';
import { didYouMean } from '../config/suggest.ts';
import type { CarpdCommand, CarpdMisuse, CommandName } from './commands.ts';

/** An option: `value` is what the help calls its value; without one it takes none. */
export interface OptionSpec {
  readonly value?: string;
  readonly doc: string;
}

type OptionSpecs = Readonly<Record<string, OptionSpec>>;
type WithValue<Specs> = {
  [Name in keyof Specs]: Specs[Name] extends { readonly value: string } ? Name : never;
}[keyof Specs];

/** What stood behind the name of a command; only options that the command has can be asked for. */
export interface Given<Specs extends OptionSpecs> {
  readonly words: readonly string[];
  has(option: keyof Specs): boolean;
  /** What was given to it; undefined: the option was not given. */
  value(option: WithValue<Specs>): string | undefined;
}

export interface CommandSpec<Specs extends OptionSpecs> {
  /** What follows "carpd NAME" on the command line, a line for each form of it. */
  readonly usage: readonly string[];
  /** For the list of all commands, as it is typed there and what it does. */
  readonly brief: readonly [string, string];
  readonly about: string;
  readonly options: Specs;
  /** How many words it takes besides its options. */
  readonly wordsMax?: number;
  /** What the help says below the options, as it stands. */
  readonly more?: string;
  readonly exits: string;
  read(given: Given<Specs>): CarpdCommand;
}

/** A command, whatever its options are called. */
export interface Command extends Omit<CommandSpec<OptionSpecs>, 'read'> {
  readonly wordsMax: number;
  read(options: ReadonlyMap<string, string>, words: readonly string[]): CarpdCommand;
}

/** Checks that a command reads no option but its own. */
export function defineCommand<const Specs extends OptionSpecs>(spec: CommandSpec<Specs>): Command {
  const read: Command['read'] = (options, words) =>
    spec.read({
      words,
      has: (option) => options.has(String(option)),
      value: (option) => options.get(String(option)),
    });
  return { ...spec, wordsMax: spec.wordsMax ?? 0, read };
}

/** Reads what stands behind the name of a command. Total. */
export function readCommand(
  name: CommandName,
  command: Command,
  argv: readonly string[],
): CarpdCommand {
  const given = new Map<string, string>();
  const words: string[] = [];
  const iterator = argv.values();
  for (const word of iterator) {
    if (word === '--help' || word === '-h') return { kind: 'help', topic: name };
    const isWord = word !== '' && !word.startsWith('-');
    if (isWord && words.length < command.wordsMax) {
      words.push(word);
      continue;
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const option = equals === -1 ? word : word.slice(0, equals);
    const spec = Object.hasOwn(command.options, option) ? command.options[option] : undefined;
    if (spec === undefined) return unknownWord(name, command, option);
    if (given.has(option)) return misuse(`${name}: ${option} is given twice; give it once`);
    const attached = equals === -1 ? undefined : word.slice(equals + 1);
    if (spec.value === undefined && attached !== undefined) {
      return misuse(`${name}: ${option} takes no value`);
    }
    const value = spec.value === undefined ? '' : (attached ?? iterator.next().value);
    if (spec.value !== undefined && (value === undefined || value === '')) {
      return misuse(`${name}: ${option} needs a value; see carpd ${name} --help`);
    }
    given.set(option, value ?? '');
  }
  return command.read(given, words);
}

/** The help on a command; it ends with a line feed. */
export function commandHelp(name: CommandName, command: Command): string {
  const usage = command.usage.map((line) => `carpd ${name} ${line}`.trimEnd()).join(USAGE_INDENT);
  const options = Object.entries({ ...command.options, '-h, --help': HELP });
  const terms = options.map(([option, { value }]) => [option, value].filter(Boolean).join(' '));
  const column = Math.max(...terms.map((term) => term.length)) + OPTION_GAP;
  const lines = options.flatMap(([, { doc }], index) =>
    wrap(doc, `  ${(terms[index] ?? '').padEnd(column)}`, ' '.repeat(column + 2)),
  );
  const parts = [
    `Usage: ${usage}`,
    wrap(command.about, '', '').join('\n'),
    ['Options:', ...lines].join('\n'),
    ...(command.more === undefined ? [] : [command.more]),
    wrap(`Exit codes: ${command.exits}`, '', '').join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** One line about wrong usage, without the program's name. */
export function misuse(message: string): CarpdMisuse {
  return { kind: 'error', message };
}

/** What was typed, on one line whatever is in it. */
export function quoted(word: string): string {
  return JSON.stringify(word);
}

/** What may have been meant, or where to read on. */
export function hint(word: string, known: readonly string[], help: string): string {
  const suggestion = didYouMean(word, known);
  return suggestion === '' ? `; see ${help}` : suggestion;
}

const HELP: OptionSpec = { doc: 'this help' };
const USAGE_INDENT = '\n       ';
const OPTION_GAP = 2;

function unknownWord(name: CommandName, command: Command, word: string): CarpdMisuse {
  const what = word.startsWith('-') ? 'unknown option' : 'unexpected word';
  const known = [...Object.keys(command.options), '--help'];
  return misuse(`${name}: ${what} ${quoted(word)}${hint(word, known, `carpd ${name} --help`)}`);
}
