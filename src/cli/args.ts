// carpd's argument list to a command. Pure.
import { COMMAND_NAMES, type CarpdCommand } from './commands.ts';
import { hint, misuse, quoted, readCommand } from './grammar.ts';
import { COMMANDS } from './table.ts';

/** Reads the arguments after the program's name. Total. */
export function parseArgs(argv: readonly string[]): CarpdCommand {
  const [first, ...rest] = argv;
  if (first === undefined) {
    return misuse(`no command; give one of ${COMMAND_NAMES.join(', ')}, or --help`);
  }
  if (first === '--help' || first === '-h' || first === 'help') return helpOn(rest[0]);
  if (first === '--version' || first === '-V') return { kind: 'version' };
  const name = COMMAND_NAMES.find((known) => known === first);
  if (name !== undefined) return readCommand(name, COMMANDS[name], rest);
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
