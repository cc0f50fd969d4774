// Checks that a configuration read in a thread of its own is the one that is read without, secrets
// included, and that a thread that fails costs nothing but the reload.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { sameInstance } from '../../../src/config/config.ts';
import { diffInstances } from '../../../src/config/instance-diff.ts';
import { loadConfigApart, type ApartOptions } from '../../../src/config/load-apart.ts';
import { packed, unpacked } from '../../../src/config/load-message.ts';
import { loadConfigFile, type LoadResult } from '../../../src/config/load.ts';
import { readRegularFile } from '../../../src/config/read-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'carpd-load-'));
after(() => rmSync(directory, { recursive: true }));

/** The same code, which a thread can't load before the compiler has been at it. */
const worker = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { register } from '${import.meta.resolve('tsx/esm/api')}';
    register();
    await import('${new URL('../../../src/config/load-worker.ts', import.meta.url).href}');
  `)}`,
);

const VALID = `instances:
  one: { interface: eth0, vhid: 1, address: 10.0.0.1/24, passphrase: 'a secret', peers: [10.0.0.9] }
  two: { interface: eth0, vhid: 2, address: 10.0.0.2/24, passphrase: "\\xff\\x01", neutral: true }
`;

describe('a configuration read in a thread of its own', () => {
  test('is the same as without, warnings and secrets included', async () => {
    const path = file('valid.yaml', VALID, 0o644);
    const [apart, direct] = [await apartOf(path), loadConfigFile(path, readRegularFile)];
    ok(apart.ok && direct.ok);
    deepEqual(apart, direct);
    ok(direct.warnings.length > 0, 'the file is open to all');
    apart.config.instances.forEach((one, index) => {
      const other = direct.config.instances[index];
      ok(other !== undefined && sameInstance(one, other), one.name);
    });
    ok(Object.isFrozen(apart.config.instances[0]?.hooks), 'frozen');
  });

  test('knows the file that a passphrase is from, so that nothing has changed', async () => {
    const secret = file('db.pass', 'a secret\n', 0o600);
    const one = `{ interface: eth0, vhid: 1, address: 10.0.0.1/24, passphraseFile: ${secret} }`;
    const path = file('from-file.yaml', `instances:\n  one: ${one}\n`, 0o600);
    const [apart, direct] = [await apartOf(path), loadConfigFile(path, readRegularFile)];
    ok(apart.ok && direct.ok);
    deepEqual(
      diffInstances(direct.config.instances, apart.config.instances).unchanged.map(
        ({ name }) => name,
      ),
      ['one'],
    );
  });

  test('has the faults that it has without', async () => {
    for (const text of ['instances: {', 'instances: { one: { vhid: 300 } }', '']) {
      const path = file('faulty.yaml', text);
      deepEqual(await apartOf(path), loadConfigFile(path, readRegularFile));
    }
    const missing = join(directory, 'missing.yaml');
    deepEqual(await apartOf(missing), loadConfigFile(missing, readRegularFile));
  });

  test('that takes too long or too much is refused, and says so', async () => {
    const path = file('large.yaml', large());
    match(faultOf(await apartOf(path, { timeoutMs: 1 })), /not be read within 0\.001 s/);
    match(faultOf(await apartOf(path, { megabytesMax: 8 })), /takes more than 8 MB/);
  });

  test('leaves no passphrase in what was sent', () => {
    const path = file('valid.yaml', VALID);
    const { message, transfer } = packed(loadConfigFile(path, readRegularFile));
    equal(transfer.length, 2);
    ok(unpacked(message).ok);
    for (const buffer of transfer) ok(new Uint8Array(buffer).every((byte) => byte === 0));
  });
});

function apartOf(path: string, options: ApartOptions = {}): Promise<LoadResult> {
  return loadConfigApart(path, { ...options, worker });
}

function file(name: string, text: string, mode = 0o600): string {
  const path = join(directory, name);
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode });
  return path;
}

function large(): string {
  const instances = Array.from({ length: 900 }, (_, n) => {
    const address = `10.0.${String(n >> 8)}.${String(n & 255)}`;
    const keys = `interface: e${String(n)}, vhid: 1, address: ${address}, passphrase: x`;
    return `  i${String(n)}: { ${keys} }`;
  });
  return ['instances:', ...instances, ''].join('\n');
}

function faultOf(result: LoadResult): string {
  return result.ok ? 'no fault' : result.faults.map(({ message }) => message).join('\n');
}
