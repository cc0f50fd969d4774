// carpd's arguments: every command, and every misuse with its remedy.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseArgs } from '../../../src/cli/args.ts';
import { COMMAND_NAMES, type CarpdCommand } from '../../../src/cli/commands.ts';

const SOCKET = '/run/carpd/control.sock';

const PLAIN = { all: false, force: false, json: false, socketPath: SOCKET } as const;
const WATCH = { format: undefined, verbose: false, socketPath: SOCKET } as const;
const CHECK = {
  kind: 'check',
  json: false,
  quiet: false,
  passphrases: true,
  diff: false,
  socketPath: undefined,
} as const;
const STATUS = {
  kind: 'status',
  all: false,
  name: undefined,
  json: false,
  watch: false,
  socketPath: SOCKET,
} as const;
const HANDOVER = { kind: 'handover', ...PLAIN } as const;
const MAINTENANCE = { kind: 'maintenance', ...PLAIN } as const;

const GOOD: readonly { argv: string; command: CarpdCommand }[] = [
  { argv: 'run --config /a', command: { kind: 'run', configPath: '/a' } },
  { argv: 'run --config=/a=b', command: { kind: 'run', configPath: '/a=b' } },
  {
    argv: 'check --config /a',
    command: {
      kind: 'check',
      configPath: '/a',
      json: false,
      quiet: false,
      passphrases: true,
      diff: false,
      socketPath: undefined,
    },
  },
  {
    argv: 'check --json --config /a --quiet --no-passphrases',
    command: {
      kind: 'check',
      configPath: '/a',
      json: true,
      quiet: true,
      passphrases: false,
      diff: false,
      socketPath: undefined,
    },
  },
  {
    argv: 'release',
    command: { kind: 'release', configPath: '/etc/carpd/carpd.yaml', names: [], quiet: false },
  },
  {
    argv: 'release db --config /a web --quiet',
    command: { kind: 'release', configPath: '/a', names: ['db', 'web'], quiet: true },
  },
  { argv: 'run --config --json', command: { kind: 'run', configPath: '--json' } },
  { argv: 'run', command: { kind: 'run', configPath: '/etc/carpd/carpd.yaml' } },
  {
    argv: 'check --quiet',
    command: { ...CHECK, configPath: '/etc/carpd/carpd.yaml', quiet: true },
  },
  { argv: 'status', command: STATUS },
  { argv: 'status db', command: { ...STATUS, name: 'db' } },
  { argv: 'status --json --socket /s', command: { ...STATUS, json: true, socketPath: '/s' } },
  { argv: 'status --all', command: { ...STATUS, all: true } },
  { argv: 'status --watch', command: { ...STATUS, watch: true } },
  { argv: 'watch', command: { kind: 'watch', name: undefined, ...WATCH } },
  { argv: 'watch --json db', command: { kind: 'watch', name: 'db', ...WATCH, format: 'json' } },
  {
    argv: 'watch --text --verbose --socket /s',
    command: { kind: 'watch', name: undefined, format: 'text', verbose: true, socketPath: '/s' },
  },
  { argv: 'handover db', command: { kind: 'handover', name: 'db', ...PLAIN } },
  { argv: 'handover', command: { kind: 'handover', name: undefined, ...PLAIN } },
  { argv: 'handover --all', command: { kind: 'handover', name: undefined, ...PLAIN, all: true } },
  {
    argv: 'handover --force --json db --socket /s',
    command: { ...HANDOVER, name: 'db', force: true, json: true, socketPath: '/s' },
  },
  { argv: 'maintenance', command: { ...MAINTENANCE, on: undefined, name: undefined } },
  {
    argv: 'maintenance --all',
    command: { ...MAINTENANCE, on: undefined, name: undefined, all: true },
  },
  { argv: 'maintenance db', command: { ...MAINTENANCE, on: undefined, name: 'db' } },
  { argv: 'maintenance on', command: { ...MAINTENANCE, on: true, name: undefined } },
  {
    argv: 'maintenance on --all',
    command: { ...MAINTENANCE, on: true, name: undefined, all: true },
  },
  { argv: 'maintenance on on', command: { ...MAINTENANCE, on: true, name: 'on' } },
  {
    argv: 'maintenance on db --force',
    command: { ...MAINTENANCE, on: true, name: 'db', force: true },
  },
  { argv: 'maintenance off db', command: { ...MAINTENANCE, on: false, name: 'db' } },
  {
    argv: 'explain',
    command: { kind: 'explain', name: undefined, json: false, socketPath: SOCKET },
  },
  {
    argv: 'explain db',
    command: { kind: 'explain', name: 'db', json: false, socketPath: SOCKET },
  },
  {
    argv: 'explain --json db --socket=/s',
    command: { kind: 'explain', name: 'db', json: true, socketPath: '/s' },
  },
  { argv: 'help explain', command: { kind: 'help', topic: 'explain' } },
  { argv: '--help', command: { kind: 'help', topic: undefined } },
  { argv: '-h', command: { kind: 'help', topic: undefined } },
  { argv: 'help', command: { kind: 'help', topic: undefined } },
  { argv: '--help --x', command: { kind: 'help', topic: undefined } },
  { argv: 'help check', command: { kind: 'help', topic: 'check' } },
  { argv: 'run --help', command: { kind: 'help', topic: 'run' } },
  { argv: 'check --config /a -h', command: { kind: 'help', topic: 'check' } },
  { argv: '--version', command: { kind: 'version' } },
  { argv: '-V', command: { kind: 'version' } },
  { argv: 'version', command: { kind: 'version' } },
];

