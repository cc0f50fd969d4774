// GET /v1/events with real clients: those that read, those that do not, and those that are gone.
import { startTimer, wallMs } from '../../src/linux/system/clock.ts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openControl } from '../../src/control/server.ts';
import { EventBus } from '../../src/events/bus.ts';
import { WATCHERS_MAX, Watchers } from '../../src/control/watchers.ts';
import type { WatchedEvent } from '../../src/events/watched.ts';
import type { DomainEvent } from '../../src/events/events.ts';
import type { Opened } from '../../src/serving/keep-opening.ts';
import { stateEvent } from '../../src/report/state-event.ts';
import { eventually } from '../../lab/wait.ts';
import { LinkRig } from '../support/readiness-rig.ts';
import { report } from '../support/reports.ts';

const WITHIN_MS = 30_000;
const DB = report(LinkRig.waiting(), { state: 'HELD' });
const WEB = { ...DB, name: 'web', interface: 'eth1' };

interface Served {
  readonly path: string;
  readonly bus: EventBus;
  readonly watchers: Watchers;
  readonly control: Opened;
}

async function served(t: TestContext): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'carpd-events-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'control.sock');
  const bus = new EventBus(assert.ifError);
  const watchers = new Watchers({
    wallMs,
    startTimer,
    bus,
    states: () => [DB, WEB].map(stateEvent),
  });
  const opened = new Promise<void>((resolve) => bus.subscribe(['control-opened'], () => resolve()));
  const control = openControl({
    path,
    unixGroup: undefined,
    events: bus,
    status: () => ({ pid: 1, config: null, reload: null, instances: [DB, WEB] }),
    explain: () => DB,
    names: () => ['db', 'web'],
    watchers,
    reload: () => Promise.resolve({ outcome: 'applied', lines: [], undone: [] }),
    order: () => Promise.resolve([]),
  });
  t.after(() => control.close());
  await opened;
  return { path, bus, watchers, control };
}

interface Reader {
  readonly response: IncomingMessage;
  readonly lines: WatchedEvent[];
  /** The names of the events so far, and who they are about. */
  readonly summary: () => string[];
}

