// The control socket on a real file system: whose it is, who may use it, and whose files it leaves
// alone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemon } from '../../src/cli/control-client.ts';
import { eventually } from '../../lab/wait.ts';
import {
  WITHIN_MS,
  newPath,
  opened,
  running,
  told,
  answers,
  fileAt,
  type Opened,
} from '../support/control.ts';

describe('the socket', () => {
  for (const umask of [0o000, 0o077]) {
    test(`is for owner and group alone with umask ${umask.toString(8)}`, async (t) => {
      const before = process.umask(umask);
      t.after(() => process.umask(before));
      const path = join(dirname(newPath(t)), 'made-by-it', 'c.sock');
      const control = opened(t, path);
      await told(control, 'control-opened');
      const probe = join(dirname(path), 'probe');
      writeFileSync(probe, '');
      assert.equal(lstatSync(probe).mode & 0o777, 0o666 & ~umask, 'the umask is as it was');
      rmSync(probe);
      assert.equal(lstatSync(path).mode & 0o7777, 0o660);
      assert.equal(lstatSync(dirname(path)).mode & 0o777, 0o755);
      assert.deepEqual(readdirSync(dirname(path)), ['c.sock']);
      await answers(path);
      control.close();
      assert.equal(existsSync(path), false);
    });
  }

  test('takes the group of a directory that is set-group-ID', async (t) => {
    if (process.getuid?.() !== 0) return t.diagnostic('only root may give a directory away');
    const path = newPath(t);
    chownSync(dirname(path), 0, 4);
    chmodSync(dirname(path), 0o2755);
    await told(opened(t, path), 'control-opened');
    assert.equal(lstatSync(path).gid, 4);
    assert.equal(lstatSync(path).mode & 0o777, 0o660);
  });

  test('of a process that was killed is replaced', async (t) => {
    const path = newPath(t);
    await leaveStale(path);
    await told(opened(t, path), 'control-opened');
    await answers(path);
    assert.deepEqual(readdirSync(dirname(path)), ['control.sock']);
  });

  test('of a living process is left to it, and taken over when that is gone', async (t) => {
    const first = await running(t);
    const second = opened(t, first.path);
    const { level, message } = await told(second, 'control-failed');
    assert.equal(level, 'warn');
    assert.match(message, /control\.sock: another process answers there; give each its own/);
    await answers(first.path);
    second.close();
    assert.ok(existsSync(first.path), 'what is not ours is not removed');
    await answers(first.path);
  });

  test('that another one has replaced is not removed', async (t) => {
    const first = await running(t);
    rmSync(first.path);
    const second = opened(t, first.path);
    await told(second, 'control-opened');
    first.close();
    await answers(first.path);
  });

  const HOPELESS: readonly [string, (path: string) => string, RegExp][] = [
    ['is a file', fileAt, /a file that is no socket; remove it, or choose another path/],
    ['is a directory', directoryAt, /a file that is no socket/],
    ['lies below a file', (path) => `${fileAt(path)}/c.sock`, /control\.socket$|control\.socket\./],
    [
      'lies in a directory that takes no file',
      () => '/sys/kernel/c.sock',
      /c\.sock: not permitted; choose another path/,
    ],
    ['lies in /proc', () => '/proc/none/c.sock', /choose another path for control\.socket/],
    ['is too long', (path) => `${path}${'x'.repeat(108)}`, /longer than the 107 bytes/],
  ];
  for (const [desc, make, says] of HOPELESS) {
    test(`that ${desc} is told once, and closed without a trace`, async (t) => {
      const control = opened(t, make(newPath(t)));
      assert.match((await told(control, 'control-failed')).message, says);
      control.close();
      assert.equal(control.lines.length, 1);
    });
  }

  test('is made anew when somebody has removed it', async (t) => {
    const control = await running(t);
    rmSync(dirname(control.path), { recursive: true });
    await told(control, 'control-failed');
    const back = async (): Promise<boolean> => (await askDaemon(control.path, '/v1/status')).ok;
    await eventually(back, { withinMs: WITHIN_MS, what: 'the socket to be back' });
    control.close();
    assert.deepEqual(readdirSync(dirname(control.path)), []);
  });

  test('that is stale goes to one of many that start at once', async (t) => {
    for (let round = 0; round < 5; round += 1) {
      const path = newPath(t);
      await leaveStale(path);
      const all = Array.from({ length: 8 }, () => opened(t, path));
      const isTold = ({ lines }: Opened): boolean => lines.length > 0;
      await eventually(() => all.every(isTold), { withinMs: WITHIN_MS, what: 'all to be told' });
      const winners = all.filter(({ lines }) => lines[0]?.event === 'control-opened');
      assert.equal(winners.length, 1, JSON.stringify(all.map(({ lines }) => lines)));
      await answers(path);
      assert.deepEqual(readdirSync(dirname(path)), ['control.sock']);
      for (const control of all.filter((one) => one !== winners[0])) control.close();
      await answers(path);
      winners[0]?.close();
      assert.equal(existsSync(path), false);
    }
  });

  test('is for the group that is configured, and there must be one', async (t) => {
    if (process.getuid?.() !== 0) return t.diagnostic('only root may give a file away');
    for (const unixGroup of ['adm', '4']) {
      const control = await running(t, { unixGroup });
      assert.equal(lstatSync(control.path).gid, 4, 'adm is 4 on Debian');
      assert.equal(lstatSync(control.path).mode & 0o777, 0o660);
    }
    const path = newPath(t);
    const { message } = await told(opened(t, path, { unixGroup: 'nobodys' }), 'control-failed');
    assert.match(
      message,
      /there is no group nobodys in \/etc\/group; create it \(groupadd --system/,
    );
    assert.deepEqual(readdirSync(dirname(path)), []);
  });

  test('is closed for good although it was still being opened', async (t) => {
    const control = opened(t, newPath(t));
    control.close();
    const gone = async (): Promise<boolean> => {
      await sleep(50);
      return !existsSync(control.path);
    };
    await eventually(gone, { withinMs: WITHIN_MS, what: 'no socket' });
    assert.deepEqual(control.lines, []);
  });
});

/** The socket of a process that was killed. */
async function leaveStale(path: string): Promise<void> {
  const listen = `listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const script = `require('net').createServer().${listen}`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(path), 'the dead process has left its socket');
}

function directoryAt(path: string): string {
  mkdirSync(path);
  return path;
}
