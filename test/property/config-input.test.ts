// Whatever a user writes, into the file or on the command line, is answered and never thrown back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parseArgs } from '../../src/cli/args.ts';
import {
  GATE_POLICIES,
  PROBE_INTERVAL_MS,
  PROMOTE_AFTER_MS,
  VIP_IN_USE_POLICIES,
} from '../../src/config/config.ts';
import { formatEffective } from '../../src/config/effective.ts';
import { loadConfig, type LoadResult } from '../../src/config/load.ts';
import { instanceFields, topFields } from '../../src/config/schema.ts';
import { getopt } from '../../src/config/ucarp/getopt.ts';
import { parseUcarp } from '../../src/config/ucarp/ucarp.ts';
import { UCARP_OPTIONS } from '../../src/config/ucarp/ucarp-options.ts';
import { strtoul } from '../../src/config/ucarp/ucarp-values.ts';

const SECRET = 'Tr0ub4dor';

function load(text: string): LoadResult {
  return loadConfig(text, {
    readFile: () => ({ bytes: Buffer.from(SECRET), mode: 0o644 }),
    mode: 0o644,
  });
}

/** Text of which every fault can be printed: one line, not empty. */
function assertFaults(result: LoadResult): void {
  if (result.ok) return;
  assert.ok(result.faults.length > 0);
  for (const { path, message } of result.faults) {
    assert.doesNotMatch(path + message, /[\n\r\0\x1b]/);
    assert.notEqual(message, '');
  }
}

/** A value that is sometimes right somewhere. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer({ min: -1, max: 300 }),
  fc.boolean(),
  fc.constantFrom(
    'eth0',
    '10.9.0.100/24',
    '10.9.0.10',
    '224.0.0.18',
    '5s',
    'info',
    '/x',
    'off',
    'auto',
    ['/x'],
    ['gateway', '10.9.0.20'],
    {},
  ),
);

/** A mapping with some of the known keys, sections in sections among them, and some others. */
function mapping(paths: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const keys = paths.map((path) => path.split('.')[0] ?? path);
  const inner = paths.flatMap((path) => path.split('.').slice(1));
  const section = fc.dictionary(
    fc.constantFrom(...inner, 'x'),
    fc.oneof(value, fc.dictionary(fc.constantFrom(...inner), value, { maxKeys: 2 })),
    { maxKeys: 4 },
  );
  const key = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...keys) }, fc.string());
  return fc.dictionary(key, fc.oneof(value, section));
}

const instance = mapping(Object.values(instanceFields).map(({ path }) => path));
const document = fc
  .tuple(
    mapping(Object.values(topFields).map(({ path }) => path)),
    fc.dictionary(fc.oneof(fc.constantFrom('db', 'web'), fc.string()), fc.oneof(instance, value)),
  )
  .map(([top, instances]) => ({ ...top, instances }));

test('loadConfig answers every text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      assertFaults(load(text));
    }),
    { numRuns: 500 },
  );
});

test('loadConfig answers every text made of the characters of YAML', () => {
  const piece = fc.constantFrom(
    ...Array.from('-:{}[],#&*!|>\'"%@`? \n\t'),
    'a',
    'instances',
    'db',
    '<<',
    '---',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) =>
      assertFaults(load(pieces.join(''))),
    ),
    { numRuns: 500 },
  );
});

test('loadConfig answers every JSON value', () => {
  fc.assert(
    fc.property(fc.oneof(document, fc.jsonValue()), (data) => {
      assertFaults(load(JSON.stringify(data)));
    }),
    { numRuns: 300 },
  );
});

test('no result holds a passphrase that was given where it belongs', () => {
  const secretive = fc.tuple(document, instance).map(([data, spoilt]) => ({
    ...data,
    instances: {
      ...data.instances,
      inline: { ...spoilt, passphrase: SECRET },
      file: { ...spoilt, passphrase: undefined, passphraseFile: '/etc/pass' },
    },
  }));
  fc.assert(
    fc.property(secretive, (data) => {
      const result = load(JSON.stringify(data));
      assert.ok(!(inspect(result, { depth: 9 }) + JSON.stringify(result)).includes(SECRET));
    }),
    { numRuns: 200 },
  );
});

