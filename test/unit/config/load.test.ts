// Warnings, and what becomes of a good configuration.
import { formatEffective } from '../../../src/config/effective.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { formatIpv4, parseIpv4 } from '../../../src/base/addresses.ts';
import { sameInstance, type Config } from '../../../src/config/config.ts';
import { describeFault, loadConfigFile } from '../../../src/config/load.ts';
import type { FileContent } from '../../../src/config/passphrase.ts';
import { db, faultLines, file, good, instance, load, PASS, readFile } from './sample.ts';

describe('warnings', () => {
  interface WarningRow {
    readonly desc: string;
    readonly data: object;
    readonly mode?: number;
    /** The one warning, as a pattern; undefined: none. */
    readonly warning: RegExp | undefined;
  }
  const inline = { passphraseFile: undefined, passphrase: PASS };
  const WARNINGS: readonly WarningRow[] = [
    { desc: 'nothing doubtful', data: db({}), warning: undefined },
    { desc: 'file open to all', data: db({ passphraseFile: '/open' }), warning: /0644.*chmod 600/ },
    { desc: 'open to a group', data: db({ passphraseFile: '/group' }), warning: /0640.*chmod 600/ },
    {
      desc: 'carriage return',
      data: db({ passphraseFile: '/cr' }),
      warning: /part of the key.*sed/,
    },
    {
      desc: 'inline in an open file',
      data: db(inline),
      mode: 0o100644,
      warning: /passphrase: every user can read .*0644.*passphraseFile/,
    },
    { desc: 'inline in a closed file', data: db(inline), mode: 0o100640, warning: undefined },
    { desc: 'inline without a file', data: db(inline), warning: undefined },
    { desc: 'file in an open file', data: db({}), mode: 0o100644, warning: undefined },
    {
      desc: 'line break inline',
      data: db({ ...inline, passphrase: 'a\n' }),
      warning: /line break/,
    },
    { desc: 'deadRatio 1', data: db({ deadRatio: 1 }), warning: /deadRatio: is 1: a single lost/ },
    { desc: 'deadRatio 2', data: db({ deadRatio: 2 }), warning: undefined },
    { desc: 'interval 254 s', data: db({ advbase: 127, deadRatio: 2 }), warning: undefined },
    { desc: 'interval 255 s', data: db({ advbase: 85 }), warning: /not recognised/ },
    { desc: 'no hooks', data: db({ manageAddress: false }), warning: /with no hooks/ },
    {
      desc: 'no down hook',
      data: db({ manageAddress: false, hooks: { up: ['/x'] } }),
      warning: /with no down hook/,
    },
    {
      desc: 'no up hook',
      data: db({ manageAddress: false, hooks: { down: ['/x'] } }),
      warning: /with no up hook/,
    },
    {
      desc: 'both hooks',
      data: db({ manageAddress: false, hooks: { up: ['/x'], down: ['/x'] } }),
      warning: undefined,
    },
    {
      desc: 'network address',
      data: db({ address: '10.9.0.0/24' }),
      warning: /the network address/,
    },
    { desc: 'broadcast', data: db({ address: '10.9.0.255/24' }), warning: /the broadcast address/ },
    {
      desc: 'metrics for everybody',
      data: { ...db({}), metrics: { listen: '0.0.0.0:9112' } },
      warning: /^metrics\.listen: 0\.0\.0\.0:9112 is not a loopback address/,
    },
    {
      desc: 'metrics for this host',
      data: { ...db({}), metrics: { listen: '[::1]:9112' } },
      warning: undefined,
    },
    { desc: 'end of a /31', data: db({ address: '10.9.0.0/31' }), warning: undefined },
  ];
  for (const { desc, data, mode, warning } of WARNINGS) {
    test(desc, () => {
      const result = load(data, mode);
      assert.ok(result.ok, inspect(result));
      const lines = result.warnings.map(describeFault);
      assert.equal(lines.length, warning === undefined ? 0 : 1, inspect(lines));
      if (warning !== undefined) assert.match(lines[0]!, warning);
    });
  }
});

