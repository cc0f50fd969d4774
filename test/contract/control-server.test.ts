// The control socket on a real file system, with clients that mean well and clients that do not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemon } from '../../src/cli/control-client.ts';
import { openControl, type ControlOptions } from '../../src/daemon/control-server.ts';
import { EventLog } from '../../src/daemon/event-log.ts';
import { micros } from '../../src/base/time.ts';
import { recordingLogger, type LoggedLine } from '../fakes/logger.ts';
import { eventually } from '../lab/wait.ts';
import { LinkRig } from '../support/readiness-rig.ts';
import { report } from '../support/reports.ts';

const WITHIN_MS = 15_000;
const DB = report(LinkRig.waiting(), { state: 'HELD' });

interface Opened {
  readonly path: string;
  readonly lines: LoggedLine[];
  close(): void;
}

function newPath(t: TestContext, name = 'control.sock'): string {
  const directory = mkdtempSync(join(tmpdir(), 'carpd-control-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, name);
}

function opened(t: TestContext, path: string, changes: Partial<ControlOptions> = {}): Opened {
  const { logger, lines } = recordingLogger();
  const log = new EventLog(logger, () => micros(0));
  const control = openControl({
    path,
    group: undefined,
    events: { publish: (event) => log.tell(event) },
    status: () => ({ pid: 1, instances: [DB] }),
    explain: (name) => (name === 'db' ? DB : undefined),
    names: () => ['db', 'web'],
    order: () => Promise.resolve([]),
    ...changes,
  });
  t.after(() => control.close());
  return { path, lines, close: () => control.close() };
}

async function running(t: TestContext, changes?: Partial<ControlOptions>): Promise<Opened> {
  const control = opened(t, newPath(t), changes);
  await told(control, 'control-opened');
  return control;
}

function told({ lines }: Opened, event: LoggedLine['event']): Promise<LoggedLine> {
  return eventually(() => lines.find((line) => line.event === event), {
    withinMs: WITHIN_MS,
    what: event,
    detail: () => JSON.stringify(lines),
  });
}

/** Sends bytes as they are; yields what came until the other side closed. */
async function exchange(path: string, bytes: string, end = false): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  if (end) socket.end(bytes);
  else socket.write(bytes);
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  socket.destroy();
  return text;
}

function request(method: string, target: string, more = ''): string {
  return `${method} ${target} HTTP/1.1\r\nhost: carpd\r\n${more}\r\n`;
}

async function answers(path: string): Promise<void> {
  const answer = await askDaemon(path, '/v1/explain/db');
  assert.ok(answer.ok, JSON.stringify(answer));
  assert.deepEqual(JSON.parse(answer.value.text), JSON.parse(JSON.stringify(DB)));
}

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
    const listen = `listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const script = `require('net').createServer().${listen}`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(existsSync(path), 'the dead process has left its socket');
    await told(opened(t, path), 'control-opened');
    await answers(path);
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

describe('a client', () => {
  const REQUESTS: readonly [string, string, RegExp][] = [
    ['GET status', request('GET', '/v1/status'), /^HTTP\/1\.1 200 .*"pid":1,"instances":\[\{/s],
    ['GET with a query', request('GET', '/v1/explain/db?x=1'), /^HTTP\/1\.1 200 /],
    ['an encoded name', request('GET', '/v1/explain/%64b'), /^HTTP\/1\.1 200 .*"name":"db"/s],
    ['HTTP/1.0', 'GET /v1/status HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 200 /],
    ['POST', request('POST', '/v1/status'), /^HTTP\/1\.1 405 .*allow: GET\r.*takes GET only/s],
    ['HEAD', request('HEAD', '/v1/status'), /^HTTP\/1\.1 405 /],
    ['DELETE', request('DELETE', '/v1/explain/db'), /^HTTP\/1\.1 405 /],
    ['another path', request('GET', '/'), /^HTTP\/1\.1 404 .*there are: GET \/v1\/status/s],
    ['a longer path', request('GET', '/v1/status/'), /^HTTP\/1\.1 404 /],
    ['a POST without a body', request('POST', '/v1/handover'), /^HTTP\/1\.1 400 .*no JSON/s],
    ['a broken escape', request('GET', '/v1/explain/%zz'), /^HTTP\/1\.1 404 /],
    [
      'another name',
      request('GET', '/v1/explain/x'),
      /404 .*is named \\"x\\"; there are: db, web/s,
    ],
    ['no name', request('GET', '/v1/explain/'), /404 .*"names":\["db","web"\]/s],
    ['a body', request('GET', '/v1/status', 'content-length: 5\r\n'), /^HTTP\/1\.1 413 /],
    ['chunks', request('GET', '/v1/status', 'transfer-encoding: chunked\r\n'), /^HTTP\/1\.1 413 /],
    [
      'a huge header',
      request('GET', '/', `x: ${'x'.repeat(100_000)}\r\n`),
      /^HTTP\/1\.1 431 .*"error"/s,
    ],
    ['a huge path', request('GET', `/${'x'.repeat(100_000)}`), /^HTTP\/1\.1 431 /],
    ['no HTTP', '\0\x16\x03\x01 hello\r\n\r\n', /^HTTP\/1\.1 400 .*no request of HTTP/s],
    [
      'an upgrade',
      request('GET', '/v1/status', 'connection: upgrade\r\nupgrade: h2c\r\n'),
      /^HTTP\/1\.1 200 |^$/,
    ],
    ['CONNECT', request('CONNECT', 'a:1'), /^$|^HTTP\/1\.1 40/],
    ['an expectation', request('GET', '/v1/status', 'expect: x\r\n'), /^HTTP\/1\.1 200 /],
  ];

  test('gets one answer of JSON, whatever it sends', async (t) => {
    const { path, lines } = await running(t);
    for (const [desc, bytes, expected] of REQUESTS) {
      const text = await exchange(path, bytes);
      assert.match(text, expected, desc);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      if (body === '') continue;
      assert.match(head, /content-type: application\/json/, desc);
      assert.match(head, /connection: close/i, desc);
      assert.ok(JSON.parse(body) !== null, desc);
    }
    assert.deepEqual(lines.slice(1), []);
  });

  test('that asks many things at once gets one answer', async (t) => {
    const { path } = await running(t);
    const text = await exchange(path, request('GET', '/v1/status').repeat(500));
    assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 1);
  });

  test('that has closed its side is answered, and nothing is kept for it', async (t) => {
    const { path } = await running(t);
    assert.match(await exchange(path, request('GET', '/v1/status'), true), /^HTTP\/1\.1 200 /);
    assert.match(await exchange(path, 'GET /v1/status HTTP/1.1\r\n', true), /^HTTP\/1\.1 400 /);
    assert.equal(await exchange(path, '', true), '');
  });

  test('learns that a report could not be made, and the daemon lives', async (t) => {
    const control = await running(t, {
      status: () => {
        throw new Error('a fault');
      },
    });
    const text = await exchange(control.path, request('GET', '/v1/status'));
    assert.match(text, /^HTTP\/1\.1 500 .*its log tells why/s);
    assert.match((await told(control, 'control-failed')).message, /not be answered: a fault/);
    await answers(control.path);
  });
});

describe('hostile clients', () => {
  test('are cut after a few seconds, and never hold the loop up', async (t) => {
    const huge = { pid: 1, instances: Array.from({ length: 5_000 }, () => DB) };
    const { path } = await running(t, { status: () => huge });
    const loop = watchLoop(t);
    const trickle = connect(path);
    const drip = setInterval(() => trickle.write('G'), 1_000);
    t.after(() => clearInterval(drip));
    const deaf = connect(path);
    deaf.pause();
    deaf.write(request('GET', '/v1/status'));
    const idle = Array.from({ length: 100 }, () => connect(path));
    const all: readonly Socket[] = [trickle, deaf, ...idle];
    let open = all.length;
    for (const socket of all) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open -= 1;
      });
      // A socket notices that it was closed only as it is read.
      if (socket !== deaf) socket.resume();
    }
    const few = (): boolean => open <= 16;
    await eventually(few, { withinMs: WITHIN_MS, what: 'more than 16 to be cut at once' });
    deaf.resume();
    await eventually(() => open === 0, { withinMs: WITHIN_MS, what: 'all to be cut' });
    await answers(path);
    assert.ok(loop.longestMs() < 1_000, `the loop stood still for ${loop.longestMs()} ms`);
  });

  test('that take all places are told apart by the command', async (t) => {
    const { path } = await running(t);
    const idle = Array.from({ length: 20 }, () => connect(path).on('error', () => undefined));
    t.after(() => idle.forEach((socket) => socket.destroy()));
    await once(idle.at(-1)!, 'connect');
    const answer = await askDaemon(path, '/v1/status');
    assert.ok(!answer.ok, 'no place is left');
    assert.match(answer.reason, /too many clients at once; ask again in a moment/);
  });
});

describe('the command', () => {
  const fails = async (path: string): Promise<string> => {
    const answer = await askDaemon(path, '/v1/status');
    return answer.ok ? answer.value.text : answer.reason;
  };

  test('says why there is no answer', async (t) => {
    const path = newPath(t);
    assert.match(await fails(path), /^no daemon answers at .*no such socket; start it with carpd/);
    assert.match(await fails(fileAt(path)), /^no daemon answers at /);
    assert.match(await fails(`/${'x'.repeat(200)}`), /^no daemon answers at /);
  });

  test('does not wait for ever for a daemon that stands still', async (t) => {
    const path = newPath(t);
    const silent: Server = createServer().listen(path);
    t.after(() => silent.close());
    await once(silent, 'listening');
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => sockets.push(socket));
    assert.match(await fails(path), /has not answered in 5 s: it is stopped or overloaded/);
    for (const socket of sockets) socket.destroy();
  });
});

function fileAt(path: string): string {
  writeFileSync(path, 'precious');
  return path;
}

function directoryAt(path: string): string {
  mkdirSync(path);
  return path;
}

/** How long nothing else could run at the worst. */
function watchLoop(t: TestContext): { longestMs(): number } {
  let lastMs = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - lastMs);
    lastMs = performance.now();
  }, 10);
  t.after(() => clearInterval(timer));
  return { longestMs: () => Math.round(longest) };
}
