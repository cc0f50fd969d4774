// The commands about the daemon itself: run it, check what it is given, clean up behind it.
import { CONFIG_PATH_DEFAULT } from './config-path.ts';
import { defineCommand, misuse } from './grammar.ts';

const CONFIG = {
  value: 'FILE',
  doc: `the configuration, YAML or JSON; ${CONFIG_PATH_DEFAULT} if not given`,
} as const;

export const run = defineCommand({
  usage: ['[--config FILE]'],
  brief: ['run [--config FILE]', 'the daemon, in the foreground'],
  about: 'Runs the daemon in the foreground until SIGTERM or SIGINT.',
  options: { '--config': CONFIG },
  more: `Signals:
  SIGTERM, SIGINT  step down where master, then end
  SIGUSR1          log the state of every instance
  SIGUSR2          hand over: step down and let a peer take over
  SIGHUP           read the configuration again; unchanged instances go on

A signal that comes while the daemon starts is obeyed once it is up.

One daemon serves a group on a host: the kernel keeps a lock for each interface
and vhid, for as long as the process lives. Who comes second names the holder,
waits a moment where that one is ending, and ends with 2. A stock ucarp holds no
lock: carpd warns of one that runs on the same interface with the same vhid.`,
  exits: '0 stopped, 1 failed while running, 2 wrong configuration.',
  read: (given) => ({ kind: 'run', configPath: given.value('--config') ?? CONFIG_PATH_DEFAULT }),
});

export const check = defineCommand({
  usage: [
    '[--config FILE] [--json | --quiet] [--no-passphrases]',
    '--diff [--config FILE] [--socket PATH]',
  ],
  brief: ['check [--config FILE]', 'validate a configuration and print it complete'],
  about:
    'Validates the configuration and prints the one in effect: defaults filled in, passphrases ' +
    'redacted. Prints every fault at once, each with its place. With --diff, prints instead what ' +
    'differs from what the running carpd goes by, and what a reload of it would cost; a carpd ' +
    'that could not read the file says so.',
  options: {
    '--config': CONFIG,
    '--diff': { doc: 'print the difference to the running configuration, and what it costs' },
    '--socket': { value: 'PATH', doc: 'with --diff: the control.socket, if it is not in the file' },
    '--json': { doc: 'print JSON instead of YAML' },
    '--quiet': { doc: 'print faults and warnings only' },
    '--no-passphrases': { doc: 'do not read passphrase files and credentials' },
  },
  exits: '0 valid, 1 the running carpd does not answer or refuses it, 2 not valid or readable.',
  read: (given) => {
    const configPath = given.value('--config') ?? CONFIG_PATH_DEFAULT;
    const passphrases = !given.has('--no-passphrases');
    const [json, quiet] = [given.has('--json'), given.has('--quiet')];
    const diff = given.has('--diff');
    const socketPath = given.value('--socket');
    if (socketPath !== undefined && !diff) return misuse('check: --socket goes with --diff only');
    return { kind: 'check', configPath, json, quiet, passphrases, diff, socketPath };
  },
});

export const release = defineCommand({
  usage: ['[--config FILE] [--quiet] [NAME...]'],
  brief: ['release [--config FILE]', 'take off what a daemon that was killed has left'],
  about:
    'Takes off what a daemon that was killed has left: each virtual IP that is on its ' +
    'interface, and what its up hook began, by the down hook. The unit of systemd runs it ' +
    'whenever the daemon has ended. An instance that is master in a running carpd is left ' +
    'alone, by the lock that each daemon holds on its groups, whatever file it runs with. ' +
    'Passphrases are not needed, nor is the daemon.',
  options: {
    '--config': { value: 'FILE', doc: `${CONFIG_PATH_DEFAULT} if not given` },
    '--quiet': { doc: 'say nothing of addresses that are not there' },
  },
  wordsMax: Infinity,
  exits:
    '0 all are off; 1 one is not, or its down hook failed; 2 wrong usage, configuration, or ' +
    'no such instance.',
  read: (given) => ({
    kind: 'release',
    configPath: given.value('--config') ?? CONFIG_PATH_DEFAULT,
    names: given.words,
    quiet: given.has('--quiet'),
  }),
});

export const version = defineCommand({
  usage: [''],
  brief: ['version', 'print the version, as --version'],
  about: 'Prints the version of carpd.',
  options: {},
  exits: '0 done.',
  read: () => ({ kind: 'version' }),
});
