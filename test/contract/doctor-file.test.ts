// `carpd doctor` beside a running carpd: whether that one goes by the file, and could use it.
import { deepEqual, match } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { doctor } from '../../src/cli/doctor.ts';
import { planLines } from '../../src/config/reload-plan.ts';
import type { ReloadResult } from '../../src/control/routes.ts';
import type { Finding } from '../../src/doctor/checks/catalogue.ts';
import { DB, newPath, opened, told } from '../support/control.ts';

const EMPTY = planLines({ daemon: [], instances: [] });

/** What is found of the file where the daemon says this of it, and reads this file. */
async function found(
  t: TestContext,
  result: ReloadResult,
  reads?: string,
): Promise<readonly Finding[]> {
  const path = newPath(t);
  const file = join(dirname(path), 'carpd.yaml');
  const db = '{interface: nope0, vhid: 7, address: 10.9.0.100/24, passphrase: secret}';
  const places = `{socket: ${path}}\nmetrics: {listen: off}\nstate: {directory: off}`;
  writeFileSync(file, `control: ${places}\ninstances: {db: ${db}}\n`, { mode: 0o600 });
  const control = opened(t, path, {
    status: () => ({ pid: 1, config: reads ?? file, reload: null, instances: [DB] }),
    reload: () => Promise.resolve(result),
  });
  await told(control, 'control-opened');
  const command = { kind: 'doctor', configPath: file, interfaceName: undefined } as const;
  const wish = { ...command, json: true, seconds: 0 };
  const { stdout } = await doctor(wish, { isTTY: false }, new AbortController().signal);
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  return findings.filter(({ code }) => /^configuration-(?:drift|refused)$/.test(code));
}

test('an older configuration in force is drift, with the advice to reload', async (t) => {
  const lines = ['db: advskew 0 -> 5 (applied in place)', 'no master is restarted'];
  const [drift] = await found(t, { outcome: 'planned', lines, undone: [] });
  deepEqual([drift?.code, drift?.grade], ['configuration-drift', 'warning']);
  match(drift?.text ?? '', /db: advskew 0 -> 5/);
  match(drift?.remedy ?? '', /carpd reload/);
});

test('a file that the user of the daemon can not use is a failure', async (t) => {
  const faults = ['/etc/carpd/carpd.yaml: instances.db.passphraseFile: may not be read'];
  const [refused] = await found(t, { outcome: 'refused', faults });
  deepEqual([refused?.code, refused?.grade], ['configuration-refused', 'failure']);
  match(refused?.text ?? '', /passphraseFile: may not be read/);
});

test('the file that runs, and the file of another daemon, are no finding', async (t) => {
  deepEqual(await found(t, { outcome: 'planned', lines: EMPTY, undone: [] }), []);
  const lines = ['db: advskew 0 -> 5 (applied in place)'];
  deepEqual(await found(t, { outcome: 'planned', lines, undone: [] }, '/etc/other.yaml'), []);
});
