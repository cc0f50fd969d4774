// The help texts of both programs, at most 80 columns wide.
import { UCARP_OPTIONS, type UcarpOption } from '../config/ucarp/ucarp-options.ts';
import { COMMAND_NAMES, type CommandName } from './commands.ts';
import { commandHelp } from './grammar.ts';
import { COMMANDS } from './table.ts';

/** Help on a command of carpd, or on carpd as a whole. Ends with a line feed. */
export function carpdHelp(topic: CommandName | undefined): string {
  return topic === undefined ? overview() : commandHelp(topic, COMMANDS[topic]);
}

/** The help of our ucarp: the options of ucarp 1.5.2 in their order, then ours. */
export function ucarpHelp(version: string): string {
  const list = (own: boolean): string =>
    UCARP_OPTIONS.filter(({ abbreviable }) => abbreviable !== own)
      .map(optionLines)
      .join('');
  return `ucarp (carpd ${version}): keeps a virtual IP on one of several hosts, as UCARP

Usage: ucarp [options]    --srcip, --vhid, --addr and a password are needed

${list(false)}
Not in ucarp 1.5.2:
${list(true)}
Example: hold 10.1.1.252 on eth0 together with other hosts that run the same
with their own --srcip; the scripts add and remove the address.

  ucarp --interface=eth0 --srcip=10.1.1.1 --vhid=1 --passfile=/etc/vip.pass \\
        --addr=10.1.1.252 \\
        --upscript=/etc/vip-up.sh --downscript=/etc/vip-down.sh

Scripts are called as: SCRIPT INTERFACE ADDRESS [XPARAM]
Exit codes: 0 stopped or help, 1 bad option, 2 set-up failed.
`;
}

function overview(): string {
  const commands = LISTED.map((name) => {
    const [typed, does] = COMMANDS[name].brief;
    return `  ${typed.padEnd(DOC_COLUMN)} ${does}\n`;
  });
  return `carpd: keeps a virtual IP on exactly one of several hosts (CARP, as UCARP)

Usage: carpd COMMAND [options]

Commands:
${commands.join('')}
Options:
  -h, --help       this help; carpd COMMAND --help tells more about a command
  -V, --version    print the version

Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration.
`;
}

/** In the order in which one meets them. */
const LISTED: readonly CommandName[] = ['init', ...COMMAND_NAMES.filter((name) => name !== 'init')];

const DOC_COLUMN = 30;

function optionLines({ long, short, valueName, doc }: UcarpOption): string {
  const shown = `--${long[0] ?? ''}${valueName === undefined ? '' : `=<${valueName}>`}`;
  const names = short === '' ? `      ${shown}` : `  -${short}, ${shown}`;
  return `${names.padEnd(DOC_COLUMN)}${doc}\n`;
}
