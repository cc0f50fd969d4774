// The metrics on a real port and a real Unix socket, with clients that mean well and others.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { ListenAddress } from '../../src/config/config.ts';
import { listenAddress } from '../../src/config/listen-address.ts';
import { EventBus } from '../../src/events/bus.ts';
import type { EventOf } from '../../src/events/events.ts';
import { Liveness } from '../../src/daemon/health.ts';
import { now, startTimer } from '../../src/linux/system/clock.ts';
import { openMetrics } from '../../src/metrics/server.ts';
import { MetricsService, type MetricsServiceOptions } from '../../src/metrics/service.ts';
import { eventually } from '../../lab/wait.ts';
import { watchLoop } from '../support/loop-watch.ts';
import { exchange, request } from '../support/raw-http.ts';
import { dbConfig } from '../support/reports.ts';

const WITHIN_MS = 15_000;
const CONNECTIONS_MAX = 32;

type Told = EventOf<'metrics-opened' | 'metrics-failed'>;

interface Rig {
  readonly service: MetricsService;
  readonly events: EventBus;
  readonly told: Told[];
  /** What the loop was asked to do; it does so at once unless it is stuck. */
  loop: 'turns' | 'stuck';
  faults: readonly string[];
}

function rig(t: TestContext, changes: Partial<MetricsServiceOptions> = {}): Rig {
  const told: Told[] = [];
  const events = new EventBus((error) => assert.fail(String(error)));
  events.subscribe(['metrics-opened', 'metrics-failed'], (event) => void told.push(event));
  const driver = { post: (run: () => void) => void (made.loop === 'turns' && setImmediate(run)) };
  const liveness = new Liveness({ driver, events, startTimer, faults: () => made.faults });
  const service = new MetricsService({
    wallMs: Date.now,
    version: '1.2.3',
    events,
    now,
    openMetrics,
    sample: () => ({ instances: [], links: [], logLinesDropped: 0, isReloadGood: true }),
    health: liveness,
    ...changes,
  });
  const made: Rig = { service, events, told, loop: 'turns', faults: [] };
  t.after(() => service.close());
  service.added(dbConfig());
  return made;
}

/** A loopback address that nobody else listens at. */
function somewhere(): { readonly address: ListenAddress; readonly to: NetConnectOpts } {
  const byte = (): number => 1 + Math.floor(Math.random() * 253);
  const host = `127.${byte()}.${byte()}.${byte()}`;
  return { address: at(`${host}:9112`), to: { host, port: 9112 } };
}

function at(text: string): ListenAddress {
  const read = listenAddress(text);
  assert.ok(read.ok, text);
  return read.value;
}

function newPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'carpd-metrics-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'm.sock');
}

function tells({ told }: Rig, event: Told['event']): Promise<Told> {
  const find = (): Told | undefined => told.find((one) => one.event === event);
  return eventually(find, { withinMs: WITHIN_MS, what: event, detail: () => JSON.stringify(told) });
}

async function serving(t: TestContext, changes?: Partial<MetricsServiceOptions>) {
  const made = rig(t, changes);
  const { address, to } = somewhere();
  await made.service.listen(address);
  await tells(made, 'metrics-opened');
  return { ...made, to, rig: made };
}

const get = (to: string | NetConnectOpts, path: string): Promise<string> =>
  exchange(to, request('GET', path));

