// The control socket with clients that mean well and clients that do not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { ANSWER_MS_MAX, askDaemon, describeTrouble } from '../../src/cli/control-client.ts';
import { eventually } from '../../lab/wait.ts';
import { WITHIN_MS, DB, newPath, running, told, answers, fileAt } from '../support/control.ts';
import { watchLoop } from '../support/loop-watch.ts';
import { exchange, request } from '../support/raw-http.ts';

describe('a client', () => {
  const REQUESTS: readonly [string, string, RegExp][] = [
    [
      'GET status',
      request('GET', '/v1/status'),
      /^HTTP\/1\.1 200 .*"pid":1,"config":null,"reload":null,"instances":\[\{/s,
    ],
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
    assert.match(text, /^HTTP\/1\.1 500 .*its log says why/s);
    assert.match((await told(control, 'control-failed')).message, /not be answered: a fault/);
    await answers(control.path);
  });
});

describe('hostile clients', () => {
  test('are cut after a few seconds, and never hold the loop up', async (t) => {
    const huge = {
      pid: 1,
      config: null,
      reload: null,
      instances: Array.from({ length: 5_000 }, () => DB),
    };
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

  test('are told apart also where the question could not be written', () => {
    const cut = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    assert.match(describeTrouble('/a', cut, ANSWER_MS_MAX), /has too many clients at once/);
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
