// Holds the house rules that no linter knows: sizes, cycles, importers, leftover marks.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';

const LINES_MAX = 400;
const COLUMNS_MAX = 100;
const MEDIAN_LINES_MAX = 140;

/** Each npm package of production has one file, or one folder, that imports it. */
const IMPORTERS: Readonly<Record<string, string>> = {
  'raw-socket': 'src/linux/sockets/carp-socket.ts',
  pino: 'src/log/log.ts',
  'prom-client': 'src/metrics/registry.ts',
  convict: 'src/config/',
  yaml: 'src/config/',
};

/**
 * What reads a clock, sets a timer or draws a random number by itself, and why it may. Everything
 * else has it from Ports, so that the simulation and the tests of whole daemons decide the time.
 */
const OWN_TIME: Readonly<Record<string, string>> = {
  'src/cli/': 'a command in the foreground, which ends by itself',
  'src/doctor/facts/': 'a look at the host for as long as a person waits',
  'src/sniff/live-capture.ts': 'the end of a capture that a person waits for',
  'src/linux/': 'what Ports are made of',
  'src/process/': 'fills Ports',
  'src/log/log-output.ts': 'tries a broken log again, whatever becomes of the daemon',
  'src/metrics/registry.ts': 'gives the sockets a turn between two slices of a scrape',
  'src/config/load-apart.ts': 'a limit for a process of its own that reads a file',
  'src/control/request-body.ts': 'a limit for a client, behind the server that Ports open',
  'src/serving/': 'limits for clients, and the opening of the servers that Ports open',
};
const TIME = new RegExp(
  [
    '(?<![.#\\w])(?:Date\\.now|new Date\\(\\)|set(?:Timeout|Interval|Immediate)\\(|node:timers|',
    'process\\.hrtime|performance\\.now|Math\\.random|random(?:Bytes|Int|UUID)\\()',
  ].join(''),
);

const sources = filesBelow('src', /\.ts$/);
const code = [
  ...sources,
  ...filesBelow('lab', /\.ts$/),
  ...filesBelow('test', /\.ts$/),
  ...filesBelow('bench', /\.ts$/),
  ...filesBelow('demo', /\.ts$/),
  ...filesBelow('packaging', /\.ts$/),
  ...filesBelow('native', /\.[ch]$/),
];
const texts = [...code, ...filesBelow('docs', /\.md$/), 'README.md', 'CONTRIBUTING.md'];

describe('tidy', () => {
  test('the rules see the tree', () => {
    assert.ok(sources.length >= 45, `only ${sources.length} source files were found`);
    assert.ok(code.length >= 90, `only ${code.length} code files were found`);
  });

  test('no file is longer than the limit, and half of them are short', () => {
    const long = code.filter((file) => lines(file).length > LINES_MAX);
    assert.deepEqual(long, []);
    const lengths = sources.map((file) => lines(file).length).sort((a, b) => a - b);
    const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
    assert.ok(median <= MEDIAN_LINES_MAX, `the median source file has ${median} lines`);
  });

  test('only what is outside of Ports has a clock, a timer or randomness of its own', () => {
    const found = sources.filter((file) => {
      return lines(file).some((line) => !/^\s*(?:\/\/|\*|\/\*\*)/.test(line) && TIME.test(line));
    });
    const may = Object.keys(OWN_TIME);
    const own = found.filter((file) => !may.some((place) => file.startsWith(place)));
    assert.deepEqual(own, []);
    const unused = may.filter((place) => !found.some((file) => file.startsWith(place)));
    assert.deepEqual(unused, [], 'places that need no exception');
  });

  test('no line of code is wider than the limit', () => {
    assert.deepEqual(grep(code, new RegExp(`^.{${COLUMNS_MAX + 1},}$`)), []);
  });

  test('every source file says on its first line what it is for', () => {
    const silent = sources.filter((file) => !/^(?:#!.*|\/\/ \S.*)$/.test(lines(file)[0] ?? ''));
    assert.deepEqual(silent, []);
  });

  test('a source file that a text, a test or a probe names is there', () => {
    const folders = readdirSync('src', { withFileTypes: true }).filter((it) => it.isDirectory());
    const names = folders.map(({ name }) => name).join('|');
    const file = `((?:src/|dist/)?(?:${names})/[\\w/-]+)\\.(?:ts|js)\\b`;
    const pattern = new RegExp(`(?<![\\w-]|\\w/)${file}`, 'g');
    const gone = [...texts, ...filesBelow('native-notes', /\.(?:md|mjs)$/)].flatMap((text) =>
      lines(text)
        // The compiler knows whether what is imported is there.
        .filter((line) => !/^(?:import|export|\} from)\b/.test(line))
        .flatMap((line) => [...line.matchAll(pattern)])
        .map(([, path = '']) => `src/${path.replace(/^(?:src|dist)\//, '')}.ts`)
        .filter((path) => !existsSync(path))
        .map((path) => `${text}: ${path}`),
    );
    assert.deepEqual(gone, []);
  });

  test('nothing is counted as in "1 thing' + '(s)": counted() of base/text knows how many', () => {
    assert.deepEqual(grep([...sources, ...filesBelow('docs', /\.md$/)], /\w\(s\)/), []);
  });

  test('texts of the system are told in words: messageOf() of base/errors has them', () => {
    const raw = sources.filter((file) => file !== 'src/base/errors.ts');
    assert.deepEqual(grep(raw, /\.message : String\(/), []);
  });

  test('no leftover marks, no silenced compiler, no path of somebody’s machine', () => {
    const marks = [
      'TO' + 'DO',
      'FIX' + 'ME',
      'X' + 'XX',
      '@ts-' + 'ignore',
      '@ts-expect-' + 'error',
    ];
    const casts = [': an' + 'y', 'as an' + 'y', 'as unk' + 'nown as'];
    const words = new RegExp(`\\b(?:${marks.join('|')})\\b|(?:${casts.join('|')})\\b`);
    assert.deepEqual(grep(code, words), []);
    assert.deepEqual(grep(texts, new RegExp('/wo' + 'rk/|\\.\\./sha' + 'red|/ro' + 'ot/')), []);
    assert.deepEqual(grep(code, new RegExp('\\.(?:on' + 'ly|sk' + 'ip)\\(')), []);
  });

  test('each package has one importer', () => {
    for (const [name, owner] of Object.entries(IMPORTERS)) {
      const users = sources.filter((file) => imports(file).includes(name));
      assert.deepEqual(
        users.filter((file) => !file.startsWith(owner)),
        [],
        `${name} belongs to ${owner}`,
      );
      assert.ok(users.length > 0, `${name} is imported nowhere`);
    }
  });

  test('no import goes in a circle', () => {
    const graph = new Map(sources.map((file) => [file, localImports(file)]));
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), `circle: ${[...path, file].join(' -> ')}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
  });

  test('src never imports test, and every relative import names an existing file', () => {
    for (const file of sources) {
      for (const target of localImports(file)) {
        assert.ok(target.startsWith('src/'), `${file} imports ${target}`);
        assert.ok(sources.includes(target), `${file} imports ${target}, which does not exist`);
      }
    }
  });
});

function filesBelow(folder: string, wanted: RegExp): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .filter((name) => wanted.test(name) && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').replace(/\n$/, '').split('\n');
}

function grep(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    lines(file).flatMap((line, index) =>
      pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
    ),
  );
}

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /(?:\bfrom|\bimport\(|^import|\brequire\()\s*'([^']+)'/gm;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

function localImports(file: string): string[] {
  return imports(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => normalize(join(dirname(file), name)));
}
