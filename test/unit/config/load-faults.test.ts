// Every fault of a value or a combination, each with its path and its sentence.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { db, faultLines, instance, load } from './sample.ts';

interface FaultRow {
  readonly desc: string;
  readonly data: unknown;
  /** The one fault, as a beginning. */
  readonly fault: string;
}

const FAULTS: readonly FaultRow[] = [
  { desc: 'empty file', data: '', fault: 'instances: is missing' },
  { desc: 'a word', data: 'hello', fault: 'instances: is missing' },
  { desc: 'a list', data: [], fault: 'instances: is missing' },
  { desc: 'no instances key', data: { log: {} }, fault: 'instances: there is no instance' },
  { desc: 'no instance', data: { instances: {} }, fault: 'instances: there is no instance' },
  { desc: 'instances without value', data: 'instances:', fault: 'instances: there is no instance' },
  { desc: 'instances as a list', data: { instances: [] }, fault: 'instances: is not a mapping' },
  {
    desc: 'an instance that is text',
    data: { instances: { db: 'x' } },
    fault: 'instances.db: is not a mapping',
  },
  {
    desc: 'a name with a space',
    data: { instances: { 'a b': instance() } },
    fault: 'instances."a b": is not a name',
  },
  {
    desc: 'a name that a command would take for an option',
    data: { instances: { '--all': instance() } },
    fault: 'instances.--all: is not a name',
  },
  {
    desc: 'a name that is too long',
    data: { instances: { ['x'.repeat(65)]: instance() } },
    fault: 'instances."xxx',
  },
  {
    desc: 'unknown key at the top',
    data: { ...db({}), lgo: {} },
    fault: 'lgo: unknown key (did you mean "log"?)',
  },
  {
    desc: 'unknown key with nothing near',
    data: { ...db({}), color: 1 },
    fault: 'color: unknown key; known are log, metrics, control, state, instances',
  },
  ...(
    [
      ['priority', 'carpd uses advskew, and the lower one wins'],
      ['track_script', 'carpd runs no checks; let a script of yours run carpd maintenance on NAME'],
      ['notify', 'use hooks.up and hooks.down'],
      ['virtual_ipaddress', 'carpd calls it address, and each instance has one'],
      [
        'unicast-peer',
        'carpd sends to a multicast group, or with broadcast: true; name the nodes in',
      ],
      ['downscript', 'use hooks.down'],
    ] as const
  ).map(([key, hint]) => ({
    desc: `${key}, a word of another program`,
    data: db({ [key]: 1 }),
    fault: `instances.db.${key}: unknown key: ${hint}`,
  })),
  {
    desc: 'unknown key of an instance',
    data: db({ vhdi: 7 }),
    fault: 'instances.db.vhdi: unknown key (did you mean "vhid"?)',
  },
  {
    desc: 'unknown key of a section',
    data: db({ hooks: { uup: [] } }),
    fault: 'instances.db.hooks.uup: unknown key (did you mean "up"?)',
  },
  {
    desc: 'unknown key with a line break stays one line',
    data: db({ 'a\nb': 1 }),
    fault: 'instances.db."a\\nb": unknown key; known are interface',
  },
  {
    desc: 'a key of Object.prototype',
    data: '{"instances": {"db": {"constructor": {"prototype": {"x": 1}}}}}',
    fault: 'instances.db.constructor: unknown key',
  },
  {
    desc: '__proto__',
    data: `{"__proto__": {"x": 1}, ${JSON.stringify(db({})).slice(1)}`,
    fault: '__proto__: unknown key',
  },
  { desc: 'log level', data: { ...db({}), log: { level: 'loud' } }, fault: 'log.level: "loud" is' },
  {
    desc: 'log format',
    data: { ...db({}), log: { format: 1 } },
    fault: 'log.format: 1 is not one',
  },
  ...['9112', 9112, ':9112', 'localhost:9112', '', false].map((listen) => ({
    desc: `metrics at ${JSON.stringify(listen)}`,
    data: { ...db({}), metrics: { listen } },
    fault: `metrics.listen: ${JSON.stringify(listen)} is neither ADDR:PORT`,
  })),
  ...['control.sock', 5, '', false].map((socket) => ({
    desc: `control socket ${String(socket)}`,
    data: { ...db({}), control: { socket } },
    fault: `control.socket: ${JSON.stringify(socket)} is not an absolute path; write /run/carpd/`,
  })),
  {
    desc: 'control socket that is a directory',
    data: { ...db({}), control: { socket: '/run/carpd/' } },
    fault: 'control.socket: "/run/carpd/" names a directory; add a file name',
  },
  ...['', 'no such', -1, 1.5, true].map((group) => ({
    desc: `control group ${JSON.stringify(group)}`,
    data: { ...db({}), control: { group } },
    fault: `control.group: ${JSON.stringify(group)} is not a group; write its name or number`,
  })),
  ...['var/lib', 5, ''].map((directory) => ({
    desc: `state directory ${JSON.stringify(directory)}`,
    data: { ...db({}), state: { directory } },
    fault: `state.directory: ${JSON.stringify(directory)} is not an absolute path; write`,
  })),
  {
    desc: 'control socket of 108 bytes',
    data: { ...db({}), control: { socket: `/${'é'.repeat(53)}a` } },
    fault: 'control.socket: is longer than the 107 bytes',
  },
  { desc: 'log as text', data: { ...db({}), log: 'x' }, fault: 'log: a string is not a mapping' },
  { desc: 'log as a list', data: { ...db({}), log: [] }, fault: 'log: a list is not a mapping' },
  ...rows('interface', [
    ['missing', undefined, 'is missing; give the interface of the segment'],
    ['null', null, 'has no value'],
    ['number', 5, '5 is not an interface name'],
    ['empty', '', '"" is empty'],
    ['too long', 'x'.repeat(128), `"${'x'.repeat(39)}... is longer than the 127 bytes`],
    ['127 letters but 128 bytes', `${'x'.repeat(126)}é`, `"${'x'.repeat(39)}... is longer`],
    ['slash', 'a/b', '"a/b" is not an interface name'],
    ['space', 'a b', '"a b" is not an interface name'],
    ['dots', '..', '".." is not an interface name'],
    ['mapping', { a: { b: 1 } }, 'a mapping is not allowed here'],
  ]),
  ...rows('vhid', [
    ['missing', undefined, 'is missing'],
    ['0', 0, '0 is out of range 1-255'],
    ['300', 300, '300 is out of range 1-255'],
    ['fraction', 1.5, '1.5 is not a whole number 1-255'],
    ['text', '7', '"7" is not a number; give a whole number 1-255, without quotes'],
    ['list', [7], 'a list is not a number'],
  ]),
  ...rows('address', [
    ['missing', undefined, 'is missing'],
    ['number', 10.9, '10.9 is not an IPv4 address'],
    ['three numbers', '10.9.0', '"10.9.0" is not an IPv4 address'],
    ['prefix 0', '10.9.0.100/0', '"10.9.0.100/0" has no prefix length 1-32'],
    ['prefix 33', '10.9.0.100/33', '"10.9.0.100/33" has no prefix length 1-32'],
    ['prefix empty', '10.9.0.100/', '"10.9.0.100/" has no prefix length 1-32'],
    ['prefix as mask', '10.9.0.100/255.255.255.0', '"10.9.0.100/255.255.255.0" has no prefix'],
    ['any', '0.0.0.0', '"0.0.0.0" is not an address'],
    ['this network', '0.1.2.3', '"0.1.2.3" is in 0.0.0.0/8'],
    ['broadcast', '255.255.255.255', '"255.255.255.255" is the broadcast address'],
    ['loopback', '127.0.0.1/8', '"127.0.0.1/8" is a loopback address'],
    ['multicast', '224.0.0.18', '"224.0.0.18" is a multicast address'],
    ['reserved', '250.0.0.1', '"250.0.0.1" is in the reserved range'],
  ]),
  ...rows('source', [
    ['prefix', '10.9.0.10/24', '"10.9.0.10/24" is not an IPv4 address'],
    ['multicast', '224.0.0.1', '"224.0.0.1" is a multicast address'],
    ['null', null, 'has no value'],
  ]),
  ...rows('passphraseFile', [
    ['missing', undefined, 'is missing; give passphraseFile (or passphrase)'],
    ['relative', 'db.pass', 'is neither an absolute path'],
    ['number', 7, 'is not text'],
    [
      'not there',
      '/nowhere',
      "the file can't be read: there is no such file or folder; check its path",
    ],
    ['a pipe', '/pipe', "the file can't be read: it is a pipe; give a regular file"],
    ['empty', '/empty', 'the file is empty'],
    ['blank first line', '/blank', 'the first line is empty'],
    ['20 bytes', '/long', 'the first line is 20 bytes long; ucarp and carpd take 1-19'],
  ]),
  ...passphraseRows([
    ['empty', '', 'is empty; give 1-19 bytes'],
    ['20 bytes', 'x'.repeat(20), 'is 20 bytes long'],
    ['10 letters, 20 bytes', 'é'.repeat(10), 'is 20 bytes long'],
    ['number', 12345, 'is not text; put it in quotes'],
    ['NUL', 'a\0b', 'holds a NUL byte'],
    ['null', null, 'has no value'],
    ['mapping', { a: 1 }, 'a mapping is not allowed here'],
  ]),
  {
    desc: 'passphrase and passphraseFile',
    data: db({ passphrase: 'x' }),
    fault: 'instances.db.passphrase: is given beside passphraseFile',
  },
  ...rows('advbase', [
    ['256', 256, '256 is out of range 0-255'],
    ['negative', -1, '-1 is out of range 0-255'],
    ['text with junk', '12abc', '"12abc" is not a number'],
    ['0 with advskew 0', 0, 'is 0 with advskew 0'],
  ]),
  {
    desc: 'the cadence of a bow-out',
    data: db({ advbase: 255, advskew: 255, deadRatio: 2 }),
    fault: 'instances.db.advbase: is 255 with advskew 255',
  },
  ...rows('advskew', [['256', 256, '256 is out of range 0-255']]),
  ...rows('deadRatio', [
    ['0', 0, '0 is out of range 1-1000'],
    ['1001', 1001, '1001 is out of range 1-1000'],
  ]),
  ...['preempt', 'neutral', 'ignoreLinkState', 'broadcast', 'manageAddress'].flatMap((key) =>
    rows(key, [
      ['yes', 'yes', '"yes" is not true or false; write true or false, without quotes'],
      ['1', 1, '1 is not true or false'],
      ['off', 'off', '"off" is not true or false'],
    ]),
  ),
  ...rows('multicastGroup', [
    ['unicast', '10.9.0.1', '10.9.0.1 is not a multicast address; use 224.0.0.18, or broadcast'],
    ['any', '0.0.0.0', '"0.0.0.0" is not an address'],
    ['a name', 'all-hosts', '"all-hosts" is not an IPv4 address'],
  ]),
  ...rows('hooks', [
    ['list', [], 'a list is not a mapping; its keys are up, down, timeout, xparam'],
    ['text', '/path', 'a string is not a mapping'],
  ]),
  ...section('hooks', 'up', [
    ['text', '/path arg', '"/path arg" is not a list; write [/path/to/program, argument]'],
    ['relative', ['path'], '"path" is not an absolute path'],
    ['number inside', ['/path', 7], '7 in the list is not text'],
    ['NUL inside', ['/path\0'], 'a word in the list holds a NUL byte'],
  ]),
  ...section('hooks', 'down', [['null', null, 'has no value']]),
  ...section('hooks', 'xparam', [
    ['number', 7, '7 is not text'],
    ['NUL', '\0', 'holds a NUL byte'],
  ]),
  ...section('hooks', 'timeout', [
    ['no unit', '10', '"10" is not a duration; write "250ms", "5s", "2m" or a number of seconds'],
    ['unknown unit', '10d', '"10d" is not a duration'],
    ['negative text', '-1s', '"-1s" is not a duration'],
    ['0', 0, '0 is out of range 1ms to 24 hours'],
    ['less than 1 ms', 0.0001, '0.0001 is out of range'],
    ['too long', '1441m', '"1441m" is out of range'],
    ['list', [1], 'a list is not a duration'],
    ['true', true, 'true is not a duration'],
  ]),
  ...section('announce', 'burst', [['21', 21, '21 is out of range 0-20']]),
  ...section('announce', 'interval', [['9 ms', '9ms', '"9ms" is out of range 10ms to 24 hours']]),
  {
    desc: 'address equal to source',
    data: db({ source: '10.9.0.100' }),
    fault: 'instances.db.address: is the same as source',
  },
  {
    desc: 'same vhid and group on one interface',
    data: { instances: { db: instance(), web: instance({ address: '10.9.0.101/24' }) } },
    fault: 'instances.web.vhid: 7 on "bond0" is taken by instances.db',
  },
  {
    desc: 'the virtual IP of another instance as source, on whatever interface',
    data: {
      instances: {
        db: instance(),
        web: instance({ interface: 'eth1', address: '10.8.0.1', source: '10.9.0.100' }),
      },
    },
    fault: 'instances.web.source: 10.9.0.100 is the virtual IP of instances.db, which moves',
  },
  {
    desc: 'same virtual IP on one interface',
    data: { instances: { db: instance(), web: instance({ vhid: 8 }) } },
    fault: 'instances.web.address: 10.9.0.100 on "bond0" is the virtual IP of instances.db too',
  },
];

