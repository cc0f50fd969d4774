// The commands that ask a running daemon by its control socket, and order it about.
import { CONTROL_SOCKET_DEFAULT } from '../config/config.ts';
import { defineCommand, misuse, quoted } from './grammar.ts';

const SOCKET = {
  value: 'PATH',
  doc: `the daemon's control.socket; ${CONTROL_SOCKET_DEFAULT} if not given`,
} as const;

const ORDER_OPTIONS = {
  '--force': { doc: 'also when no peer answers' },
  '--json': { doc: 'print what came of it as JSON' },
  '--socket': SOCKET,
} as const;

export const status = defineCommand({
  usage: ['[NAME | --all] [--watch] [--json] [--socket PATH]'],
  brief: ['status [NAME] [--watch]', 'the state of every instance of a running carpd'],
  about:
    'Prints a table of the instances of the carpd that runs here: their state, the peers they ' +
    'heard, what would happen next, and how ready their links are. With NAME, only that ' +
    'instance. More than eight get a line each, those in trouble first; the healthy ones are ' +
    'counted unless --all is given.',
  options: {
    '--all': { doc: 'also the healthy ones of many instances' },
    '--watch': { doc: 'again every second, in place on a terminal, until Ctrl-C' },
    '--json': { doc: 'print all that is known of them, as JSON' },
    '--socket': SOCKET,
  },
  wordsMax: 1,
  more: 'Colour is used on a terminal, unless NO_COLOR is set.',
  exits: '0 done, 1 no daemon answers, 2 wrong usage or no such instance.',
  read: (given) => ({
    kind: 'status',
    all: given.has('--all'),
    name: given.words[0],
    json: given.has('--json'),
    watch: given.has('--watch'),
    socketPath: given.value('--socket') ?? CONTROL_SOCKET_DEFAULT,
  }),
});

export const explain = defineCommand({
  usage: ['[NAME] [--json] [--socket PATH]'],
  brief: ['explain [NAME] [--json]', 'why it is master, backup or held: the evidence'],
  about:
    'Says why the instance NAME is master, backup or held: the evidence with its age, what ' +
    'LACP says of each port, what is missing, and what would help. NAME may be left out where ' +
    'there is only one instance.',
  options: { '--json': { doc: 'print it as JSON' }, '--socket': SOCKET },
  wordsMax: 1,
  exits: '0 done, 1 no daemon answers, 2 wrong usage or no such instance.',
  read: (given) => ({
    kind: 'explain',
    name: given.words[0],
    json: given.has('--json'),
    socketPath: given.value('--socket') ?? CONTROL_SOCKET_DEFAULT,
  }),
});

export const watch = defineCommand({
  usage: ['[NAME] [--json | --text] [--verbose] [--socket PATH]'],
  brief: ['watch [NAME] [--json]', 'what happens, as it happens, one event a line'],
  about:
    'Prints what happens as it happens, one event a line, until Ctrl-C: first the state of ' +
    'every instance, then transitions, changes of gates and links, virtual IPs, hooks, ' +
    'conflicts. With NAME, only what concerns that instance.',
  options: {
    '--json': {
      doc: 'lines of JSON, as is usual unless the output is a terminal; docs/events.md has them',
    },
    '--text': { doc: 'sentences for people, as is usual on a terminal' },
    '--verbose': { doc: 'also each advert, rejected packet and line of a hook' },
    '--socket': SOCKET,
  },
  wordsMax: 1,
  more: 'Who reads too slowly gets a line "gap" with the number of events left out.',
  exits:
    '0 ended by Ctrl-C or by the reader; 1 the daemon is gone, or has too many watchers; ' +
    '2 wrong usage or no such instance.',
  read: (given) => {
    const [text, json] = [given.has('--text'), given.has('--json')];
    if (text && json) return misuse('watch: give --json or --text, not both');
    const format = text ? 'text' : json ? 'json' : undefined;
    const socketPath = given.value('--socket') ?? CONTROL_SOCKET_DEFAULT;
    const verbose = given.has('--verbose');
    return { kind: 'watch', name: given.words[0], format, verbose, socketPath };
  },
});