/** Addresses of other hosts, each once. */
const others = fc.uniqueArray(
  fc.integer({ min: 1, max: 254 }).map((host) => `10.9.1.${String(host)}`),
  { maxLength: 4 },
);

const goodGate = fc.record(
  {
    policy: fc.constantFrom(...GATE_POLICIES),
    promoteAfter: fc.integer(PROMOTE_AFTER_MS).map((ms) => `${String(ms)}ms`),
    probe: fc.record(
      {
        targets: fc
          .tuple(others, fc.boolean())
          .map(([list, asksGateway]) => (asksGateway ? ['gateway', ...list] : list)),
        interval: fc.integer(PROBE_INTERVAL_MS).map((ms) => ms / 1_000),
      },
      { requiredKeys: [] },
    ),
    requireProbe: fc.boolean(),
    vipInUse: fc.constantFrom(...VIP_IN_USE_POLICIES),
    uplinks: fc.constantFrom('auto', ['bond0'], ['auto', 'eth0.7']),
  },
  { requiredKeys: [] },
);

test('every good gate is taken, and reads back from what is printed without new doubts', () => {
  fc.assert(
    fc.property(goodGate, others, fc.boolean(), (gate, peers, ignoreLinkState) => {
      const db = { interface: 'br0', vhid: 7, address: '10.9.0.100/24', passphrase: SECRET };
      const first = load(
        JSON.stringify({ instances: { db: { ...db, gate, peers, ignoreLinkState } } }),
      );
      assert.ok(first.ok, inspect(first, { depth: 9 }));
      const again = load(formatEffective(first.config, 'yaml'));
      assert.ok(again.ok, inspect(again, { depth: 9 }));
      assert.deepEqual(again.config.instances[0]?.gate, first.config.instances[0]?.gate);
      assert.deepEqual(again.config.instances[0]?.peers, first.config.instances[0]?.peers);
      const said = first.warnings.map(({ path }) => path);
      const doubts = again.warnings.filter(({ path }) => !said.includes(path));
      assert.deepEqual(doubts, []);
    }),
    { numRuns: 200 },
  );
});

const word = fc.oneof(
  fc.string(),
  fc.constantFrom('--', '-', '--config', '--help', 'run', 'check', '10.0.0.1', '1', '-v'),
  fc.constantFrom(
    ...UCARP_OPTIONS.flatMap(({ long, short }) => [`--${long[0] ?? ''}`, `-${short}`]),
  ),
  fc
    .tuple(fc.constantFrom('--v', '--a', '-b', '--gate='), fc.string())
    .map((parts) => parts.join('')),
);
const argv = fc.array(word, { maxLength: 12 });

test('getopt splits every argument list, and loses or invents no word', () => {
  fc.assert(
    fc.property(argv, (words) => {
      const items = getopt(words, UCARP_OPTIONS);
      const plain = items.flatMap((item) => (item.kind === 'word' ? [item.text] : []));
      assert.ok(plain.every((text) => words.includes(text)));
      const letters = words.join('').length;
      assert.ok(items.length <= letters + words.length);
    }),
  );
});

test('parseUcarp and parseArgs answer every argument list in one line', () => {
  fc.assert(
    fc.property(argv, (words) => {
      for (const parsed of [parseUcarp(words), parseArgs(words)]) {
        if (parsed.kind === 'error') assert.doesNotMatch(parsed.message, /[\n\r\0\x1b]/);
      }
    }),
  );
});

test('strtoul reads every number in range in its three notations', () => {
  fc.assert(
    fc.property(fc.nat(255), (number) => {
      for (const text of [String(number), `0x${number.toString(16)}`, `0${number.toString(8)}`]) {
        assert.deepEqual(strtoul(text, 0, 255), { ok: true, value: number });
      }
    }),
  );
});
