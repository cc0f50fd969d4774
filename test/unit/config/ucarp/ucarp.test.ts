// ucarp's arguments: each option's good and bad values, the required ones, and the exit codes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { formatIpv4, type Ipv4 } from '../../../../src/base/addresses.ts';
import { GATE_DEFAULTS } from '../../../../src/config/config.ts';
import { FileRefusal } from '../../../../src/config/passphrase.ts';
import {
  parseUcarp,
  resolvePassphrase,
  type UcarpRun,
} from '../../../../src/config/ucarp/ucarp.ts';
import { UCARP_OPTIONS } from '../../../../src/config/ucarp/ucarp-options.ts';

const REQUIRED = ['-s', '10.0.0.1', '-v', '1', '-p', 'pw', '-a', '10.0.0.100'];
const SCRIPTS = ['-u', '/up', '-d', '/down'];

function run(...more: readonly string[]): UcarpRun {
  const parsed = parseUcarp([...REQUIRED, ...SCRIPTS, ...more]);
  assert.ok(parsed.kind === 'run', inspect(parsed));
  return parsed;
}

/** "run", "help", or "EXIT message". */
function outcome(argv: readonly string[]): string {
  const parsed = parseUcarp(argv);
  return parsed.kind === 'error' ? `${String(parsed.exitCode)} ${parsed.message}` : parsed.kind;
}

function text(source: Ipv4 | undefined): string {
  return source === undefined ? 'of the interface' : formatIpv4(source);
}

describe('an empty --srcip, as the hook of Debian gives it under DHCP', () => {
  for (const [how, words] of [
    ['with quotes', ['-s', '', '-B']],
    ['without', ['-s', '-B']],
  ] as const) {
    test(`${how} takes the address of the interface, goes into the background, and says so`, () => {
      const { instance, daemonize, warnings } = run(...words, '-z');
      assert.equal(instance.source, undefined);
      assert.equal(daemonize, true);
      assert.match(warnings.join(), /--srcip is empty; the first address of the interface/);
    });
  }
});

describe('defaults', () => {
  test('are those of ucarp', () => {
    const { instance, passphrase, ...rest } = run();
    const { address, source, destination, ...plain } = instance;
    assert.equal(formatIpv4(address.ip), '10.0.0.100');
    assert.equal(address.prefixLength, 32);
    assert.equal(text(source), '10.0.0.1');
    assert.equal(formatIpv4(destination), '224.0.0.18');
    assert.ok(passphrase.kind === 'inline');
    assert.equal(Buffer.from(passphrase.secret.reveal()).toString(), 'pw');
    assert.deepEqual(plain, {
      name: 'vhid-1',
      interfaceName: undefined,
      vhid: 1,
      advbase: 1,
      advskew: 0,
      deadRatio: 3,
      preempt: false,
      neutral: false,
      ignoreLinkState: false,
      broadcast: false,
      manageAddress: false,
      hooks: { up: ['/up'], down: ['/down'], timeoutMs: 60_000, xparam: undefined },
      announce: { burst: 0, intervalMs: 500, refreshMs: undefined },
      peers: [],
      gate: GATE_DEFAULTS,
    });
    assert.deepEqual(rest, {
      kind: 'run',
      daemonize: false,
      debug: false,
      facility: 'daemon',
      shutdownScript: false,
      metrics: undefined,
      warnings: [],
    });
  });
});