export const handover = defineCommand({
  usage: ['[NAME | --all] [--force] [--json] [--socket PATH]'],
  brief: ['handover [NAME|--all] [--force]', 'step down now and let a peer take over'],
  about:
    'Makes the instance NAME, or every instance, step down where it is master, waits until ' +
    'another master is heard, and says which one and after how long. Refused when no peer ' +
    'answers: its hosts are asked by ARP, and who advertises counts too. The node does not ' +
    'preempt afterwards; it takes over again if nobody else does. NAME may be left out where ' +
    'there is only one instance.',
  options: { '--all': { doc: 'every instance' }, ...ORDER_OPTIONS },
  wordsMax: 1,
  exits:
    '0 done, or it was not master; 1 refused, nobody took over, or no daemon answers; 2 wrong ' +
    'usage or no such instance.',
  read: (given) => {
    const [name] = given.words;
    const all = given.has('--all');
    if (all && name !== undefined) return misuse('handover: give NAME or --all, not both');
    const [force, json] = [given.has('--force'), given.has('--json')];
    const socketPath = given.value('--socket') ?? CONTROL_SOCKET_DEFAULT;
    return { kind: 'handover', name, all, force, json, socketPath };
  },
});

export const maintenance = defineCommand({
  usage: [
    '[NAME | --all] [--json] [--socket PATH]',
    'on [NAME | --all] [--force] [--json] [--socket PATH]',
    'off [NAME | --all] [--json] [--socket PATH]',
  ],
  brief: ['maintenance on|off [NAME|--all]', 'never master while on; survives a restart'],
  about:
    'While maintenance is on, the instance is never master, also after a restart of carpd or ' +
    'of the machine. Turning it on where it is master is a handover, by the same rule. ' +
    'NAME may be left out where there is only one instance. Without on and off, it shows how ' +
    'it is.',
  options: { '--all': { doc: 'every instance' }, ...ORDER_OPTIONS },
  wordsMax: 2,
  exits:
    '0 done; 1 refused, nobody took over, or no daemon answers; 2 wrong usage or no such ' +
    'instance.',
  read: (given) => {
    const [first, second] = given.words;
    const on = first === 'on' ? true : first === 'off' ? false : undefined;
    if (on === undefined && second !== undefined) {
      return misuse(`maintenance: ${quoted(first ?? '')} is neither on nor off`);
    }
    const name = on === undefined ? first : second;
    const all = given.has('--all');
    if (name !== undefined && all) {
      return misuse('maintenance: give NAME or --all, not both');
    }
    const force = given.has('--force');
    if (force && on !== true) return misuse('maintenance: --force goes with on only');
    const socketPath = given.value('--socket') ?? CONTROL_SOCKET_DEFAULT;
    const json = given.has('--json');
    return { kind: 'maintenance', on, name, all, force, json, socketPath };
  },
});

export const reload = defineCommand({
  usage: ['[--dry-run] [--config FILE] [--pid PID] [--socket PATH]'],
  brief: ['reload [--dry-run]', 'apply a changed configuration, and say how'],
  about:
    'Has the running carpd read its configuration again and apply what has changed, and prints ' +
    'each change with what it takes: most are applied in place, some restart an instance, whose ' +
    'master hands over first. Where the file is refused, nothing is changed, and it says why. ' +
    'docs/configuration.md lists the keys.',
  options: {
    '--dry-run': { doc: 'only say what it would do' },
    '--config': { value: 'FILE', doc: 'look there for control.socket, if --socket is not given' },
    '--pid': {
      value: 'PID',
      doc: 'with --config: where no socket answers, check the file and send SIGHUP',
    },
    '--socket': SOCKET,
  },
  exits: '0 done; 1 the file, or a part of it, is refused, or no daemon answers; 2 wrong usage.',
  read: (given) => {
    const pid = given.value('--pid');
    const [configPath, socketPath] = [given.value('--config'), given.value('--socket')];
    if (pid !== undefined && !/^[1-9]\d{0,9}$/.test(pid)) {
      return misuse(`reload: --pid ${quoted(pid)} is not the number of a process`);
    }
    if (pid !== undefined && configPath === undefined) {
      return misuse('reload: --pid goes with --config only');
    }
    const dryRun = given.has('--dry-run');
    const number = pid === undefined ? undefined : Number(pid);
    return { kind: 'reload', dryRun, configPath, pid: number, socketPath };
  },
});