describe('the metrics', () => {
  test('are served on a port, counted from the events', async (t) => {
    const { events, to, rig: made } = await serving(t);
    assert.equal(made.told[0]?.event, 'metrics-opened');
    const of = { name: 'db', interface: 'bond0', vhid: 7, vip: '10.9.0.100' };
    events.publish({ event: 'conflict', ...of, peer: '10.9.0.20', equal: false, announces: true });
    const text = await get(to, '/metrics');
    assert.match(text, /^HTTP\/1\.1 200 .*content-type: text\/plain; version=0\.0\.4/s);
    assert.match(text, /^carpd_master_conflicts_total\{name="db".*\} 1$/m);
  });

  test('are served on an IPv6 address', async (t) => {
    const made = rig(t);
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    await made.service.listen(at(`[::1]:${port}`));
    const event = await Promise.race([
      tells(made, 'metrics-opened'),
      tells(made, 'metrics-failed'),
    ]);
    // A host without IPv6 says so, and nothing else.
    if (event.event === 'metrics-failed') assert.match(event.detail, /does not have the address/);
    else assert.match(await get({ host: '::1', port }, '/metrics'), /^HTTP\/1\.1 200 /);
  });

  test('are served on a Unix socket, which goes with them', async (t) => {
    const path = newPath(t);
    const made = rig(t);
    await made.service.listen(at(`unix:${path}`));
    await tells(made, 'metrics-opened');
    assert.equal(statSync(path).mode & 0o777, 0o660);
    assert.match(await get(path, '/metrics'), /^HTTP\/1\.1 200 /);
    made.service.close();
    assert.equal(existsSync(path), false);
  });

  test('move with a reload, without losing what was counted', async (t) => {
    const { service, events, to, told } = await serving(t);
    events.publish({ event: 'late-wake', lateMs: 70 });
    const next = somewhere();
    await service.listen(next.address);
    await eventually(() => told.length === 2, { withinMs: WITHIN_MS, what: 'the new place' });
    assert.match(await get(next.to, '/metrics'), /^carpd_late_wakes_total 1$/m);
    await assert.rejects(get(to, '/metrics'), /ECONNREFUSED/, 'nobody is at the old place');
    await service.listen(undefined);
    await assert.rejects(get(next.to, '/metrics'), /ECONNREFUSED/, 'nobody listens at all');
  });

  test('forget an instance that is removed', async (t) => {
    const { service, to } = await serving(t);
    assert.match(await get(to, '/metrics'), /name="db"/);
    service.removed('db');
    const gone = async (): Promise<boolean> => !(await get(to, '/metrics')).includes('name="db"');
    await eventually(gone, { withinMs: WITHIN_MS, what: 'the page to be rendered anew' });
  });
});

describe('a place that can not be had', () => {
  test('a port in use is told, and taken when it is free', async (t) => {
    const { address, to } = somewhere();
    assert.ok(address.kind === 'tcp', 'a port');
    const other = createServer().listen({ host: address.host, port: address.port });
    await once(other, 'listening');
    const made = rig(t);
    await made.service.listen(address);
    const event = await tells(made, 'metrics-failed');
    assert.ok(event.event === 'metrics-failed', 'it failed');
    assert.match(event.detail, /^serve metrics at 127\..*: another process listens there; give/);
    other.close();
    await tells(made, 'metrics-opened');
    assert.match(await get(to, '/healthz'), /^HTTP\/1\.1 200 /);
    assert.equal(made.told.length, 2, JSON.stringify(made.told));
  });

  const HOPELESS: readonly [string, (t: TestContext) => string, RegExp][] = [
    [
      'an address of another host',
      () => '192.0.2.1:9112',
      /does not have the address now; correct/,
    ],
    ['a file', (t) => `unix:${fileAt(newPath(t))}`, /a file that is no socket; remove it/],
    ['a path below a file', (t) => `unix:${fileAt(newPath(t))}/m`, /path for metrics\.listen/],
    ['a path in /proc', () => 'unix:/proc/none/m', /choose another path for metrics\.listen/],
  ];
  for (const [desc, text, says] of HOPELESS) {
    test(`${desc} is told once`, async (t) => {
      const made = rig(t);
      await made.service.listen(at(text(t)));
      const event = await tells(made, 'metrics-failed');
      assert.ok(event.event === 'metrics-failed', 'it failed');
      assert.match(event.detail, says);
    });
  }

  test('the socket of another daemon is left to it', async (t) => {
    const path = newPath(t);
    const first = rig(t);
    await first.service.listen(at(`unix:${path}`));
    await tells(first, 'metrics-opened');
    const second = rig(t);
    await second.service.listen(at(`unix:${path}`));
    const event = await tells(second, 'metrics-failed');
    assert.ok(event.event === 'metrics-failed', 'it failed');
    assert.match(
      event.detail,
      /open the metrics socket .*another process answers there; give each/,
    );
    second.service.close();
    assert.match(await get(path, '/healthz'), /^HTTP\/1\.1 200 /);
  });
});

