// The log on descriptors that nobody reads: it keeps a bounded amount, drops the rest, and says so.
import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { LogFormat } from '../../../src/config/config.ts';
import { openLog, type Logger } from '../../../src/log/log.ts';
import { runSync } from '../../../lab/command.ts';

/** More than the log keeps for a reader that is behind, in lines of 1 kB. */
const LINES = 3_000;
const FEW_LINES = 300;
const KEPT_BYTES_MAX = 1_500_000;
const WAIT_MS = 15_000;

interface Entry {
  readonly event: string;
  readonly msg: string;
  readonly lostLines?: number;
}

describe('a log that nobody reads', () => {
  test('keeps a bounded amount, and says where how many lines are missing', async (t) => {
    const { log, readAll } = stuckLog(t);
    write(log, LINES);
    const gaps: number[] = [];
    log.onGap((lostLines) => gaps.push(lostLines));
    const dropped = log.droppedLines();
    assert.ok(dropped > 0 && dropped < LINES, `${dropped} of ${LINES} lines were dropped`);
    const entries = await readAll((entry) => entry.event === 'log-gap');
    const told = entries.slice(0, -1).map(numberOf);
    assert.deepEqual(
      told,
      Array.from({ length: LINES - dropped }, (_, index) => index),
      'what was kept is all that came first',
    );
    assert.equal(entries.at(-1)?.lostLines, dropped);
    assert.deepEqual(gaps, [dropped]);
    const bytes = entries.reduce((sum, entry) => sum + JSON.stringify(entry).length, 0);
    assert.ok(bytes < KEPT_BYTES_MAX, `${bytes} bytes were kept`);
    log.info('state', 'afterwards');
    const more = await readAll((entry) => entry.msg === 'afterwards');
    assert.deepEqual(
      more.map(({ event }) => event),
      ['state'],
    );
    assert.equal(log.droppedLines(), dropped);
  });

  test('does not hold up the end, with the event loop or without it', async (t) => {
    const { log } = stuckLog(t);
    write(log, LINES);
    const startMs = performance.now();
    await log.flush();
    log.flushSync();
    assert.ok(performance.now() - startMs < 5_000, 'both flushes have given up');
    assert.equal(log.holdsUpExit(), false);
  });
});

