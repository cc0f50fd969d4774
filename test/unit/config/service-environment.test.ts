// Where a service of systemd has its things: defaults by its directories, and credentials.
import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { fileBehind, serviceFallbacks } from '../../../src/config/service-environment.ts';
import { db, faultLines, file, load } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'carpd-credentials-'));
after(() => rmSync(folder, { recursive: true }));

describe('defaults', () => {
  test('follow the directories of the service, and what its unit names', () => {
    deepEqual(serviceFallbacks({}), {});
    deepEqual(serviceFallbacks({ RUNTIME_DIRECTORY: '', STATE_DIRECTORY: 'relative' }), {});
    const fallbacks = serviceFallbacks({
      RUNTIME_DIRECTORY: '/run/carpd-web:/run/other',
      STATE_DIRECTORY: '/var/lib/carpd/web',
      CARPD_METRICS_LISTEN: 'unix:/run/carpd-web/metrics.sock',
    });
    const text = JSON.stringify(db({ passphraseFile: '/good' }));
    const readFile = (): ReturnType<typeof file> => file('secret\n');
    const loaded = loadConfig(text, { readFile, fallbacks });
    ok(loaded.ok, 'not valid');
    equal(loaded.config.control.socket, '/run/carpd-web/control.sock');
    equal(loaded.config.state.directory, '/var/lib/carpd/web');
    equal(loaded.config.metrics.listen?.text, 'unix:/run/carpd-web/metrics.sock');
  });

  test('give way to what the file says, and are judged like it', () => {
    const fallbacks = { 'control.socket': `/run/${'x'.repeat(200)}`, 'metrics.listen': 'nowhere' };
    const readFile = (): ReturnType<typeof file> => file('secret\n');
    const given = { ...db({}), control: { socket: '/run/a' }, metrics: { listen: 'off' } };
    ok(loadConfig(JSON.stringify(given), { readFile, fallbacks }).ok, 'the file has no say');
    const lines = faultLines(loadConfig(JSON.stringify(db({})), { readFile, fallbacks }));
    match(lines.join('\n'), /^metrics\.listen: "nowhere" is neither/m);
    match(lines.join('\n'), /^control\.socket: .* 107 bytes/m);
  });
});

describe('a credential', () => {
  const from = (directory?: string): string =>
    fileBehind('credential:db', { CREDENTIALS_DIRECTORY: directory });

  test('is a file in the directory that systemd names, and no other path is touched', () => {
    writeFileSync(join(folder, 'db'), 'secret');
    equal(from(folder), join(folder, 'db'));
    equal(
      fileBehind('/etc/carpd/db.pass', { CREDENTIALS_DIRECTORY: folder }),
      '/etc/carpd/db.pass',
    );
  });

  test('that is missing is refused with what to do', () => {
    throws(() => from(), /no credentials to this process; give it by LoadCredential=NAME:FILE/);
    throws(() => from(join(folder, 'none')), /no such credential; give it by LoadCredential=/);
  });

  test('can not lead out of the directory', () => {
    for (const name of ['', '.', '..', '../db', 'a/b', 'a b', 'ü']) {
      const faults = faultLines(load(db({ passphraseFile: `credential:${name}` })));
      match(faults[0] ?? '', /passphraseFile: is neither an absolute path/, name);
    }
  });
});
