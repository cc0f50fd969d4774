// The record by which a daemon that was killed is cleaned up after.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { writeReleaseRecords, readReleaseRecords } from '../../../src/state/release-records.ts';
import { dbConfig } from '../../support/reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'carpd-duties-'));
const path = join(folder, 'duties.json');
after(() => rmSync(folder, { recursive: true }));

describe('the release records', () => {
  test('are those that were written last, with all that a release needs', () => {
    const hooks = { down: ['/down', 'x'], timeout: '3s', xparam: 'p' };
    writeReleaseRecords(folder, [dbConfig(), dbConfig()]);
    const config = dbConfig({ hooks, source: '10.9.0.10' });
    writeReleaseRecords(folder, [config]);
    const { name, interfaceName, vhid, destination, source, address, manageAddress } = config;
    const down = { down: ['/down', 'x'], timeoutMs: 3_000, xparam: 'p' };
    const record = {
      ...{ name, interfaceName, vhid, destination, source, address, manageAddress },
      hooks: down,
    };
    deepEqual(readReleaseRecords(folder), [record]);
  });

  test('bear the name that the interface has by now', () => {
    writeReleaseRecords(folder, [dbConfig()], () => 'wan0');
    deepEqual(
      readReleaseRecords(folder).map(({ interfaceName }) => interfaceName),
      ['wan0'],
    );
  });

  test('hold no passphrase and are for nobody else', () => {
    writeReleaseRecords(folder, [dbConfig()]);
    ok(!/secret|redacted/.test(readFileSync(path, 'utf8')), 'the passphrase was written');
    equal(statSync(path).mode & 0o777, 0o600);
  });

  test('are none where there is no record, or none that can be read', () => {
    deepEqual(readReleaseRecords(join(folder, 'none')), []);
    for (const text of [
      '',
      '{',
      'null',
      '{"format":2,"duties":[{}]}',
      '{"format":3,"duties":{}}',
    ]) {
      writeFileSync(path, text);
      deepEqual(readReleaseRecords(folder), [], text);
    }
  });
});
