// `carpd reload` and its order on the control socket: what it says of a file that is applied, of
// one that is only looked at, and of one that is refused.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '../../lab/wait.ts';
import { difference, reload } from '../../src/cli/reload.ts';
import { newPath, opened, running, told } from '../support/control.ts';

const ANYWHERE = { configPath: undefined, pid: undefined };

describe('carpd reload', () => {
  test('prints what it changes, and asks for no more than that with --dry-run', async (t) => {
    const asked: boolean[] = [];
    const { path: socketPath } = await running(t, {
      reload: (dryRun) => {
        asked.push(dryRun);
        const lines = ['db: advskew 0 -> 5 (applied in place)', 'no master\u0007'];
        return Promise.resolve({ outcome: dryRun ? 'planned' : 'applied', lines, undone: [] });
      },
    });
    for (const dryRun of [false, true]) {
      const { stdout, stderr, exitCode } = await reload({ ...ANYWHERE, socketPath, dryRun });
      assert.equal(stdout, 'db: advskew 0 -> 5 (applied in place)\nno master?\n');
      assert.deepEqual([stderr, exitCode], ['', 0]);
    }
    assert.deepEqual(asked, [false, true]);
  });

  test('ends with 1 and every reason where the file is refused', async (t) => {
    const { path: socketPath } = await running(t, {
      reload: () => {
        const faults = ['/etc/c.yaml: a: is wrong', '/etc/c.yaml: b: is not'];
        return Promise.resolve({ outcome: 'refused', faults });
      },
    });
    const { stdout, stderr, exitCode } = await reload({ ...ANYWHERE, socketPath, dryRun: false });
    assert.deepEqual([stdout, exitCode], ['', 1]);
    assert.match(stderr, /^carpd: \/etc\/c\.yaml: a: is wrong\ncarpd: .*b: is not\n/);
    assert.match(stderr, /nothing was changed: the old configuration stays in force\n$/);
  });

  test('ends with 1, and says why, where a part of it is not in force', async (t) => {
    const { path: socketPath } = await running(t, {
      reload: () => {
        const lines = ['db: vhid 7 -> 8 (needs a restart of the instance)'];
        return Promise.resolve({ outcome: 'applied', lines, undone: ['instance db stays\u0007'] });
      },
    });
    const { stdout, stderr, exitCode } = await reload({ ...ANYWHERE, socketPath, dryRun: false });
    assert.equal(stdout, 'db: vhid 7 -> 8 (needs a restart of the instance)\n');
    assert.match(stderr, /^carpd: instance db stays\?\ncarpd: the rest .* is in force\n$/);
    assert.equal(exitCode, 1);
  });

  test('with a file alone finds the daemon that reads it, and orders no other', async (t) => {
    const asked: boolean[] = [];
    const path = newPath(t);
    const file = join(dirname(path), 'carpd.yaml');
    const others =
      'instances: {db: {interface: eth0, vhid: 7, address: 10.9.0.100, passphrase: s}}';
    writeFileSync(file, `control: {socket: ${path}}\n${others}\n`, { mode: 0o600 });
    let reads = '/etc/carpd/another.yaml';
    const control = opened(t, path, {
      status: () => ({ pid: 1, config: reads, reload: null, instances: [] }),
      reload: (dryRun) => {
        asked.push(dryRun);
        return Promise.resolve({ outcome: 'planned', lines: ['a line'], undone: [] });
      },
    });
    await told(control, 'control-opened');
    const wish = { configPath: file, pid: undefined, socketPath: undefined };
    const other = await reload({ ...wish, dryRun: false });
    assert.match(other.stderr, /no carpd that reads .*carpd\.yaml answers/);
    assert.equal(other.exitCode, 1);
    const given = await difference({ configPath: file, socketPath: path });
    assert.match(given.stderr, /reads \/etc\/carpd\/another\.yaml, not /);
    assert.deepEqual([given.exitCode, asked], [2, []]);
    reads = file;
    assert.equal((await reload({ ...wish, dryRun: false })).stdout, 'a line\n');
    assert.equal((await difference(wish)).stdout, 'a line\n');
    assert.deepEqual(asked, [false, true]);
  });

  test('with a process alone checks the file, and signals it all the same', async (t) => {
    const file = join(dirname(newPath(t)), 'carpd.yaml');
    const hangUps: string[] = [];
    const onHangUp = (signal: string): void => void hangUps.push(signal);
    process.on('SIGHUP', onHangUp);
    t.after(() => process.off('SIGHUP', onHangUp));
    const wish = { configPath: file, pid: process.pid, socketPath: undefined, dryRun: false };
    writeFileSync(file, 'control: {socket: off}\ninstances: {}\n', { mode: 0o600 });
    const refused = await reload(wish);
    assert.match(refused.stderr, /instances.*\ncarpd: nothing was changed/);
    assert.equal(refused.exitCode, 1);
    const hungUp = (count: number): Promise<string> =>
      eventually(() => hangUps[count - 1], { withinMs: 5_000, what: 'SIGHUP' });
    await hungUp(1);
    const db = '{interface: eth0, vhid: 7, address: 10.9.0.100, passphraseFile: /nowhere/db}';
    writeFileSync(file, `control: {socket: off}\ninstances: {db: ${db}}\n`, { mode: 0o600 });
    const done = await reload(wish);
    assert.deepEqual([done.exitCode, done.stderr], [0, '']);
    assert.match(done.stdout, /is signalled/);
    await hungUp(2);
  });

  test('says of a process that is gone that it can not be signalled', async (t) => {
    const file = join(dirname(newPath(t)), 'carpd.yaml');
    const db = '{interface: eth0, vhid: 7, address: 10.9.0.100, passphraseFile: /nowhere/db}';
    writeFileSync(file, `control: {socket: off}\ninstances: {db: ${db}}\n`, { mode: 0o600 });
    const { pid } = spawnSync(process.execPath, ['--version']);
    const wish = { configPath: file, pid, socketPath: undefined, dryRun: false };
    const { stdout, stderr, exitCode } = await reload(wish);
    assert.equal(stderr, `carpd: process ${pid} cannot be signalled: there is no such process\n`);
    assert.deepEqual([stdout, exitCode], ['', 1]);
  });

  test('ends with 1 where no daemon answers', async () => {
    const { exitCode, stderr } = await reload({
      ...ANYWHERE,
      socketPath: '/nonexistent/x',
      dryRun: false,
    });
    assert.equal(exitCode, 1);
    assert.match(stderr, /no daemon answers/);
  });
});
