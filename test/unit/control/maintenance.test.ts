// The record of maintenance on a real file system: kept over restarts, never half written, and
// taken for on where it can't be read.
import { wallMs } from '../../../src/linux/system/clock.ts';
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { Maintenance } from '../../../src/control/maintenance.ts';
import { maintenanceFile } from '../../../src/state/maintenance-file.ts';

const ALL = ['db', 'web'];

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'carpd-state-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const isOn = (maintenance: Maintenance, name: string): boolean =>
  maintenance.of(name) !== undefined;

describe('maintenance', () => {
  test('is off where there is no file, and writes none by that', (t) => {
    const path = directory(t);
    const fresh = new Maintenance(maintenanceFile(path), wallMs);
    assert.deepEqual([fresh.fault, isOn(fresh, 'db')], [undefined, false]);
    assert.equal(isOn(new Maintenance(maintenanceFile(join(path, 'none')), wallMs), 'db'), false);
    assert.deepEqual(readdirSync(path), []);
  });

  test('is on since the date that it is given', async () => {
    const maintenance = new Maintenance(undefined, () => Date.UTC(2031, 4, 6, 7, 8, 9, 10));
    await maintenance.set(['db'], true, ['db']);
    assert.equal(maintenance.of('db')?.since, '2031-05-06T07:08:09.010Z');
  });

  test('outlives the process, with the time since when, also of others', async (t) => {
    const path = join(directory(t), 'made-by-it');
    const first = new Maintenance(maintenanceFile(path), wallMs);
    assert.deepEqual(await first.set(['db'], true, ALL), { ok: true, value: undefined });
    const entry = first.of('db');
    assert.ok(entry !== undefined, 'it is on');
    assert.ok(Date.parse(entry.since) <= Date.now(), 'since now');
    assert.equal(statSync(join(path, 'maintenance.json')).mode & 0o777 & ~0o022, 0o644);
    assert.deepEqual(readdirSync(path), ['maintenance.json']);
    const second = new Maintenance(maintenanceFile(path), wallMs);
    assert.deepEqual(second.of('db'), entry);
    await second.set(['web', 'db'], true, ALL);
    assert.deepEqual(second.of('db'), entry, 'on is on already');
    await second.set(['db'], false, ALL);
    const third = new Maintenance(maintenanceFile(path), wallMs);
    assert.deepEqual([isOn(third, 'db'), isOn(third, 'web')], [false, true]);
    // One that is not configured now may come back.
    assert.ok((await third.set(['x'], true, ['x'])).ok, 'it is written');
    assert.equal(isOn(new Maintenance(maintenanceFile(path), wallMs), 'web'), true);
  });

  test('ordered many times at once ends as ordered last', async (t) => {
    const path = directory(t);
    const maintenance = new Maintenance(maintenanceFile(path), wallMs);
    const orders = Array.from({ length: 20 }, (_, n) => maintenance.set(['db'], n % 2 === 0, ALL));
    await Promise.all([...orders, maintenance.set(['web'], true, ALL)]);
    const again = new Maintenance(maintenanceFile(path), wallMs);
    assert.deepEqual([isOn(again, 'db'), isOn(again, 'web')], [false, true]);
  });

  test('of another daemon in the same directory is left as it is', async (t) => {
    const path = directory(t);
    const [one, other] = [
      new Maintenance(maintenanceFile(path), wallMs),
      new Maintenance(maintenanceFile(path), wallMs),
    ];
    await other.set(['mail'], true, ['mail']);
    await one.set(['db'], true, ALL);
    await other.set(['mail'], false, ['mail']);
    const again = new Maintenance(maintenanceFile(path), wallMs);
    assert.deepEqual([isOn(again, 'db'), isOn(again, 'mail')], [true, false]);
  });

  test('without a directory lasts as long as the process', async () => {
    const maintenance = new Maintenance(undefined, wallMs);
    await maintenance.set(['db'], true, ALL);
    assert.equal(isOn(maintenance, 'db'), true);
    assert.match(maintenance.lifeText, /^until carpd ends, since state\.directory is off$/);
  });
});