describe('commands', () => {
  for (const { argv, command } of GOOD) {
    test(argv, () => assert.deepEqual(parseArgs(argv.split(' ')), command));
  }
});

const BAD: readonly { desc: string; argv: readonly string[]; message: RegExp }[] = [
  {
    desc: 'nothing',
    argv: [],
    message:
      /^no command; give one of run, check, status, explain, watch, handover, .*, or --help$/,
  },
  {
    desc: 'mistyped',
    argv: ['chek'],
    message: /^unknown command "chek" \(did you mean "check"\?\)/,
  },
  { desc: 'unknown', argv: ['fly'], message: /^unknown command "fly"; see carpd --help$/ },
  { desc: 'option', argv: ['--hlep'], message: /^unknown option "--hlep" \(did you mean "--help"/ },
  { desc: 'line break', argv: ['a\nb'], message: /^unknown command "a\\nb"; see/ },
  {
    desc: 'help on what',
    argv: ['help', 'runn'],
    message: /^no help on "runn" \(did you mean "run"/,
  },
  { desc: 'empty name', argv: ['explain', ''], message: /^explain: unexpected word ""/ },
  { desc: 'two names', argv: ['explain', 'a', 'b'], message: /^explain: unexpected word "b"/ },
  { desc: 'two', argv: ['status', 'db', 'web'], message: /^status: unexpected word "web"/ },
  {
    desc: 'a configuration for status',
    argv: ['status', '--config', '/a'],
    message: /^status: unknown option "--config"; see carpd status --help$/,
  },
  {
    desc: 'one and all',
    argv: ['handover', 'db', '--all'],
    message: /^handover: give NAME or --all, not both$/,
  },
  {
    desc: 'maintenance of one and all',
    argv: ['maintenance', 'on', 'db', '--all'],
    message: /^maintenance: give NAME or --all, not both$/,
  },
  {
    desc: 'two forms',
    argv: ['watch', '--json', '--text'],
    message: /^watch: give --json or --text, not both$/,
  },
  {
    desc: 'neither on nor off',
    argv: ['maintenance', 'onn', 'db'],
    message: /^maintenance: "onn" is neither on nor off$/,
  },
  {
    desc: 'force without on',
    argv: ['maintenance', 'off', 'db', '--force'],
    message: /^maintenance: --force goes with on only$/,
  },
  {
    desc: 'three words',
    argv: ['maintenance', 'on', 'db', 'web'],
    message: /^maintenance: unexpected word "web"/,
  },
  { desc: 'no socket', argv: ['status', '--socket'], message: /^status: --socket needs a value/ },
  {
    desc: 'no value',
    argv: ['run', '--config'],
    message: /^run: --config needs a value; see carpd run/,
  },
  { desc: 'empty value', argv: ['run', '--config='], message: /^run: --config needs a value/ },
  { desc: 'empty word', argv: ['run', '--config', ''], message: /^run: --config needs a value/ },
  {
    desc: 'twice',
    argv: ['run', '--config=a', '--config=b'],
    message: /^run: --config is given twice/,
  },
  {
    desc: 'flag with value',
    argv: ['check', '--json=1'],
    message: /^check: --json takes no value/,
  },
  {
    desc: 'mistyped option, without its value',
    argv: ['run', '--confg=/a'],
    message: /^run: unknown option "--confg" \(did you mean "--config"\?\)$/,
  },
  {
    desc: 'option of another command',
    argv: ['run', '--json'],
    message: /^run: unknown option "--json"/,
  },
  {
    desc: 'a word',
    argv: ['run', '/etc/x'],
    message: /^run: unexpected word "\/etc\/x"; see carpd run/,
  },
  { desc: 'a word with =', argv: ['run', 'a=b'], message: /^run: unexpected word "a=b"/ },
  {
    desc: 'a key of Object.prototype',
    argv: ['run', 'constructor'],
    message: /^run: unexpected word/,
  },
];

describe('misuse', () => {
  for (const { desc, argv, message } of BAD) {
    test(`${desc}: ${argv.join(' ')}`, () => {
      const parsed = parseArgs(argv);
      assert.match(parsed.kind === 'error' ? parsed.message : parsed.kind, message);
    });
  }
});

test('every command has a help of its own', () => {
  for (const name of COMMAND_NAMES) {
    assert.deepEqual(parseArgs([name, '--help']), { kind: 'help', topic: name });
  }
});