async function asked({ path }: Served, query = ''): Promise<IncomingMessage> {
  const sent = request({ socketPath: path, path: `/v1/events${query}`, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

/** A watcher that reads all it gets. */
async function watching(server: Served, query = ''): Promise<Reader> {
  const response = await asked(server, query);
  assert.equal(response.statusCode, 200);
  const lines: WatchedEvent[] = [];
  const reader = createInterface({ input: response });
  reader.on('line', (line) => void lines.push(JSON.parse(line) as WatchedEvent));
  const nameOf = (line: WatchedEvent): string => ('name' in line ? `${line.name} ` : '');
  const summary = (): string[] => lines.map((line) => `${nameOf(line)}${line.event}`);
  return { response, lines, summary };
}

async function refusal(server: Served, query = ''): Promise<[number | undefined, string]> {
  const response = await asked(server, query);
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const { error } = JSON.parse(text) as { error: { message: string } };
  return [response.statusCode, error.message];
}

function came({ lines, summary }: Reader, count: number): Promise<unknown> {
  return eventually(() => lines.length >= count || undefined, {
    withinMs: WITHIN_MS,
    what: `${count} lines`,
    detail: () => summary().slice(-10).join(', '),
  });
}

const announced = (name: string): DomainEvent => ({
  name,
  interface: name === 'db' ? DB.interface : 'eth1',
  vhid: 7,
  vip: '10.9.0.100',
  event: 'announced',
});
const lateWake = (lateMs: number): DomainEvent => ({ event: 'late-wake', lateMs });
const proved = (on: string): DomainEvent => ({
  interface: on,
  event: 'link-proved',
  heldMs: 5,
  by: 'frame',
  from: '02:00:00:00:00:01',
});
const rejected: DomainEvent = {
  interface: DB.interface,
  event: 'advert-rejected',
  reason: 'bad-digest',
  from: '10.9.0.66',
  vhid: 7,
  rivalsMaster: false,
};

describe('what a watcher gets', { concurrency: true }, () => {
  test('is the state of every instance, and then each event as it happens', async (t) => {
    const server = await served(t);
    const reader = await watching(server);
    assert.equal(reader.response.headers['content-type'], 'application/x-ndjson');
    await came(reader, 2);
    server.bus.publish(announced('db'));
    await came(reader, 3);
    server.bus.publish(rejected);
    server.bus.publish(lateWake(70));
    await came(reader, 4);
    assert.deepEqual(reader.summary(), ['db state', 'web state', 'db announced', 'late-wake']);
    const [first] = reader.lines;
    assert.ok(first?.event === 'state', 'a baseline');
    assert.deepEqual(
      [first.schema, first.state, first.interface, first.vip],
      [1, 'HELD', DB.interface, '10.9.0.100'],
    );
    assert.match(first.why, /\w/);
    for (const { time } of reader.lines) assert.equal(new Date(time).toISOString(), time);
  });

  test('holds what is frequent if that is asked for', async (t) => {
    const server = await served(t);
    const reader = await watching(server, '?verbose=true');
    server.bus.publish(rejected);
    await came(reader, 3);
    assert.deepEqual(reader.summary(), ['db state', 'web state', 'advert-rejected']);
  });

  test('is about one instance, its interface and the daemon where it names one', async (t) => {
    const server = await served(t);
    const reader = await watching(server, '?name=web');
    for (const name of ['db', 'web']) server.bus.publish(announced(name));
    for (const on of [DB.interface, 'eth1']) server.bus.publish(proved(on));
    server.bus.publish(lateWake(70));
    await came(reader, 4);
    assert.deepEqual(reader.summary(), ['web state', 'web announced', 'link-proved', 'late-wake']);
  });

  test('goes on for longer than any answer may take', async (t) => {
    const server = await served(t);
    const reader = await watching(server);
    await sleep(6_500);
    server.bus.publish(announced('db'));
    await came(reader, 3);
  });

  test('is all of 200 events a second', async (t) => {
    const server = await served(t);
    const reader = await watching(server);
    const count = 400;
    for (let index = 0; index < count; index += 1) {
      server.bus.publish(lateWake(index));
      await sleep(5);
    }
    await came(reader, 2 + count);
    const order = reader.lines.flatMap((line) => (line.event === 'late-wake' ? line.lateMs : []));
    assert.deepEqual(order, [...Array(count).keys()]);
  });

  test('ends in good order with the daemon', async (t) => {
    const server = await served(t);
    const reader = await watching(server);
    await came(reader, 2);
    server.bus.publish({ event: 'daemon-stopping', why: 'SIGTERM' });
    server.control.close();
    await once(reader.response, 'end');
    assert.equal(reader.response.complete, true);
    assert.equal(reader.summary().at(-1), 'daemon-stopping');
  });
});

describe('what is refused', { concurrency: true }, () => {
  test('an instance that is not there', async (t) => {
    const [status, message] = await refusal(await served(t), '?name=dbb');
    assert.equal(status, 404);
    assert.match(message, /"dbb".*db, web/);
  });

  test('what it does not know', async (t) => {
    const server = await served(t);
    assert.equal((await refusal(server, '?nam=db'))[0], 400);
    const [status, message] = await refusal(server, '?verbose=yes');
    assert.equal(status, 400);
    assert.match(message, /true or false/);
  });
});

describe('a watcher that', { concurrency: true }, () => {
  test('does not read costs a bounded buffer, and is told how much it missed', async (t) => {
    const server = await served(t);
    const response = await asked(server);
    response.pause();
    const heapBefore = process.memoryUsage().heapUsed;
    const count = 30_000;
    const started = performance.now();
    for (let index = 0; index < count; index += 1) server.bus.publish(lateWake(index));
    const tookMs = performance.now() - started;
    const grownBytes = process.memoryUsage().heapUsed - heapBefore;
    t.diagnostic(`${count} events took ${Math.round(tookMs)} ms and ${grownBytes} bytes`);
    assert.ok(tookMs < 20_000, 'who publishes does not wait');
    const lines: WatchedEvent[] = [];
    createInterface({ input: response }).on('line', (line) => {
      lines.push(JSON.parse(line) as WatchedEvent);
    });
    const gap = await eventually(() => lines.find((line) => line.event === 'gap'), {
      withinMs: WITHIN_MS,
      what: 'gap',
      detail: () => `${lines.length} lines`,
    });
    const got = lines.flatMap((line) => (line.event === 'late-wake' ? line.lateMs : []));
    assert.deepEqual(got, [...got.keys()], 'all before the gap, in order');
    assert.ok(gap.lost > count / 2, 'most were left out');
    assert.equal(got.length + gap.lost, count);
    server.bus.publish(lateWake(-1));
    await eventually(() => lines.some((line) => line.event === 'late-wake' && line.lateMs === -1), {
      withinMs: WITHIN_MS,
      what: 'the next one',
      detail: () => JSON.stringify(lines.at(-1)),
    });
  });

  for (const manner of ['closes its half', 'is gone'] as const) {
    test(`${manner} makes room for another`, async (t) => {
      const server = await served(t);
      const sockets = Array.from({ length: WATCHERS_MAX }, () =>
        connect({ path: server.path, allowHalfOpen: true }),
      );
      for (const socket of sockets) {
        socket.on('error', () => undefined).resume();
        socket.write('GET /v1/events HTTP/1.1\r\nhost: carpd\r\n\r\n');
      }
      t.after(() => sockets.forEach((socket) => void socket.destroy()));
      const room = { withinMs: WITHIN_MS, detail: () => '' };
      await eventually(() => server.watchers.full || undefined, { ...room, what: 'all in' });
      const [status, message] = await refusal(server);
      assert.equal(status, 503);
      assert.match(message, /as many as may/);
      const [first] = sockets;
      assert.ok(first !== undefined, 'there are watchers');
      if (manner === 'is gone') first.destroy();
      else first.end();
      await eventually(() => !server.watchers.full || undefined, { ...room, what: 'room' });
      server.bus.publish(announced('db'));
      const reader = await watching(server);
      await came(reader, 2);
    });
  }
});

// Alone: the clock is everybody's.
describe('a watcher that takes nothing for a minute', () => {
  test('is cut', async (t) => {
    const server = await served(t);
    const response = await asked(server);
    response.pause();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    for (let index = 0; index < 30_000; index += 1) server.bus.publish(lateWake(index));
    t.mock.timers.tick(59_999);
    assert.equal(response.destroyed, false);
    t.mock.timers.tick(1);
    t.mock.timers.reset();
    response.resume();
    await eventually(() => response.destroyed || undefined, {
      withinMs: WITHIN_MS,
      what: 'the end',
      detail: () => '',
    });
    assert.equal(response.complete, false);
  });
});
