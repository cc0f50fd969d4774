// Every command of carpd with what it takes, by its name. Pure.
import * as asking from './asking-commands.ts';
import type { CommandName } from './commands.ts';
import * as daemon from './daemon-commands.ts';
import type { Command } from './grammar.ts';
import * as setup from './setup-commands.ts';

/** The parser and the help read a command here. */
export const COMMANDS: Readonly<Record<CommandName, Command>> = { ...daemon, ...asking, ...setup };