describe('values that are taken', () => {
  type Look = (parsed: UcarpRun) => unknown;
  const ROWS: readonly { argv: readonly string[]; look: Look; value: unknown }[] = [
    { argv: ['-i', 'eth0'], look: (r) => r.instance.interfaceName, value: 'eth0' },
    { argv: ['-ieth0'], look: (r) => r.instance.interfaceName, value: 'eth0' },
    { argv: ['-i', ''], look: (r) => r.instance.interfaceName, value: undefined },
    { argv: ['--srcip=10.0.0.2'], look: (r) => text(r.instance.source), value: '10.0.0.2' },
    { argv: ['-s', ''], look: (r) => text(r.instance.source), value: 'of the interface' },
    ...['--mcast', '--mcastip', '--m', '-m'].map((name) => ({
      argv: [name, '224.0.0.19'],
      look: (r: UcarpRun) => formatIpv4(r.instance.destination),
      value: '224.0.0.19',
    })),
    { argv: ['-M', '--mcast=10.1.1.1'], look: (r) => r.instance.broadcast, value: true },
    { argv: ['-v', '0x2a'], look: (r) => r.instance.vhid, value: 42 },
    { argv: ['-v', '052'], look: (r) => r.instance.vhid, value: 42 },
    { argv: ['-v', ' +7'], look: (r) => r.instance.vhid, value: 7 },
    { argv: ['-b', '0', '-k', '1'], look: (r) => r.instance.advbase, value: 0 },
    { argv: ['-b', '255'], look: (r) => r.instance.advbase, value: 255 },
    { argv: ['-k', '255'], look: (r) => r.instance.advskew, value: 255 },
    { argv: ['-r', '1000'], look: (r) => r.instance.deadRatio, value: 1000 },
    { argv: ['-P'], look: (r) => r.instance.preempt, value: true },
    { argv: ['-n'], look: (r) => r.instance.neutral, value: true },
    { argv: ['-S'], look: (r) => r.instance.ignoreLinkState, value: true },
    { argv: ['-M'], look: (r) => r.instance.broadcast, value: true },
    { argv: ['-B'], look: (r) => r.daemonize, value: true },
    { argv: ['-D'], look: (r) => r.debug, value: true },
    { argv: ['-z'], look: (r) => r.shutdownScript, value: true },
    { argv: ['-PnSMBDz'], look: (r) => r.shutdownScript, value: true },
    { argv: ['-u', '/other'], look: (r) => r.instance.hooks.up, value: ['/other'] },
    { argv: ['-d', 'relative'], look: (r) => r.instance.hooks.down, value: ['relative'] },
    { argv: ['-x', 'a b'], look: (r) => r.instance.hooks.xparam, value: 'a b' },
    { argv: ['-x', ''], look: (r) => r.instance.hooks.xparam, value: '' },
    { argv: ['-f', 'LOCAL7'], look: (r) => r.facility, value: 'local7' },
    { argv: ['-f', 'none'], look: (r) => r.facility, value: 'none' },
    { argv: ['--metrics=127.0.0.1:9112'], look: (r) => r.metrics?.text, value: '127.0.0.1:9112' },
    { argv: ['--metrics=[::1]:1'], look: (r) => r.metrics?.text, value: '[::1]:1' },
    { argv: ['--metrics=unix:/run/m'], look: (r) => r.metrics?.text, value: 'unix:/run/m' },
    { argv: ['--gate=hold'], look: (r) => r.instance.gate.policy, value: 'hold' },
    { argv: ['--gate', 'off'], look: (r) => r.instance.gate.policy, value: 'off' },
    {
      argv: ['--gate=promote-after:1.5'],
      look: (r) => [r.instance.gate.policy, r.instance.gate.promoteAfterMs],
      value: ['promote-after', 1500],
    },
    { argv: ['-S'], look: (r) => r.instance.gate.policy, value: 'off' },
    { argv: ['-S', '--gate=hold'], look: (r) => r.instance.gate.policy, value: 'hold' },
    { argv: ['-b', '2', '-b', '3'], look: (r) => r.instance.advbase, value: 3 },
    { argv: ['-o', '/file'], look: (r) => r.passphrase, value: { kind: 'file', path: '/file' } },
    { argv: ['-o', '/file', '-p', 'x'], look: (r) => r.passphrase.kind, value: 'inline' },
  ];
  for (const { argv, look, value } of ROWS) {
    test(argv.join(' '), () => assert.deepEqual(look(run(...argv)), value));
  }
});

