// Child processes: every way in which one can end, and what must not hold carpd up.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { CommandRequest, CommandResult } from '../../src/base/command.ts';
import { runCommand } from '../../src/linux/system/command.ts';
import { eventually } from '../../lab/wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'carpd-command-'));
const LONG_MS = 20_000;

function run(argv: readonly string[], more: Partial<CommandRequest> = {}): Promise<CommandResult> {
  return runCommand({ argv, timeoutMs: LONG_MS, ...more }).result;
}

function file(name: string, content: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/\) Z /.test(stat);
  } catch {
    return false;
  }
}

function pidFrom(path: string): Promise<number> {
  const read = (): number | false =>
    existsSync(path) && Number(readFileSync(path, 'utf8').trim()) > 0
      ? Number(readFileSync(path, 'utf8').trim())
      : false;
  return eventually(read, { withinMs: LONG_MS, what: path });
}

describe('a command', () => {
  after(() => rmSync(folder, { recursive: true }));

  test('ends with its code and its output, of both streams', async () => {
    const result = await run(['sh', '-c', 'echo a; echo b >&2; exit 3']);
    ok(result.kind === 'exited');
    deepEqual(result.output.split('\n').sort(), ['', 'a', 'b']);
    deepEqual({ ...result, output: '' }, { kind: 'exited', code: 3, output: '', truncated: false });
  });

  test('reads what it is given, however long, and finds its end', async () => {
    const input = 'addr add 10.9.0.100/24 dev eth0\n'.repeat(10_000);
    const result = await run(['wc', '-l'], { input });
    ok(result.kind === 'exited');
    equal(result.output.trim(), '10000');
    const none = await run(['wc', '-c']);
    ok(none.kind === 'exited');
    equal(none.output.trim(), '0');
  });

  test('that does not read what it is given ends like any other', async () => {
    const input = 'x'.repeat(1_000_000);
    const exited = { kind: 'exited', code: 4, output: '', truncated: false };
    deepEqual(await run(['sh', '-c', 'exit 4'], { input }), exited);
    deepEqual(await run(['sleep', '60'], { input, timeoutMs: 100 }), {
      kind: 'timeout',
      ended: true,
    });
  });

  test('ended by a signal', async () => {
    const result = await run(['sh', '-c', 'kill -TERM $$']);
    const expected = { kind: 'exited', code: undefined, signal: 'SIGTERM', output: '' };
    deepEqual(result, { ...expected, truncated: false });
  });

  test('what can not be started has a reason', async () => {
    const cases: [string, readonly string[], CommandResult['kind']][] = [
      ['no such file', ['/no/such/program'], 'missing'],
      ['not in PATH', ['no-such-program-of-carpd'], 'missing'],
      ['below a file', ['/etc/passwd/x'], 'missing'],
      ['no such interpreter', [file('bad', '#!/no/such\n')], 'missing'],
      ['not executable', [file('plain', '#!/bin/sh\n', 0o644)], 'not-executable'],
      ['a directory', ['/tmp'], 'not-executable'],
      ['a script without #!', [file('bare', 'echo hi\n')], 'not-executable'],
      ['an empty file', [file('empty', '')], 'not-executable'],
      ['no argument at all', [], 'failed'],
      ['a NUL in an argument', ['echo', 'a\0b'], 'failed'],
      ['arguments without end', ['echo', 'x'.repeat(4_000_000)], 'failed'],
      ['a script that may not be read', [file('dark', '#!/bin/sh\n', 0o711)], 'exited'],
    ];
    for (const [what, argv, kind] of cases) equal((await run(argv)).kind, kind, what);
  });

  test('sees no shell, no input, and only the environment it was given', async () => {
    const argv = ['sh', '-c', 'cat; echo "$1"; env', 'sh', '$(id) `id` ; *'];
    const result = await run(argv, { env: { PATH: '/usr/bin:/bin', ONLY: 'this' } });
    ok(result.kind === 'exited');
    const [argument, ...env] = result.output.trim().split('\n');
    equal(argument, '$(id) `id` ; *');
    const names = env.map((line) => line.split('=')[0]);
    deepEqual(
      names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name ?? '')).sort(),
      ['ONLY', 'PATH'],
    );
  });

  test('megabytes of output are read and the beginning is kept', async () => {
    const script = 'head -c 5000000 /dev/zero | tr "\\0" x; echo; echo end';
    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    const result = await run(['sh', '-c', script], { outputBytesMax: 1_000, onLine });
    ok(result.kind === 'exited' && result.code === 0 && result.truncated);
    equal(result.output, 'x'.repeat(1_000));
    deepEqual(lines, ['x'.repeat(1_000), 'end']);
  });

  test('lines come as they are written, the last one without its end too', async () => {
    const lines: string[] = [];
    const script = "printf 'one\\ntwo\\303'; sleep 0.05; printf '\\274\\n\\nthree'";
    await run(['sh', '-c', script], { onLine: (line) => void lines.push(line) });
    deepEqual(lines, ['one', 'two\u00fc', '', 'three']);
  });

  test('at the limit its whole group is killed', async () => {
    const path = join(folder, 'pid-limit');
    const script = `sleep 600 & echo $! >${path}.new; mv ${path}.new ${path}; wait`;
    const running = runCommand({ argv: ['sh', '-c', script], timeoutMs: 400 });
    const pid = await pidFrom(path);
    deepEqual(await running.result, { kind: 'timeout', ended: true });
    await eventually(() => !isRunning(pid), { withinMs: LONG_MS, what: 'the end of the sleep' });
  });

  test('one that ignores SIGTERM is killed all the same', async () => {
    const argv = ['sh', '-c', "trap '' TERM INT HUP; while :; do sleep 1; done"];
    deepEqual(await run(argv, { timeoutMs: 200 }), { kind: 'timeout', ended: true });
  });

  test('kill ends the group, and does nothing once it has ended', async () => {
    const running = runCommand({ argv: ['sh', '-c', 'sleep 600 & wait'], timeoutMs: LONG_MS });
    running.kill();
    const result = await running.result;
    ok(result.kind === 'exited' && result.signal === 'SIGKILL');
    running.kill();
  });

  test('a daemon that it leaves behind is not waited for, and goes on living', async () => {
    const path = join(folder, 'pid-daemon');
    const daemon = `echo $$ >${path}.new; mv ${path}.new ${path};
      i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); sleep 0.01; done`;
    const script = `(${daemon.replace('$$', '$(sh -c "echo \\$PPID")')}) & echo started`;
    const startMs = performance.now();
    const result = await run(['sh', '-c', script]);
    const tookMs = performance.now() - startMs;
    ok(result.kind === 'exited' && result.code === 0 && result.output.includes('started'));
    ok(tookMs < 3_000, `took ${tookMs} ms`);
    const pid = await pidFrom(path);
    // It writes on into the pipe that nobody waits for any more.
    await new Promise((resolve) => setTimeout(resolve, 300));
    ok(isRunning(pid), 'the daemon died of its output');
    process.kill(pid, 'SIGKILL');
  });

  test('many at once', async () => {
    const all = Array.from({ length: 20 }, (_, index) => run(['sh', '-c', `exit ${index}`]));
    const codes = (await Promise.all(all)).map((one) => one.kind === 'exited' && one.code);
    deepEqual(codes, [...Array(20).keys()]);
  });
});
