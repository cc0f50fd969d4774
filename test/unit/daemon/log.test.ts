// The log on descriptors that nobody reads: it keeps a bounded amount, drops the rest, and says so.
import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { openLog, type Logger } from '../../../src/daemon/log.ts';
import { runSync } from '../../lab/command.ts';

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

function write(log: Logger, count: number): void {
  for (let index = 0; index < count; index += 1) log.info('state', `${index} ${'x'.repeat(1_000)}`);
}

function fileLog(t: TestContext): { readonly log: Logger; readonly path: string } {
  const path = join(directory(t), 'log');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  return { log: openLog({ level: 'info', format: 'json', fd }), path };
}

interface StuckLog {
  readonly log: Logger;
  /** Reads until a line matches; yields the lines read by this call. */
  readonly readAll: (isLast: (entry: Entry) => boolean) => Promise<readonly Entry[]>;
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
  const readAll: StuckLog['readAll'] = async (isLast) => {
    const entries: Entry[] = [];
    const deadlineMs = performance.now() + WAIT_MS;
    while (!entries.some(isLast)) {
      assert.ok(performance.now() < deadlineMs, 'the line that was waited for comes');
      rest += readSome(reader, buffer);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      entries.push(...lines.map(readEntry));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return entries;
  };
  return { log: openLog({ level: 'info', format: 'json', fd }), readAll };
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
