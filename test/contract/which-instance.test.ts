// Which instance a command is about that was given none: asked of a real socket.
import { startTimer, wallMs } from '../../src/linux/system/clock.ts';
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test, type TestContext } from 'node:test';
import { explain } from '../../src/cli/explain.ts';
import { handover, maintenance } from '../../src/cli/orders.ts';
import { status } from '../../src/cli/status.ts';
import { watch } from '../../src/cli/watch.ts';
import type { Order } from '../../src/control/orders.ts';
import { Watchers } from '../../src/control/watchers.ts';
import { EventBus } from '../../src/events/bus.ts';
import { eventually } from '../../lab/wait.ts';
import { DB, running, WITHIN_MS } from '../support/control.ts';

const WEB = { ...DB, name: 'web' };
const SCREEN = { write: () => true };
const NOBODY = { name: undefined, all: false, force: false, json: false } as const;

interface Given {
  readonly order: Order;
  readonly names: readonly string[];
}

/** A daemon with these instances, and the orders that it was given. */
async function daemon(t: TestContext, ...instances: readonly (typeof DB)[]) {
  const orders: Given[] = [];
  const names = instances.map(({ name }) => name);
  const { path: socketPath } = await running(t, {
    status: () => ({ pid: 1, config: null, reload: null, instances }),
    explain: (name) => instances.find((one) => one.name === name),
    names: () => names,
    order: (order, whom) => {
      orders.push({ order, names: whom });
      return Promise.resolve([]);
    },
  });
  return { socketPath, orders };
}

describe('the only instance', () => {
  test('is the one that is explained', async (t) => {
    const { socketPath } = await daemon(t, DB);
    const command = { kind: 'explain', name: undefined, json: false, socketPath } as const;
    const { stdout, exitCode } = await explain(command, {});
    assert.match(stdout, /^db is HELD/);
    assert.equal(exitCode, 0);
  });

  test('is the one that is handed over, and put in maintenance', async (t) => {
    const { socketPath, orders } = await daemon(t, DB);
    await handover({ kind: 'handover', ...NOBODY, socketPath });
    await maintenance({ kind: 'maintenance', on: true, ...NOBODY, socketPath });
    assert.deepEqual(orders, [
      { order: { kind: 'handover', force: false }, names: ['db'] },
      { order: { kind: 'maintenance', on: true, force: false }, names: ['db'] },
    ]);
  });
});

describe('of several instances', () => {
  test('none is guessed', async (t) => {
    const { socketPath, orders } = await daemon(t, DB, WEB);
    const outcomes = [
      await explain({ kind: 'explain', name: undefined, json: false, socketPath }, {}),
      await handover({ kind: 'handover', ...NOBODY, socketPath }),
      await maintenance({ kind: 'maintenance', on: false, ...NOBODY, socketPath }),
    ];
    assert.deepEqual(
      outcomes.map(({ stderr }) => stderr),
      [
        'carpd: explain: there are 2 instances; give the NAME of one: db, web\n',
        'carpd: handover: there are 2 instances; give the NAME of one, or --all: db, web\n',
        'carpd: maintenance: there are 2 instances; give the NAME of one, or --all: db, web\n',
      ],
    );
    assert.ok(outcomes.every(({ exitCode, stdout }) => exitCode === 2 && stdout === ''));
    assert.deepEqual(orders, []);
  });

  test('all are meant by --all', async (t) => {
    const { socketPath, orders } = await daemon(t, DB, WEB);
    await handover({ kind: 'handover', ...NOBODY, all: true, socketPath });
    await maintenance({ kind: 'maintenance', on: true, ...NOBODY, all: true, socketPath });
    assert.deepEqual(
      orders.map(({ names }) => names),
      [
        ['db', 'web'],
        ['db', 'web'],
      ],
    );
  });

  test('maintenance shows all', async (t) => {
    const { socketPath } = await daemon(t, DB, WEB);
    const { stdout } = await maintenance({
      ...{ kind: 'maintenance', on: undefined, ...NOBODY, socketPath },
    });
    assert.match(stdout, /^db: .*\nweb: .*\n$/);
  });

  test('status shows the one that is named, and its JSON that one alone', async (t) => {
    const { socketPath } = await daemon(t, DB, WEB);
    const of = { kind: 'status', all: false, watch: false, socketPath } as const;
    const table = await status({ ...of, name: 'web', json: false }, SCREEN);
    assert.match(table.stdout, /^NAME.*\nweb /);
    assert.doesNotMatch(table.stdout, /^db /m);
    const { stdout } = await status({ ...of, name: 'db', json: true }, SCREEN);
    assert.deepEqual(
      JSON.parse(stdout),
      JSON.parse(JSON.stringify({ pid: 1, config: null, reload: null, instances: [DB] })),
    );
    assert.deepEqual(await status({ ...of, name: 'dbb', json: false }, SCREEN), {
      stdout: '',
      stderr: 'carpd: no instance is named "dbb"; there are: db, web\n',
      exitCode: 2,
    });
  });
});

describe('watch', () => {
  for (const [desc, isTTY, format, pattern] of [
    ['is text on a terminal', true, undefined, /^\S+ .*carpd: /],
    ['is JSON on a terminal that asks for it', true, 'json', /^\{/],
    ['is JSON in a pipe', false, undefined, /^\{/],
    ['is text in a pipe that asks for it', false, 'text', /^\S+ .*carpd: /],
  ] as const) {
    test(desc, async (t) => {
      const bus = new EventBus(assert.ifError);
      const { path: socketPath } = await running(t, {
        watchers: new Watchers({ wallMs, startTimer, bus, states: () => [] }),
      });
      const output = Object.assign(new PassThrough(), { isTTY });
      const end = new AbortController();
      const of = { kind: 'watch', name: undefined, format, verbose: false, socketPath } as const;
      const watched = watch(of, output, end.signal);
      const line = await eventually(
        () => {
          bus.publish({ event: 'configuration-rejected', detail: 'carpd: no' });
          return (output.read() as Buffer | null)?.toString();
        },
        { withinMs: WITHIN_MS, what: 'a line' },
      );
      end.abort();
      assert.equal((await watched).exitCode, 0);
      assert.match(line, pattern);
    });
  }
});
