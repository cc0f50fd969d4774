// Holds our reading of ucarp's arguments against the real ucarp: each row goes to both, and what
// each makes of it is compared. Rows that end differently say why. Needs /usr/sbin/ucarp, and no
// privileges: the interface does not exist, so that a list that is accepted ends in ucarp's set-up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readFileWithMode } from '../../src/config/read-file.ts';
import { parseUcarp, resolvePassphrase } from '../../src/config/ucarp/ucarp.ts';

const UCARP = '/usr/sbin/ucarp';
const ABSENT = 'carpd-absent0';

/** help: usage, exit 0. run: accepted, set-up begins. 1, 2: refused with that exit code. */
type Verdict = 'help' | 'run' | '1' | '2';

interface Row {
  readonly argv: readonly string[];
  readonly verdict: Verdict;
  /** What ours does instead, and why. */
  readonly ours?: readonly [Verdict, string];
}

const folder = mkdtempSync(join(tmpdir(), 'carpd-options-'));
after(() => rmSync(folder, { recursive: true }));

function passfile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const misuse = ['1', 'wrong usage is an error, not a success with the help on stdout'] as const;
const wraps = ['1', 'ucarp silently makes another number of it'] as const;
const dhcp = [
  'run',
  'the hook of Debian passes it where the interface has its address by DHCP',
] as const;
const notAHost = ['1', 'no host on the segment can have this address'] as const;

/** Added to a complete list; a repeated option replaces the one before it. */
const ROWS: readonly Row[] = [
  { argv: [], verdict: 'run' },
  { argv: ['-h'], verdict: 'help' },
  { argv: ['--hel'], verdict: 'help' },
  { argv: ['-PnzSMD'], verdict: 'run' },
  { argv: ['word', '-P', 'word'], verdict: 'run' },
  { argv: ['--', '-Q'], verdict: 'run' },
  { argv: ['-Q'], verdict: 'help', ours: misuse },
  { argv: ['--zzz'], verdict: 'help', ours: misuse },
  { argv: ['-x'], verdict: 'help', ours: misuse },
  { argv: ['--xparam'], verdict: 'help', ours: misuse },
  { argv: ['--adv=1'], verdict: 'help', ours: misuse },
  { argv: ['--debug=1'], verdict: 'help', ours: misuse },
  { argv: ['-m', '224.0.0.19'], verdict: 'help', ours: ['run', "ucarp's help names -m"] },
  { argv: ['--mcast=224.0.0.19'], verdict: 'run' },
  { argv: ['--m=224.0.0.19'], verdict: 'run' },
  { argv: ['--mcastip', '224.0.0.19'], verdict: 'run' },
  { argv: ['--mcast=nonsense'], verdict: '1' },
  { argv: ['--mcast=10.0.0.1', '-M'], verdict: 'run' },
  {
    argv: ['--mcast=10.0.0.1'],
    verdict: 'run',
    ours: ['2', 'ucarp exits 2 too once it joins the group on a real interface'],
  },
  { argv: ['--mcast=0.0.0.0', '-M'], verdict: 'run', ours: ['1', 'it is no address'] },
  { argv: ['-s', '-B'], verdict: '1', ours: dhcp },
  { argv: ['-s', '10.1'], verdict: '1' },
  { argv: ['-s', '10.0.0.1/16'], verdict: '1' },
  { argv: ['-s', '10.077.0.1'], verdict: '1' },
  { argv: ['-s', ''], verdict: '1', ours: dhcp },
  { argv: ['-s', '0.0.0.0'], verdict: '1' },
  { argv: ['-s', '224.0.0.1'], verdict: 'run', ours: notAHost },
  { argv: ['-s', '127.0.0.1'], verdict: 'run', ours: notAHost },
  { argv: ['-a', '10.0.0.100/24'], verdict: '1' },
  { argv: ['-a', '0.0.0.0'], verdict: '1' },
  { argv: ['-a', '255.255.255.255'], verdict: 'run', ours: notAHost },
  { argv: ['-a', '224.0.0.1'], verdict: 'run', ours: notAHost },
  { argv: ['-a', '10.0.0.1'], verdict: 'run', ours: ['1', 'the virtual address is --srcip'] },
  { argv: ['-v', '0x2a'], verdict: 'run' },
  { argv: ['-v', '052'], verdict: 'run' },
  { argv: ['-v', ' +7'], verdict: 'run' },
  { argv: ['-v', '0'], verdict: '1' },
  { argv: ['-v', '256'], verdict: '1' },
  { argv: ['-v', '-1'], verdict: '1' },
  { argv: ['-v', 'abc'], verdict: '1' },
  { argv: ['-v', '08'], verdict: '1' },
  { argv: ['-v', ''], verdict: '1' },
  { argv: ['-v', '1x'], verdict: 'run', ours: wraps },
  { argv: ['-b', '255', '-k', '0'], verdict: 'run' },
  { argv: ['-b', '0', '-k', '1'], verdict: 'run' },
  { argv: ['-b', '0'], verdict: '1' },
  { argv: ['-b', '256'], verdict: '1' },
  { argv: ['-b', 'abc'], verdict: '1' },
  { argv: ['-b', ''], verdict: '1' },
  { argv: ['-b', '257'], verdict: 'run', ours: wraps },
  { argv: ['-b', '-1'], verdict: 'run', ours: wraps },
  { argv: ['-b', '7junk'], verdict: 'run', ours: wraps },
  { argv: ['-k', '256'], verdict: 'run', ours: wraps },
  { argv: ['-k', 'abc'], verdict: 'run', ours: wraps },
  { argv: ['-k', '18446744073709551616'], verdict: 'run', ours: wraps },
  {
    argv: ['-b', '255', '-k', '255'],
    verdict: 'run',
    ours: ['1', 'its one advert means stepping down; ucarp falls silent after it'],
  },
  { argv: ['-r', '1'], verdict: 'run' },
  { argv: ['-r', '1000'], verdict: 'run' },
  { argv: ['-r', '0'], verdict: '1' },
  { argv: ['-r', 'abc'], verdict: '1' },
  { argv: ['-r', '4294967296'], verdict: '1' },
  { argv: ['-r', '-1'], verdict: 'run', ours: wraps },
  { argv: ['-r', '1001'], verdict: 'run', ours: ['1', 'the limit is 1000, hours of silence'] },
  { argv: ['-p', 'x'.repeat(19)], verdict: 'run' },
  { argv: ['-p', 'x'.repeat(20)], verdict: '2' },
  { argv: ['-p', ''], verdict: '1' },
  { argv: ['-o', passfile('good', 'pw\nmore\n')], verdict: 'run' },
  { argv: ['-o', passfile('cr', 'pw\r\n')], verdict: 'run' },
  { argv: ['-o', passfile('nul', 'pw\0more\n')], verdict: 'run' },
  { argv: ['-o', passfile('nul-first', '\0pw\n')], verdict: '1' },
  { argv: ['-o', passfile('19', `${'x'.repeat(19)}\n`)], verdict: 'run' },
  { argv: ['-o', passfile('20', `${'x'.repeat(20)}\n`)], verdict: '2' },
  { argv: ['-o', passfile('blank', '\npw\n')], verdict: '1' },
  { argv: ['-o', passfile('empty', '')], verdict: '1' },
  { argv: ['-o', folder], verdict: '1' },
  { argv: ['-o', join(folder, 'none')], verdict: '1' },
  {
    argv: ['-o', join(folder, 'none'), '-p', 'pw'],
    verdict: '1',
    ours: ['run', 'the last of -p and -o wins; a file that is not used is not read'],
  },
  { argv: ['-f', 'LOCAL7'], verdict: 'run' },
  { argv: ['-f', 'none'], verdict: 'run' },
  { argv: ['-f', 'nonsense'], verdict: 'run' },
  { argv: ['-u', '', '-d', ''], verdict: 'run' },
  { argv: ['-x', ''], verdict: 'run' },
  {
    argv: ['-i', 'sixteen-letters-'],
    verdict: '2',
    ours: ['run', 'an alternative name may be as long, and a missing one is waited for'],
  },
];