describe('health and readiness', () => {
  test('a loop that turns is healthy, one that is stuck is not', async (t) => {
    const { rig: made, to } = await serving(t);
    assert.match(await get(to, '/healthz'), /^HTTP\/1\.1 200 .*\r\n\r\nhealthy\n$/s);
    made.loop = 'stuck';
    const text = await get(to, '/healthz');
    assert.match(text, /^HTTP\/1\.1 503 .*not healthy: the loop has not answered for 2 s\n$/s);
  });

  test('ready is who takes part with all it is configured to', async (t) => {
    const { rig: made, events, to } = await serving(t);
    const says = async (expected: RegExp): Promise<void> =>
      assert.match(await get(to, '/readyz'), expected);
    await says(/^HTTP\/1\.1 503 .*not ready: carpd is starting\n$/s);
    events.publish({ event: 'daemon-started', instances: 1 });
    await says(/^HTTP\/1\.1 200 .*\r\n\r\nready\n$/s);
    made.faults = ['eth0: the interface does not exist', 'eth1: no socket'];
    await says(/^HTTP\/1\.1 503 .*not ready: eth0: the interface does not exist; eth1: no socket/s);
    made.faults = [];
    events.publish({ event: 'configuration-rejected', detail: 'x' });
    await says(
      /^HTTP\/1\.1 503 .*the new configuration was rejected, and the old one is in force/s,
    );
    const none: readonly string[] = [];
    const others = { added: none, changed: none, restarted: none, refused: none, removed: none };
    const sets = { ...others, unchanged: ['db'] };
    events.publish({ event: 'configuration-reloaded', ...sets });
    await says(/^HTTP\/1\.1 200 /);
    events.publish({ event: 'daemon-stopping', why: 'SIGTERM' });
    await says(/^HTTP\/1\.1 503 .*carpd is stopping/s);
  });
});

