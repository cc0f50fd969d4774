// carpd check: what it prints where, and how it ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig, type CommandOutcome } from '../../../src/cli/check.ts';

const PASS = 'open sesame';
const INSTANCE = `{interface: eth0, vhid: 7, address: 10.9.0.100/24, passphrase: ${PASS}}`;
const GOOD = `instances: {db: ${INSTANCE}}`;
const BAD = 'instances: {db: {interface: eth0, vhid: 300, adress: 10.9.0.100/24, passphrase: x}}';

const EFFECTIVE = {
  log: { level: 'info', format: 'auto' },
  metrics: { listen: '127.0.0.1:9112' },
  control: { socket: '/run/carpd/control.sock' },
  state: { directory: '/var/lib/carpd' },
  instances: {
    db: {
      interface: 'eth0',
      vhid: 7,
      address: '10.9.0.100/24',
      passphrase: '[redacted]',
      advbase: 1,
      advskew: 0,
      deadRatio: 3,
      preempt: false,
      neutral: false,
      ignoreLinkState: false,
      multicastGroup: '224.0.0.18',
      broadcast: false,
      manageAddress: true,
      hooks: { up: [], down: [], timeout: '10s', xparam: '' },
      announce: { burst: 2, interval: '500ms', refresh: 'off' },
      peers: [],
      gate: {
        policy: 'hold',
        promoteAfter: '60s',
        probe: { targets: ['gateway'], interval: '500ms' },
        requireProbe: false,
        vipInUse: 'unheard',
        uplinks: 'auto',
      },
    },
  },
};

function check(text: string, json = false, mode = 0o600): CommandOutcome {
  return checkConfig({ configPath: '/etc/c.yaml', json, quiet: false }, () => ({
    bytes: Buffer.from(text),
    mode,
  }));
}

test('a good file: the effective configuration as JSON', () => {
  const { stdout, stderr, exitCode } = check(GOOD, true);
  assert.deepEqual(JSON.parse(stdout), EFFECTIVE);
  assert.equal(stderr, '');
  assert.equal(exitCode, 0);
});

test('a good file: as YAML, every key on its line', () => {
  const { stdout, exitCode } = check(GOOD);
  assert.match(stdout, /^ {4}vhid: 7$/m);
  assert.match(stdout, /^ {4}passphrase: "\[redacted\]"$/m);
  assert.match(stdout, /^ {6}timeout: 10s$/m);
  assert.equal(exitCode, 0);
});

test('what is printed reads back as the same configuration, but for the passphrase', () => {
  const hooks = 'hooks: {up: [/up, a b], timeout: 1500ms, xparam: x}, source: 10.9.0.1}}';
  const first = check(GOOD.replace('}}', `, ${hooks}`));
  assert.equal(first.exitCode, 0);
  assert.equal(check(first.stdout).stdout, first.stdout);
});

test('quietly, faults and warnings only', () => {
  const options = { configPath: '/etc/c.yaml', json: false, quiet: true };
  const read = (mode: number) => () => ({ bytes: Buffer.from(GOOD), mode });
  assert.deepEqual(checkConfig(options, read(0o600)), { stdout: '', stderr: '', exitCode: 0 });
  assert.match(checkConfig(options, read(0o644)).stderr, /warning: .*every user can read/);
});

test('warnings go to stderr and change neither output nor exit code', () => {
  const { stdout, stderr, exitCode } = check(GOOD, true, 0o644);
  assert.deepEqual(JSON.parse(stdout), EFFECTIVE);
  assert.match(
    stderr,
    /^carpd: \/etc\/c\.yaml: warning: instances\.db\.passphrase: .*chmod 600.*\n$/,
  );
  assert.equal(exitCode, 0);
});

test('faults: all of them, a line each, nothing on stdout', () => {
  const { stdout, stderr, exitCode } = check(BAD);
  assert.equal(stdout, '');
  assert.deepEqual(stderr.split('\n'), [
    'carpd: /etc/c.yaml: instances.db.adress: unknown key (did you mean "address"?)',
    'carpd: /etc/c.yaml: instances.db.vhid: 300 is out of range 1-255',
    'carpd: /etc/c.yaml: instances.db.address: is missing; give the virtual IP',
    '',
  ]);
  assert.equal(exitCode, 2);
});

test('faults and warnings together', () => {
  const { stderr } = check(BAD, false, 0o644);
  assert.equal(stderr.split('\n').filter((line) => line.includes(': warning: ')).length, 1);
});

test('a file that is not there', () => {
  const outcome = checkConfig({ configPath: '/none', json: false, quiet: false }, () => {
    throw new Error('ENOENT: no such file or directory');
  });
  assert.equal(outcome.stderr, "carpd: /none: can't be read: there is no such file or folder\n");
  assert.equal(outcome.exitCode, 2);
});

test('the passphrase is in no output', () => {
  for (const json of [true, false]) {
    const { stdout, stderr } = check(GOOD, json, 0o644);
    assert.ok(!(stdout + stderr).includes(PASS));
  }
});
