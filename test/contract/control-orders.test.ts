// Orders over the real control socket: read strictly, answered in JSON, and never carried out where
// anything about them is not as it should be.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { askDaemon } from '../../src/cli/control-client.ts';
import type { OrderResult } from '../../src/events/catalogue/order-result.ts';
import type { Order } from '../../src/control/orders.ts';
import { answers, running } from '../support/control.ts';
import { exchange, request } from '../support/raw-http.ts';

interface Given {
  readonly order: Order;
  readonly names: readonly string[];
}

/** A daemon that writes down its orders and gives them this outcome. */
async function ordered(
  t: TestContext,
  outcome: OrderResult['outcome'] = 'done',
): Promise<{ readonly path: string; readonly given: readonly Given[] }> {
  const given: Given[] = [];
  const { path } = await running(t, {
    order: (order, names) => {
      given.push({ order, names });
      return Promise.resolve(names.map((name) => resultOf(name, outcome)));
    },
  });
  return { path, given };
}

function resultOf(name: string, outcome: OrderResult['outcome']): OrderResult {
  return {
    name,
    outcome,
    reason: 'handed-over',
    message: 'as it was asked for',
    state: 'BACKUP',
    master: '10.9.0.20',
    afterMs: 12,
    maintenance: false,
  };
}

function post(path: string, body: string, more = ''): string {
  const length = `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${request('POST', path, `${length}${more}`)}${body}`;
}

