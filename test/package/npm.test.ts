// What `npm pack` would publish: everything that an installation builds and runs, and nothing else.
import { deepEqual, ok } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../lab/command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Without these an installation does not build or run. */
const NEEDED = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'dist/cli/run.js',
  'dist/main.js',
  'dist/ucarp.js',
  'native/binding.gyp',
  'native/module.c',
  'native/packet_socket.c',
  'package.json',
  'packaging/carpd.example.yaml',
  'packaging/completion/carpd.bash',
  'systemd/carpd.service',
  'systemd/carpd@.service',
  'systemd/root.conf',
];

/** Everything else belongs to one of these. */
const ALLOWED = [
  /^dist\/.*\.js(?:\.map)?$/,
  /^native\/[a-z_]+\.[ch]$/,
  /^native-notes\//,
  /^systemd\//,
  /^man\/[^/]+\.[578]$/,
];

const SECRET = /\.(?:pass|pem|key|env)$|passw|secret|credential|\.npmrc|\.git/i;

describe('npm pack', () => {
  test('holds what an installation needs, and no tests, secrets or builds', async () => {
    const files = await packedFiles();
    deepEqual(
      NEEDED.filter((file) => !files.includes(file)),
      [],
      'missing',
    );
    const others = files.filter((file) => !NEEDED.includes(file));
    deepEqual(
      others.filter((file) => !ALLOWED.some((pattern) => pattern.test(file))),
      [],
      'not expected',
    );
    const shown = files.filter((file) => !file.startsWith('dist/'));
    deepEqual(
      shown.filter((file) => SECRET.test(file)),
      [],
      'secrets',
    );
  });

  test('has the units and the manuals that there are', async () => {
    const files = await packedFiles();
    for (const folder of ['systemd', 'man']) {
      const there = existsSync(`${ROOT}/${folder}`);
      const packed = files.some((file) => file.startsWith(`${folder}/`));
      ok(there === packed, `${folder}: in the checkout ${there}, packed ${packed}`);
    }
  });
});

async function packedFiles(): Promise<readonly string[]> {
  const options = ['--dry-run', '--json', '--ignore-scripts', '--silent'];
  const said: unknown = JSON.parse(await run(['npm', '--prefix', ROOT, 'pack', ROOT, ...options]));
  // One package is asked about; npm answers with an array or, in later versions, an object.
  const [first] = Object.values(members(said));
  const files = members(first)['files'];
  ok(Array.isArray(files), 'npm pack names no files');
  return files.map((file) => String(members(file)['path'])).sort();
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  ok(typeof value === 'object' && value !== null, 'npm pack: not an object');
  return Object.fromEntries(Object.entries(value));
}