describe('a log in a file', () => {
  test('is complete and in order after a flush', async (t) => {
    const { log, path } = fileLog(t);
    write(log, FEW_LINES);
    await log.flush();
    const numbers = readFileSync(path, 'utf8').trim().split('\n').map(readEntry).map(numberOf);
    assert.deepEqual(
      numbers,
      Array.from({ length: FEW_LINES }, (_, index) => index),
    );
    assert.equal(log.droppedLines(), 0);
  });

  test('writes lines that come together by one system call', async (t) => {
    const { log, readAll, readNow } = stuckLog(t);
    for (const line of ['first', 'second', 'third']) log.info('state', line);
    const messages = (entries: readonly Entry[]) => entries.map(({ msg }) => msg);
    assert.deepEqual(messages(readNow()), ['first'], 'what may come alone is not held back');
    const rest = await readAll((entry) => entry.msg === 'third');
    assert.deepEqual(messages(rest), ['second', 'third']);
  });

  test('goes by another level and format from then on, of instances too', async (t) => {
    const { log, path } = fileLog(t);
    log.configure({ level: 'info', format: 'json' });
    log.forInstance('db').debug('state', 'left out');
    log.configure({ level: 'debug', format: 'json' });
    log.forInstance('db').debug('state', 'of an instance');
    log.configure({ level: 'warn', format: 'text' });
    log.forInstance('db').info('state', 'left out');
    log.warn('state', 'last');
    await log.flush();
    const [first = '', second = '', ...rest] = readFileSync(path, 'utf8').trim().split('\n');
    assert.equal(readEntry(first).msg, 'of an instance');
    assert.match(second, /^[^{].*last/);
    assert.deepEqual(rest, []);
  });

  test('has its last line after a flush without the event loop', async (t) => {
    const { log, path } = fileLog(t);
    log.info('state', 'first');
    log.info('state', 'second');
    log.fatal('daemon-failed', 'last');
    log.flushSync();
    await log.flush();
    const messages = readFileSync(path, 'utf8').trim().split('\n').map(readEntry);
    assert.deepEqual(messages.map(({ msg }) => msg).sort(), ['first', 'last', 'second']);
  });
});

describe('a log in the journal', () => {
  const EVERY_LEVEL = [
    ['debug', 7],
    ['info', 6],
    ['warn', 4],
    ['error', 3],
    ['fatal', 2],
  ] as const;

  for (const format of ['auto', 'text'] as const) {
    test(`is text that bears its priority and its event (${format})`, async (t) => {
      const { log, lines } = journalLog(t, format);
      for (const [level] of EVERY_LEVEL) log.forInstance('db')[level]('state', level, { term: 2 });
      assert.deepEqual(
        await lines(),
        EVERY_LEVEL.map(([level, priority]) => `<${priority}>db: ${level} [event=state term=2]`),
      );
    });
  }

  test('is JSON behind its priority where JSON is asked for', async (t) => {
    const { log, lines } = journalLog(t, 'json');
    log.warn('conflict', 'two\nlines', { peer: '10.9.0.2' });
    const [line = '', ...more] = await lines();
    assert.deepEqual(more, []);
    assert.equal(line.slice(0, 3), '<4>');
    assert.equal(readEntry(line.slice(3)).event, 'conflict');
  });

  test('is none where the descriptor was redirected', async (t) => {
    const { log, path } = fileLog(t, 'auto', () => '8:1234567');
    log.info('state', 'first');
    await log.flush();
    assert.equal(readEntry(readFileSync(path, 'utf8').trim()).msg, 'first');
  });
});

function write(log: Logger, count: number): void {
  for (let index = 0; index < count; index += 1) log.info('state', `${index} ${'x'.repeat(1_000)}`);
}

interface FileLog {
  readonly log: Logger;
  readonly path: string;
}

/** A log to a file; `stream` is what systemd says of where the journal is. */
function fileLog(
  t: TestContext,
  format: LogFormat = 'json',
  stream: (fd: number) => string | undefined = () => undefined,
): FileLog {
  const path = join(directory(t), 'log');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  const before = process.env['JOURNAL_STREAM'];
  setStream(stream(fd));
  const log = openLog({ level: 'debug', format, fd });
  setStream(before);
  return { log, path };
}

function setStream(stream: string | undefined): void {
  if (stream === undefined) delete process.env['JOURNAL_STREAM'];
  else process.env['JOURNAL_STREAM'] = stream;
}

/** A log to a file that is taken for the journal, and the lines in it. */
function journalLog(
  t: TestContext,
  format: LogFormat,
): { readonly log: Logger; readonly lines: () => Promise<readonly string[]> } {
  const { log, path } = fileLog(t, format, (fd) => {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return `${dev}:${ino}`;
  });
  const lines = async (): Promise<readonly string[]> => {
    await log.flush();
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  };
  return { log, lines };
}

interface StuckLog {
  readonly log: Logger;
  /** Reads until a line matches; yields the lines read by this call. */
  readonly readAll: (isLast: (entry: Entry) => boolean) => Promise<readonly Entry[]>;
  /** What can be read at once. */
  readonly readNow: () => readonly Entry[];
}

/** A log that goes to a pipe whose reader has not read yet. */
function stuckLog(t: TestContext): StuckLog {
  const path = join(directory(t), 'pipe');
  runSync(['mkfifo', path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, constants.O_WRONLY);
  t.after(() => [reader, fd].forEach(closeSync));
  const buffer = Buffer.alloc(65_536);
  let rest = '';
  const readNow = (): Entry[] => {
    rest += readSome(reader, buffer);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    return lines.map(readEntry);
  };
  const readAll: StuckLog['readAll'] = async (isLast) => {
    const entries: Entry[] = [];
    const deadlineMs = performance.now() + WAIT_MS;
    while (!entries.some(isLast)) {
      assert.ok(performance.now() < deadlineMs, 'the line that was waited for comes');
      entries.push(...readNow());
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return entries;
  };
  return { log: openLog({ level: 'info', format: 'json', fd }), readAll, readNow };
}

function readSome(fd: number, buffer: Buffer): string {
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer));
  } catch {
    // Nothing there yet.
    return '';
  }
}

function readEntry(line: string): Entry {
  return JSON.parse(line) as Entry;
}

function numberOf({ msg }: Entry): number {
  return Number(msg.split(' ')[0]);
}

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'carpd-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}