describe('an order', () => {
  const GOOD: readonly [string, string, Given][] = [
    ['/v1/handover', '{"name":"db"}', { order: { kind: 'handover', force: false }, names: ['db'] }],
    [
      '/v1/handover',
      ' { "all" : true, "force" : true } ',
      { order: { kind: 'handover', force: true }, names: ['db', 'web'] },
    ],
    [
      '/v1/maintenance',
      '{"on":true,"name":"web","all":false}',
      { order: { kind: 'maintenance', on: true, force: false }, names: ['web'] },
    ],
    [
      '/v1/maintenance?x',
      '{"on":false,"all":true}',
      { order: { kind: 'maintenance', on: false, force: false }, names: ['db', 'web'] },
    ],
  ];
  for (const [path, body, expected] of GOOD) {
    test(`${path} ${body}`, async (t) => {
      const daemon = await ordered(t);
      const text = await exchange(daemon.path, post(path, body));
      assert.match(text, /^HTTP\/1\.1 200 .*"results":\[\{"name":"(db|web)","outcome":"done"/s);
      assert.deepEqual(daemon.given, [expected]);
    });
  }

  test('in chunks, by a client that has closed its side, is carried out as well', async (t) => {
    const { path, given } = await ordered(t);
    const head = request('POST', '/v1/handover', 'transfer-encoding: chunked\r\n');
    const chunks = '5\r\n{"nam\r\n8\r\ne":"db"}\r\n0\r\n\r\n';
    assert.match(await exchange(path, `${head}${chunks}`, true), /^HTTP\/1\.1 200 /);
    assert.equal(given.length, 1);
  });

  test('that came to nothing answers with a conflict', async (t) => {
    for (const outcome of ['refused', 'failed'] as const) {
      const { path } = await ordered(t, outcome);
      const text = await exchange(path, post('/v1/handover', '{"name":"db"}'));
      assert.match(text, /^HTTP\/1\.1 409 .*"results":\[/s);
    }
  });

  test('may take longer than a question, and its client may leave meanwhile', async (t) => {
    let finish: (results: readonly OrderResult[]) => void = () => undefined;
    const { path } = await running(t, {
      order: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const options = { body: { name: 'db' }, withinMs: 30_000 };
    const patient = askDaemon(path, '/v1/handover', options);
    // Longer than a question may take.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    finish([resultOf('db', 'done')]);
    const answer = await patient;
    assert.ok(answer.ok, JSON.stringify(answer));
    assert.equal(answer.value.status, 200);
    const gone = connect(path);
    await once(gone, 'connect');
    gone.write(post('/v1/handover', '{"name":"db"}'));
    gone.destroy();
    await answers(path);
    finish([resultOf('db', 'done')]);
    await answers(path);
  });
});

describe('no order', () => {
  const BODIES: readonly [string, RegExp][] = [
    ['', /400 .*the body is no JSON/s],
    ['{"name":"db"', /400 .*no JSON/s],
    ['\xff\xfe', /400 .*no JSON/s],
    ['[]', /400 .*no object of JSON; send one such as/s],
    ['null', /400 .*no object/s],
    ['"db"', /400 .*no object/s],
    ['{}', /400 .*either the name of an instance .* or /s],
    ['{"all":false}', /400 .*either the name/s],
    ['{"all":true,"name":"db"}', /400 .*either the name/s],
    ['{"name":5}', /400 .*name: 5 is no text/s],
    ['{"name":["db"]}', /400 .*name: a list is no text/s],
    ['{"name":"db","force":"yes"}', /400 .*force: .*yes.* is not true or false/s],
    ['{"name":"db","all":null}', /400 .*all: no value is not true or false/s],
    ['{"name":"db","forse":true}', /400 .*unknown key .*forse.* \(did you mean \\"force\\"/s],
    ['{"name":"db","__proto__":{}}', /400 .*unknown key/s],
    ['{"name":"db","on":true}', /400 .*unknown key .*on/s],
    ['{"name":"dbb"}', /404 .*no instance is named .*dbb.*; there are: db, web.*"names":/s],
    ['{"name":""}', /404 .*no instance is named/s],
    [`{"name":"${'x'.repeat(5_000)}"}`, /413 .*larger than 4096 bytes/s],
  ];

  test('comes of a body that is not right', async (t) => {
    const { path, given } = await ordered(t);
    for (const [body, expected] of BODIES) {
      const text = await exchange(path, post('/v1/handover', body));
      assert.match(text, expected, body.slice(0, 100));
      const [, json = ''] = text.split('\r\n\r\n');
      assert.ok('error' in (JSON.parse(json) as object), 'the fault is told in JSON');
    }
    for (const body of ['{"name":"db"}', '{"all":true,"on":1}']) {
      assert.match(await exchange(path, post('/v1/maintenance', body)), /400 .*on: /s, body);
    }
    assert.deepEqual(given, []);
  });

  test('comes of another method, path or framing', async (t) => {
    const { path, given } = await ordered(t);
    const body = '{"name":"db"}';
    const bad: readonly [string, RegExp][] = [
      [request('GET', '/v1/handover'), /^HTTP\/1\.1 405 .*allow: POST\r.*takes POST only/s],
      [post('/v1/handover', body).replace('POST', 'PUT'), /^HTTP\/1\.1 405 /],
      [post('/v1/handover/', body), /^HTTP\/1\.1 404 .*POST \/v1\/maintenance/s],
      [post('/v1/status', body), /^HTTP\/1\.1 405 /],
      [request('POST', '/v1/handover', 'content-length: 10000000000\r\n'), /^HTTP\/1\.1 413 /],
      [request('POST', '/v1/handover', 'content-length: x\r\n'), /^HTTP\/1\.1 400 /],
      [request('POST', '/v1/handover', 'content-length: -1\r\n'), /^HTTP\/1\.1 400 /],
      [
        post('/v1/handover', body, 'transfer-encoding: chunked\r\n'),
        /^HTTP\/1\.1 400 .*no request of HTTP/s,
      ],
    ];
    for (const [bytes, expected] of bad) {
      assert.match(await exchange(path, bytes), expected, bytes.slice(0, 200));
    }
    const head = request('POST', '/v1/handover', 'transfer-encoding: chunked\r\n');
    const endless = `${head}${`1000\r\n${'x'.repeat(0x1000)}\r\n`.repeat(3)}`;
    assert.match(await exchange(path, endless), /^HTTP\/1\.1 413 /, 'chunks without end');
    assert.deepEqual(given, []);
  });

  test('comes of a body that is cut off, or too slow', async (t) => {
    const { path, given } = await ordered(t);
    const head = request('POST', '/v1/handover', 'content-length: 13\r\n');
    const half = await exchange(path, `${head}{"name":`, true);
    assert.match(half, /^HTTP\/1\.1 400 /, 'the client closed its side in the middle');
    const slow = await exchange(path, `${head}{"name":`);
    assert.match(slow, /^HTTP\/1\.1 408 .*not there within 3 s/s);
    const gone = connect(path);
    await once(gone, 'connect');
    gone.write(`${head}{"na`);
    gone.destroy();
    await answers(path);
    assert.deepEqual(given, []);
  });
});