describe('a good configuration', () => {
  test('has every default of the contract', () => {
    const config = good(db({}));
    const { address, destination, passphrase, ...rest } = config.instances[0]!;
    assert.deepEqual(config.log, { level: 'info', format: 'auto' });
    assert.equal(`${formatIpv4(address.ip)}/${String(address.prefixLength)}`, '10.9.0.100/24');
    assert.equal(formatIpv4(destination), '224.0.0.18');
    assert.equal(Buffer.from(passphrase.reveal()).toString(), PASS);
    assert.deepEqual(rest, {
      name: 'db',
      interfaceName: 'bond0',
      vhid: 7,
      source: undefined,
      advbase: 1,
      advskew: 0,
      deadRatio: 3,
      preempt: false,
      neutral: false,
      ignoreLinkState: false,
      broadcast: false,
      manageAddress: true,
      hooks: { up: [], down: [], timeoutMs: 10_000, xparam: undefined },
      announce: { burst: 2, intervalMs: 500, refreshMs: undefined },
      peers: [],
      gate: {
        policy: 'hold',
        promoteAfterMs: 60_000,
        probe: { targets: ['gateway'], intervalMs: 500 },
        requireProbe: false,
        vipInUse: 'unheard',
        uplinks: 'auto',
      },
    });
  });

  test('takes every key, from YAML', () => {
    const config = good(`
log: { level: debug, format: text }
metrics: { listen: 'off' }
control: { socket: off, group: adm }
state: { directory: off }
instances:
  db.1_a-b:
    interface: eth0.100
    vhid: 255
    address: 10.9.0.100
    source: 10.9.0.10
    passphrase: "  19 bytes of it   "
    advbase: 0
    advskew: 255
    deadRatio: 1000
    preempt: true
    neutral: true
    ignoreLinkState: true
    multicastGroup: 10.1.2.3
    broadcast: true
    manageAddress: false
    hooks: { up: [/bin/up, a b], down: [/bin/down], timeout: 1.5s, xparam: x y }
    announce: { burst: 20, interval: 0.25 }
    peers: [10.9.0.20]
    gate: { policy: promote-after, promoteAfter: 2m, uplinks: [bond0] }
`);
    const { address, destination, source, passphrase, ...rest } = config.instances[0]!;
    assert.deepEqual(config.log, { level: 'debug', format: 'text' });
    assert.deepEqual(config.metrics, { listen: undefined });
    assert.deepEqual(config.control, { socket: undefined, unixGroup: 'adm' });
    assert.deepEqual(config.state, { directory: undefined });
    assert.equal(address.prefixLength, 32);
    assert.equal(formatIpv4(destination), '10.1.2.3');
    assert.equal(formatIpv4(source!), '10.9.0.10');
    assert.equal(passphrase.reveal().length, 19);
    assert.deepEqual(rest, {
      name: 'db.1_a-b',
      interfaceName: 'eth0.100',
      vhid: 255,
      advbase: 0,
      advskew: 255,
      deadRatio: 1000,
      preempt: true,
      neutral: true,
      ignoreLinkState: true,
      broadcast: true,
      manageAddress: false,
      hooks: { up: ['/bin/up', 'a b'], down: ['/bin/down'], timeoutMs: 1500, xparam: 'x y' },
      announce: { burst: 20, intervalMs: 250, refreshMs: undefined },
      peers: [parseIpv4('10.9.0.20')],
      gate: {
        policy: 'promote-after',
        promoteAfterMs: 120_000,
        probe: { targets: ['gateway'], intervalMs: 500 },
        requireProbe: false,
        vipInUse: 'unheard',
        uplinks: ['bond0'],
      },
    });
  });

  test('JSON with tabs is YAML too', () => {
    assert.equal(good(JSON.stringify(db({}), null, '\t')).instances.length, 1);
  });

  test('an empty section is its defaults', () => {
    assert.equal(good(db({ hooks: null, announce: {} })).instances[0]!.announce.burst, 2);
  });

  test('instances that differ in what the wire tells apart live together', () => {
    const data = {
      instances: {
        a: instance(),
        b: instance({ vhid: 8, address: '10.9.0.101' }),
        c: instance({ interface: 'eth1' }),
        d: instance({ multicastGroup: '224.0.0.19', address: '10.9.0.102' }),
      },
    };
    assert.deepEqual(
      good(data).instances.map(({ name }) => name),
      ['a', 'b', 'c', 'd'],
    );
  });

  test('durations in all units', () => {
    const timeouts = ['250ms', '5s', '2m', 0.25, '0.5m'].map(
      (timeout) => good(db({ hooks: { timeout } })).instances[0]!.hooks.timeoutMs,
    );
    assert.deepEqual(timeouts, [250, 5_000, 120_000, 250, 30_000]);
  });

  test('is shown with the file of the passphrase, and never with the passphrase', () => {
    const shown = formatEffective(good(db({ passphraseFile: '/cr' })), 'yaml');
    assert.match(shown, /^ {4}passphrase: "?\[redacted\], from \/cr"?$/m);
    assert.ok(!shown.includes(PASS));
    assert.match(
      formatEffective(good(db({ passphraseFile: undefined, passphrase: PASS })), 'yaml'),
      /\[redacted\]"?$/m,
    );
  });

  test('the same passphrase in another file changes nothing', () => {
    const [a, b] = ['/good', '/open'].map((passphraseFile) => good(db({ passphraseFile })));
    assert.ok(sameInstance(a!.instances[0]!, b!.instances[0]!));
  });

  test('is frozen to the bottom', () => {
    const config = good(db({ hooks: { up: ['/x'] } }));
    const { hooks, address } = config.instances[0]!;
    for (const part of [config, config.log, config.instances, hooks, hooks.up, address]) {
      assert.ok(Object.isFrozen(part));
    }
  });

  test('never looks at the environment or the arguments of the process', () => {
    process.argv.push('--vhid=9', '--log.level=debug');
    try {
      assert.equal(good(db({})).instances[0]!.vhid, 7);
    } finally {
      process.argv.length -= 2;
    }
  });

  test('sameInstance sees every difference, the passphrase included', () => {
    const one = (changes: object): Config['instances'][number] => good(db(changes)).instances[0]!;
    assert.ok(sameInstance(one({}), one({})));
    assert.ok(!sameInstance(one({}), one({ advskew: 1 })));
    assert.ok(!sameInstance(one({}), one({ passphraseFile: undefined, passphrase: 'x' })));
  });
});

describe('files', () => {
  const text = JSON.stringify(db({ passphraseFile: undefined, passphrase: PASS }));

  test('a file is read with its mode', () => {
    const result = loadConfigFile('/carpd.yaml', () => file(text, 0o100644));
    assert.ok(result.ok);
    assert.equal(result.warnings.length, 1);
  });

  const BAD: readonly { desc: string; read: () => FileContent; fault: RegExp }[] = [
    { desc: 'not there', read: () => readFile('/nowhere'), fault: /^can't be read: there is no/ },
    {
      desc: 'not UTF-8',
      read: () => ({ bytes: Uint8Array.of(0x61, 0xff), mode: 0o600 }),
      fault: /^is not UTF-8 text/,
    },
  ];
  for (const { desc, read, fault } of BAD) {
    test(desc, () => assert.match(faultLines(loadConfigFile('/x', read))[0] ?? '', fault));
  }
});