describe('values that are refused', () => {
  const ROWS: readonly { argv: readonly string[]; expected: RegExp }[] = [
    { argv: ['-s', '-P'], expected: /^1 -s: "-P" is not an IPv4 address/ },
    { argv: ['-s', '10.1'], expected: /^1 -s: "10\.1" is not an IPv4 address/ },
    { argv: ['-s', '10.0.0.1/16'], expected: /^1 -s: "10\.0\.0\.1\/16" has a prefix/ },
    { argv: ['-s', '0.0.0.0'], expected: /^1 -s: "0\.0\.0\.0" is not an address/ },
    { argv: ['-a', '10.0.0.9/24'], expected: /^1 -a: .*has a prefix; give the IPv4 address alone/ },
    { argv: ['-a', '224.0.0.1'], expected: /^1 -a: .*multicast/ },
    { argv: ['--addr=10.0.0.1'], expected: /^1 --addr and --srcip are the same/ },
    { argv: ['--mcast=0.0.0.0'], expected: /^1 --mcast: .*not an address/ },
    { argv: ['--mcast=10.1.1.1'], expected: /^2 --mcast: 10\.1\.1\.1 is not a multicast address/ },
    { argv: ['-v', '0'], expected: /^1 -v: "0" is out of range 1-255/ },
    { argv: ['-v', '256'], expected: /^1 -v: "256" is out of range 1-255/ },
    { argv: ['-v', '1x'], expected: /^1 -v: "1x" is not a whole number 1-255/ },
    { argv: ['-v', '-1'], expected: /^1 -v: "-1" is not a whole number/ },
    { argv: ['-v', ''], expected: /^1 -v: "" is not a whole number/ },
    { argv: ['-v', '08'], expected: /^1 -v: "08" .*\(a leading 0 means octal\)/ },
    { argv: ['-b', '256'], expected: /^1 -b: "256" is out of range 0-255/ },
    { argv: ['-b', '18446744073709551616'], expected: /^1 -b: .*out of range 0-255/ },
    { argv: ['-b', 'abc'], expected: /^1 -b: "abc" is not a whole number 0-255/ },
    { argv: ['-k', '7junk'], expected: /^1 -k: "7junk" is not a whole number 0-255/ },
    { argv: ['-k', '0x'], expected: /^1 -k: "0x" is not a whole number 0-255/ },
    { argv: ['-r', '0'], expected: /^1 -r: "0" is out of range 1-1000/ },
    { argv: ['-r', '-1'], expected: /^1 -r: "-1" is not a whole number 1-1000/ },
    { argv: ['-r', '4294967296'], expected: /^1 -r: .*out of range 1-1000/ },
    { argv: ['-b', '0'], expected: /^1 .*--advbase and --advskew are both 0/ },
    { argv: ['-b', '255', '-k', '255'], expected: /^1 --advbase 255 with --advskew 255/ },
    { argv: ['-p', ''], expected: /^1 a password is needed/ },
    { argv: ['-p', 'x'.repeat(20)], expected: /^2 --pass: Password too long \(20 bytes/ },
    { argv: ['-p', 'a\u{fffd}'], expected: /^1 --pass: the password is not UTF-8 text/ },
    { argv: ['-i', 'x'.repeat(128)], expected: /^2 --interface: .*longer than the 127 bytes/ },
    { argv: ['-i', 'a/b'], expected: /^2 --interface: .*is not an interface name/ },
    { argv: ['-Q'], expected: /^1 unknown option -Q; --help lists them/ },
    { argv: ['--zzz=secret'], expected: /^1 unknown option --zzz; --help lists them/ },
    { argv: ['--a b'], expected: /^1 unknown option "--a b"; --help lists them/ },
    { argv: ['-b'], expected: /^1 -b needs a value/ },
    { argv: ['--adv=1'], expected: /^1 --adv begins more than one option/ },
    { argv: ['--debug=1'], expected: /^1 --debug takes no value/ },
    { argv: ['--metr=x'], expected: /^1 unknown option --metr/ },
    ...['127.0.0.1', ':9112', 'a:0', 'a:65536', 'a:b:1', 'unix:rel', 'unix:', ''].map((text) => ({
      argv: [`--metrics=${text}`],
      expected: /^1 --metrics: .* is neither ADDR:PORT/,
    })),
    ...['on', '', 'promote-after', 'promote-after:', 'promote-after:0.9', 'promote-after:3601'].map(
      (text) => ({
        argv: [`--gate=${text}`],
        expected: /^1 --gate: .* is not one of hold, off, promote-after:SECONDS/,
      }),
    ),
  ];
  for (const { argv, expected } of ROWS) {
    test(argv.join(' '), () => assert.match(outcome([...REQUIRED, ...argv]), expected));
  }
});

describe('required options', () => {
  const ROWS: readonly { desc: string; without: string; expected: RegExp }[] = [
    { desc: 'vhid', without: '-v', expected: /^1 a virtual host id is needed: give --vhid=ID/ },
    { desc: 'password', without: '-p', expected: /^1 a password is needed: give --passfile=FILE/ },
    { desc: 'source', without: '-s', expected: /^1 the real address of this host is needed/ },
    { desc: 'address', without: '-a', expected: /^1 the virtual address is needed: give --addr/ },
  ];
  for (const { desc, without, expected } of ROWS) {
    test(desc, () => {
      const at = REQUIRED.indexOf(without);
      assert.match(outcome(REQUIRED.toSpliced(at, 2)), expected);
    });
  }
});

describe('help', () => {
  test('no argument, -h and --help ask for it, whatever follows', () => {
    assert.equal(outcome([]), 'help');
    assert.equal(outcome(['-h']), 'help');
    assert.equal(outcome(['-P', '--help', '--zzz']), 'help');
    assert.equal(outcome(['--zzz', '-h']).slice(0, 1), '1');
  });
});

describe('warnings', () => {
  const ROWS: readonly { desc: string; argv: readonly string[]; expected: readonly RegExp[] }[] = [
    { desc: 'no scripts', argv: REQUIRED, expected: [/going up; give --up/, /going down; give/] },
    { desc: 'empty script', argv: [...REQUIRED, '-u', '', '-d', '/x'], expected: [/going up/] },
    {
      desc: 'unknown facility',
      argv: [...REQUIRED, ...SCRIPTS, '-f', 'nonsense'],
      expected: [/unknown facility "nonsense"; using daemon/],
    },
    {
      desc: 'metrics for everybody',
      argv: [...REQUIRED, ...SCRIPTS, '--metrics=10.0.0.2:9112'],
      expected: [/^--metrics: 10\.0\.0\.2:9112 is not a loopback address/],
    },
    {
      desc: 'surplus words, not shown',
      argv: [...REQUIRED, ...SCRIPTS, 'rest', 'of it'],
      expected: [/^2 surplus words ignored; a value with spaces needs quotes$/],
    },
  ];
  for (const { desc, argv, expected } of ROWS) {
    test(desc, () => {
      const parsed = parseUcarp(argv);
      assert.ok(parsed.kind === 'run');
      assert.equal(parsed.warnings.length, expected.length, inspect(parsed.warnings));
      expected.forEach((pattern, index) => assert.match(parsed.warnings[index]!, pattern));
    });
  }
});

describe('the password', () => {
  const file = (text: string) => () => ({ bytes: Buffer.from(text), mode: 0o600 });
  const fromFile = run('-o', '/etc/pass').passphrase;

  test('comes from the arguments', () => {
    const resolved = resolvePassphrase(run().passphrase, () => assert.fail('no file is read'));
    assert.equal(resolved.ok ? Buffer.from(resolved.value.secret.reveal()).toString() : '', 'pw');
  });

  test('comes from the file', () => {
    const resolved = resolvePassphrase(fromFile, file('abc\r\n'));
    assert.ok(resolved.ok);
    assert.equal(Buffer.from(resolved.value.secret.reveal()).toString(), 'abc\r');
    assert.match(resolved.value.warnings[0] ?? '', /^--passfile "\/etc\/pass": .*carriage return/);
  });

  const REFUSED: readonly { desc: string; read: Parameters<typeof resolvePassphrase>[1] }[] = [
    { desc: '1 empty file', read: file('') },
    { desc: '1 blank line', read: file('\n') },
    { desc: '2 too long', read: file('x'.repeat(20)) },
    {
      desc: '1 a directory',
      read: () => {
        throw new FileRefusal('it is a directory; give a regular file');
      },
    },
    { desc: '1 missing', read: () => assert.fail('ENOENT: no such file') },
  ];
  for (const { desc, read } of REFUSED) {
    test(`refused with exit code ${desc}`, () => {
      const resolved = resolvePassphrase(fromFile, read);
      assert.equal(resolved.ok ? 0 : resolved.reason.exitCode, Number(desc[0]));
    });
  }

  test('is in no output', () => {
    const secret = 'Tr0ub4dor';
    const seen = [
      parseUcarp([...REQUIRED, '-p', secret]),
      parseUcarp([...REQUIRED, '-p', secret.repeat(3)]),
      parseUcarp([...REQUIRED, '-p', `${secret}\u{fffd}`]),
      parseUcarp([...REQUIRED, `--passwrd=${secret}`]),
      parseUcarp([...REQUIRED, '-p', 'x', secret]),
      parseUcarp(['-p', secret]),
    ].map((parsed) => inspect(parsed, { depth: 9 }) + JSON.stringify(parsed));
    seen.forEach((text) => assert.ok(!text.includes(secret), text));
  });
});

test('every long name of ucarp 1.5.2 is there, and its letters', () => {
  const letters = UCARP_OPTIONS.map(({ short, takesValue }) =>
    short === '' ? '' : `${short}${takesValue ? ':' : ''}`,
  );
  // The option string of the binary, and -m, which its help names but it refuses.
  const binary = 'i:s:v:p:Pa:hb:k:x:nu:d:Dr:zf:Bo:SM'.match(/.:?/g) ?? [];
  assert.deepEqual(letters.filter((text) => text !== '').sort(), [...binary, 'm:'].sort());
});