describe('a file that is not right', () => {
  const BAD: readonly [string, (file: string) => void, RegExp][] = [
    ['empty', (file) => writeFileSync(file, ''), /can't be read/],
    ['cut off', (file) => writeFileSync(file, '{"version":1,"instan'), /can't be read/],
    ['no UTF-8', (file) => writeFileSync(file, Buffer.from([0xff, 0xfe])), /can't be read/],
    ['of another kind', (file) => writeFileSync(file, '[]'), /is not what carpd writes/],
    ['of a later version', (file) => writeFileSync(file, '{"version":2}'), /is not what carpd/],
    ['without a list', (file) => writeFileSync(file, '{"version":1}'), /is not what carpd/],
    [
      'without a time',
      (file) => writeFileSync(file, '{"version":1,"instances":{"db":{"since":"x"}}}'),
      /is not what carpd/,
    ],
    ['huge', (file) => writeFileSync(file, 'x'.repeat(2_000_000)), /larger than/],
    ['a directory', (file) => mkdirSync(file), /it is a directory/],
  ];
  for (const [desc, make, says] of BAD) {
    test(`${desc}: everything counts as in maintenance, until somebody ends it`, async (t) => {
      const path = directory(t);
      const file = join(path, 'maintenance.json');
      make(file);
      const maintenance = new Maintenance(maintenanceFile(path), wallMs);
      assert.match(maintenance.fault ?? '', says);
      assert.match(
        maintenance.fault ?? '',
        /counts as on for all instances: carpd maintenance off/,
      );
      assert.equal(maintenance.of('db')?.cause, 'unreadable');
      if (desc === 'a directory') {
        const failed = await maintenance.set(['db'], false, ALL);
        assert.ok(!failed.ok && /can't be written: /.test(failed.reason), 'it is in the way');
        assert.equal(isOn(maintenance, 'db'), true, 'nothing was changed');
        assert.deepEqual(readdirSync(path), ['maintenance.json']);
        return;
      }
      assert.ok((await maintenance.set(['db'], false, ALL)).ok, 'the file is replaced');
      const again = new Maintenance(maintenanceFile(path), wallMs);
      assert.deepEqual([again.fault, isOn(again, 'db')], [undefined, false]);
      assert.equal(again.of('web')?.cause, 'operator', 'the others stay until told otherwise');
    });
  }
});

describe('a directory that can not be written', () => {
  test('changes nothing, and says what to do', async (t) => {
    const path = directory(t);
    const maintenance = new Maintenance(maintenanceFile(path), wallMs);
    await maintenance.set(['db'], true, ALL);
    const file = join(path, 'maintenance.json');
    const before = readFileSync(file, 'utf8');
    // A mode keeps root from nothing; a file in the place of the new one does.
    mkdirSync(`${file}.${process.pid}`);
    for (const [name, on] of [
      ['web', true],
      ['db', false],
    ] as const) {
      const set = await maintenance.set([name], on, ALL);
      assert.ok(!set.ok, 'it fails');
      const told = /maintenance\.json can't be written: [a-z ]+\. Nothing was changed\. Make/;
      assert.match(set.reason, told);
    }
    assert.deepEqual([isOn(maintenance, 'web'), isOn(maintenance, 'db')], [false, true]);
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  test('below a file, or of a file system that takes none', async (t) => {
    const file = join(directory(t), 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    for (const path of [join(file, 'state'), '/proc/none', '/sys/kernel/none']) {
      const maintenance = new Maintenance(maintenanceFile(path), wallMs);
      assert.equal(maintenance.fault, undefined, 'nothing can have been written there');
      const set = await maintenance.set(['db'], true, ALL);
      assert.ok(!set.ok, path);
      assert.match(set.reason, /can't be written: /);
      assert.equal(existsSync(path), false);
    }
  });
});