type ValueRow = readonly [desc: string, value: unknown, fault: string];

function rows(key: string, values: readonly ValueRow[]): FaultRow[] {
  return values.map(([desc, value, fault]) => ({
    desc: `${key}: ${desc}`,
    data: db({ [key]: value }),
    fault: `instances.db.${key}: ${fault}`,
  }));
}

function section(name: string, key: string, values: readonly ValueRow[]): FaultRow[] {
  return values.map(([desc, value, fault]) => ({
    desc: `${name}.${key}: ${desc}`,
    data: db({ [name]: { [key]: value } }),
    fault: `instances.db.${name}.${key}: ${fault}`,
  }));
}

function passphraseRows(values: readonly ValueRow[]): FaultRow[] {
  return values.map(([desc, passphrase, fault]) => ({
    desc: `passphrase: ${desc}`,
    data: db({ passphraseFile: undefined, passphrase }),
    fault: `instances.db.passphrase: ${fault}`,
  }));
}

describe('faults', () => {
  for (const { desc, data, fault } of FAULTS) {
    test(desc, () => {
      const lines = faultLines(load(data));
      const alone = desc === 'a key of Object.prototype' ? lines.slice(0, 1) : lines;
      assert.equal(alone.length, 1, inspect(lines));
      assert.ok(alone[0]!.startsWith(fault), `${alone[0]!}\nis not\n${fault}`);
      assert.doesNotMatch(alone[0]!, /\n/);
    });
  }

  test('all faults are reported at once', () => {
    const data = {
      log: { level: 'x' },
      instances: {
        a: instance({ vhid: 300, advbase: 'x' }),
        b: { interface: 'eth0', passphraseFile: '/nowhere' },
      },
    };
    const paths = load(data);
    assert.deepEqual(paths.ok ? [] : paths.faults.map(({ path }) => path).sort(), [
      'instances.a.advbase',
      'instances.a.vhid',
      'instances.b.address',
      'instances.b.passphraseFile',
      'instances.b.vhid',
      'log.level',
    ]);
  });

  test('combinations are checked although another key has a fault', () => {
    const data = db({ vhid: 300, advbase: 0 });
    assert.equal(faultLines(load(data)).length, 2);
  });
});