describe('a client', () => {
  const REQUESTS: readonly [string, string, RegExp][] = [
    ['a query', request('GET', '/metrics?name[]=x'), /^HTTP\/1\.1 200 /],
    ['HEAD', request('HEAD', '/metrics'), /^HTTP\/1\.1 200 .*content-length: \d{4,}.*\r\n\r\n$/s],
    ['HTTP/1.0', 'GET /healthz HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 200 /],
    [
      'POST',
      request('POST', '/metrics'),
      /^HTTP\/1\.1 405 .*allow: GET, HEAD\r.*GET and HEAD only/s,
    ],
    ['DELETE', request('DELETE', '/healthz'), /^HTTP\/1\.1 405 /],
    ['no path', request('GET', '/'), /404 .*there are: \/metrics, \/healthz, \/readyz/s],
    ['a path of Object.prototype', request('GET', 'constructor'), /^HTTP\/1\.1 40[04] /],
    ['a longer path', request('GET', '/metrics/'), /^HTTP\/1\.1 404 /],
    ['a broken escape', request('GET', '/%zz'), /^HTTP\/1\.1 404 /],
    ['a body', request('GET', '/metrics', 'content-length: 5\r\n'), /^HTTP\/1\.1 413 /],
    ['chunks', request('GET', '/metrics', 'transfer-encoding: chunked\r\n'), /^HTTP\/1\.1 413 /],
    ['a huge header', request('GET', '/', `x: ${'x'.repeat(100_000)}\r\n`), /^HTTP\/1\.1 431 /],
    ['a huge path', request('GET', `/${'x'.repeat(100_000)}`), /^HTTP\/1\.1 431 /],
    ['TLS', '\x16\x03\x01\0\xa5\x01\r\n\r\n', /^HTTP\/1\.1 400 .*this is no request of HTTP\n$/s],
    ['CONNECT', request('CONNECT', 'a:1'), /^$|^HTTP\/1\.1 40/],
    ['an expectation', request('GET', '/healthz', 'expect: x\r\n'), /^HTTP\/1\.1 200 /],
  ];

  test('gets one answer of plain text, whatever it sends', async (t) => {
    const { to } = await serving(t);
    for (const [desc, bytes, expected] of REQUESTS) {
      const text = await exchange(to, bytes);
      assert.match(text, expected, desc);
      if (text === '') continue;
      assert.match(text, /content-type: text\/plain/, desc);
      assert.match(text, /connection: close/i, desc);
    }
  });

  test('learns that a page could not be made, and the log is told', async (t) => {
    const { to, told } = await serving(t, {
      sample: () => {
        throw new Error('a fault');
      },
    });
    assert.match(await get(to, '/metrics'), /^HTTP\/1\.1 500 .*its log says why\n$/s);
    assert.equal(told.length, 2);
    const [, failed] = told;
    assert.deepEqual(failed, {
      event: 'metrics-failed',
      during: 'serving',
      detail: 'a request could not be answered: a fault',
    });
    assert.match(await get(to, '/healthz'), /^HTTP\/1\.1 200 /);
  });

  test('that asks while others do gets the same page', async (t) => {
    let samples = 0;
    const { to } = await serving(t, {
      sample: () => {
        samples += 1;
        return { instances: [], links: [], logLinesDropped: 0, isReloadGood: true };
      },
    });
    const texts = await Promise.all(Array.from({ length: 20 }, () => get(to, '/metrics')));
    for (const text of texts) assert.match(text, /^HTTP\/1\.1 200 .*carpd_build_info/s);
    assert.ok(samples < 20, `it was rendered ${samples} times for 20 clients`);
  });
});

describe('hostile clients', () => {
  test('are cut after a few seconds, and never hold the loop up', async (t) => {
    const { to } = await serving(t);
    const loop = watchLoop(t);
    const trickle = connect(to);
    const drip = setInterval(() => trickle.write('G'), 1_000);
    t.after(() => clearInterval(drip));
    const deaf = connect(to);
    deaf.pause();
    deaf.write(request('GET', '/metrics').repeat(1_000));
    const idle = Array.from({ length: 200 }, () => connect(to));
    const all: readonly Socket[] = [trickle, deaf, ...idle];
    const startMs = performance.now();
    const closedAfterMs: number[] = [];
    for (const socket of all) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closedAfterMs.push(performance.now() - startMs);
      });
      // A socket notices that it was closed only as it is read.
      if (socket !== deaf) socket.resume();
    }
    const surplus = all.length - CONNECTIONS_MAX;
    const few = (): boolean => closedAfterMs.length >= surplus;
    await eventually(few, { withinMs: WITHIN_MS, what: 'most of them to be cut' });
    deaf.resume();
    const none = (): boolean => closedAfterMs.length === all.length;
    await eventually(none, { withinMs: WITHIN_MS, what: 'all to be cut' });
    const [surplusMs = NaN, lastMs = NaN] = [closedAfterMs[surplus - 1], closedAfterMs.at(-1)];
    assert.ok(
      surplusMs < lastMs / 2,
      `${surplus} were cut after ${surplusMs}, all after ${lastMs} ms`,
    );
    assert.match(await get(to, '/metrics'), /^HTTP\/1\.1 200 /);
    assert.ok(loop.longestMs() < 1_000, `the loop stood still for ${loop.longestMs()} ms`);
  });
});

function fileAt(path: string): string {
  writeFileSync(path, 'precious');
  return path;
}
