// `carpd status` on screens of every kind, asked of a real socket, and its end.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { status, watchStatus, type Screen } from '../../src/cli/status.ts';
import { Changes } from '../../lab/wait.ts';
import { newPath, opened, running, WITHIN_MS } from '../support/control.ts';

const ESCAPE = '\u001b';

/** A screen that remembers what was written to it. */
class FakeScreen implements Screen {
  readonly isTTY: boolean;
  readonly rows: number;
  text = '';
  readonly #changes = new Changes();

  constructor(isTTY: boolean, rows = 24) {
    this.isTTY = isTTY;
    this.rows = rows;
  }

  write(text: string): void {
    this.text += text;
    this.#changes.notify();
  }

  /** Waits until the pattern was written so often. */
  async shows(pattern: RegExp, times: number): Promise<void> {
    const enough = (): boolean => [...this.text.matchAll(pattern)].length >= times;
    const detail = (): string => JSON.stringify(this.text);
    const what = `${String(pattern)} ${times} times`;
    await this.#changes.until(enough, { withinMs: WITHIN_MS, what, detail });
  }
}

const command = (socketPath: string, json = false): Parameters<typeof status>[0] => ({
  kind: 'status',
  all: false,
  name: undefined,
  json,
  watch: true,
  socketPath,
});

function setEnv(t: TestContext, changes: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(changes)) {
    const before = process.env[name];
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    });
  }
}

describe('colour', () => {
  const CASES: readonly [string, boolean, Record<string, string | undefined>, boolean][] = [
    ['on a terminal', true, { NO_COLOR: undefined, TERM: 'xterm' }, true],
    ['on a terminal with an empty NO_COLOR', true, { NO_COLOR: '', TERM: 'xterm' }, true],
    ['not where NO_COLOR is set', true, { NO_COLOR: '1', TERM: 'xterm' }, false],
    ['not on a dumb terminal', true, { NO_COLOR: undefined, TERM: 'dumb' }, false],
    ['not in a file', false, { NO_COLOR: undefined, TERM: 'xterm' }, false],
  ];
  for (const [desc, isTTY, env, expected] of CASES) {
    test(desc, async (t) => {
      setEnv(t, env);
      const { path } = await running(t);
      const { stdout, exitCode } = await status(command(path), new FakeScreen(isTTY));
      assert.equal(exitCode, 0);
      assert.match(stdout, /^NAME {2}STATE/);
      assert.equal(stdout.includes(ESCAPE), expected, stdout);
    });
  }
});

describe('--watch', () => {
  test('refreshes a terminal in place, and leaves the last table behind', async (t) => {
    setEnv(t, { NO_COLOR: '1' });
    const { path } = await running(t);
    const screen = new FakeScreen(true);
    const end = new AbortController();
    const watched = watchStatus(command(path), screen, end.signal);
    await screen.shows(/\u001b\[HNAME/g, 2);
    end.abort();
    const { stdout, exitCode } = await watched;
    assert.ok(screen.text.startsWith(`${ESCAPE}[?1049h${ESCAPE}[?25l`), 'on a screen of its own');
    assert.ok(screen.text.endsWith(`${ESCAPE}[?25h${ESCAPE}[?1049l`), 'and back from there');
    assert.match(stdout, /^NAME {2}STATE/);
    assert.equal(exitCode, 0);
  });

  test('shows no more than fits, and what that leaves out', async (t) => {
    setEnv(t, { NO_COLOR: '1' });
    const { path } = await running(t);
    const screen = new FakeScreen(true, 4);
    const end = new AbortController();
    const watched = watchStatus(command(path), screen, end.signal);
    await screen.shows(/\.\.\. \d+ more lines/g, 1);
    end.abort();
    await watched;
    const [, first = ''] = screen.text.split(`${ESCAPE}[H`);
    assert.equal(first.split('\n').length - 1, 3, 'the last line of the terminal stays free');
  });

  test('shows all on a terminal that does not know its size', async (t) => {
    setEnv(t, { NO_COLOR: '1' });
    const { path } = await running(t);
    const screen = new FakeScreen(true, 0);
    const end = new AbortController();
    const watched = watchStatus(command(path), screen, end.signal);
    await screen.shows(/bond0 {2}no/g, 1);
    end.abort();
    await watched;
    assert.ok(!screen.text.includes('more lines'), screen.text);
  });

  test('repeats the table where it is no terminal, and JSON line by line', async (t) => {
    const { path } = await running(t);
    for (const [json, pattern] of [
      [false, /^NAME/gm],
      [true, /^\{"pid":1,.*\}$/gm],
    ] as const) {
      const screen = new FakeScreen(false);
      const end = new AbortController();
      const watched = watchStatus(command(path, json), screen, end.signal);
      await screen.shows(pattern, 2);
      end.abort();
      assert.deepEqual(await watched, { stdout: '', stderr: '', exitCode: 0 });
      assert.ok(!screen.text.includes(ESCAPE), 'no escape sequence');
      const lines = screen.text.trimEnd().split('\n');
      if (json)
        assert.ok(
          lines.every((line) => line.startsWith('{')),
          screen.text,
        );
    }
  });

  test('tells that no daemon answers, and goes on when one does', async (t) => {
    setEnv(t, { NO_COLOR: '1' });
    const path = newPath(t);
    const screen = new FakeScreen(true);
    const end = new AbortController();
    const watched = watchStatus(command(path), screen, end.signal);
    await screen.shows(/carpd: no daemon answers at/g, 1);
    opened(t, path);
    await screen.shows(/\u001b\[HNAME/g, 1);
    end.abort();
    assert.equal((await watched).exitCode, 0);
  });
});