const REQUIRED = ['-s', '10.0.0.1', '-v', '1', '-p', 'pw', '-a', '10.0.0.100'];

function ofUcarp(argv: readonly string[]): Verdict {
  const { status, signal, stdout, stderr } = spawnSync(UCARP, argv, {
    encoding: 'utf8',
    timeout: 10_000,
  });
  assert.equal(signal, null, `ucarp did not end: ${argv.join(' ')}`);
  if (status === 0) return stdout.includes('--interface=<if>') ? 'help' : assert.fail(stdout);
  if (status === 1) return '1';
  assert.equal(status, 2, stderr);
  return stderr.includes(`MAC address of [${ABSENT}]`) ? 'run' : '2';
}

function ofOurs(argv: readonly string[]): Verdict {
  const parsed = parseUcarp(argv);
  if (parsed.kind === 'help') return 'help';
  if (parsed.kind === 'error') return `${parsed.exitCode}`;
  const passphrase = resolvePassphrase(parsed.passphrase, readFileWithMode);
  return passphrase.ok ? 'run' : `${passphrase.reason.exitCode}`;
}

function whyNot(): string | false {
  try {
    accessSync(UCARP, constants.X_OK);
    return false;
  } catch {
    return `${UCARP} is not installed: apt-get install ucarp`;
  }
}

function compare(argv: readonly string[], { verdict, ours }: Omit<Row, 'argv'>): void {
  assert.equal(ofUcarp(argv), verdict, 'ucarp');
  assert.equal(ofOurs(argv), ours?.[0] ?? verdict, 'ours');
}

describe('the same arguments for ucarp and for ours', { skip: whyNot() }, () => {
  for (const { argv, ...row } of ROWS) {
    const why = row.ours === undefined ? '' : ` (differs: ${row.ours[1]})`;
    const shown = argv.join(' ').replaceAll(folder, 'FOLDER');
    test(`${shown}${why}`, () => compare(['-i', ABSENT, ...REQUIRED, ...argv], row));
  }

  test('no argument at all', () => compare([], { verdict: 'help' }));

  for (const option of ['-s', '-v', '-p', '-a']) {
    const at = REQUIRED.indexOf(option);
    const argv = ['-i', ABSENT, ...REQUIRED.toSpliced(at, 2)];
    test(`without ${option}`, () => compare(argv, { verdict: '1' }));
  }
});
