// A good configuration to be spoilt, with the files it names; for the tests of the loader.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { Config } from '../../../src/config/config.ts';
import { describeFault, loadConfig, type LoadResult } from '../../../src/config/load.ts';
import { FileRefusal, type FileContent } from '../../../src/config/passphrase.ts';

export const PASS = 'open sesame';

const FILES: Readonly<Record<string, FileContent>> = {
  '/good': file(`${PASS}\nsecond line\n`),
  '/open': file(`${PASS}\n`, 0o100644),
  '/group': file(`${PASS}\n`, 0o100640),
  '/cr': file(`${PASS}\r\n`),
  '/empty': file(''),
  '/blank': file('\nsecond\n'),
  '/long': file('01234567890123456789\n'),
};

export function file(text: string, mode = 0o100600): FileContent {
  return { bytes: Buffer.from(text), mode };
}

export function readFile(path: string): FileContent {
  if (path === '/pipe') throw new FileRefusal('it is a pipe; give a regular file');
  const content = FILES[path];
  if (content !== undefined) return content;
  throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
}

export function load(data: unknown, mode?: number): LoadResult {
  return loadConfig(typeof data === 'string' ? data : JSON.stringify(data), { readFile, mode });
}

/** A good instance, changed by `changes`; a change to undefined takes the key out. */
export function instance(changes: object = {}): object {
  const good = { interface: 'bond0', vhid: 7, address: '10.9.0.100/24', passphraseFile: '/good' };
  return { ...good, ...changes };
}

export function db(changes: object): object {
  return { instances: { db: instance(changes) } };
}

export function good(data: unknown): Config {
  const result = load(data);
  assert.ok(result.ok, inspect(result));
  return result.config;
}

export function faultLines(result: LoadResult): string[] {
  return result.ok ? [] : result.faults.map(describeFault);
}
