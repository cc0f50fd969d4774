// The hook lane: ucarp's arguments, one at a time and in order, and every way in which hooks end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HookLane, hookEnvironment, type HookReport } from '../../../src/vip/hooks.ts';
import { HOOKS_AT_ONCE, HookSlots, PLACE_MS_MAX } from '../../../src/vip/hook-slots.ts';
import type { HookLaneOptions, HookResult, HookSettings } from '../../../src/vip/hooks.ts';
import type { CommandResult } from '../../../src/base/command.ts';
import { EXITED_OK, FakeTime, HeldCommands, ip, refused, settle } from './fakes.ts';

function setUp(changes: Partial<HookLaneOptions & HookSettings> = {}) {
  const time = new FakeTime();
  const held = new HeldCommands();
  const reports: HookReport[] = [];
  const lines: string[] = [];
  const lane = new HookLane({
    hookSlots: new HookSlots(),
    movesAddress: () => false,
    interfaceName: 'bond0',
    address: ip('10.9.0.100'),
    hooks: () => ({
      xparam: undefined,
      up: ['/etc/vip', 'up'],
      down: ['/etc/vip-down'],
      timeoutMs: 10_000,
      ...changes,
    }),
    env: { PATH: '/bin' },
    runCommand: held.runCommand,
    clock: time.clock,
    startTimer: time.startTimer,
    onLine: (line, hook) => lines.push(`${hook}: ${line}`),
    onFinished: (report) => reports.push(report),
    ...changes,
  });
  return { time, held, reports, lines, lane };
}

describe('the arguments', () => {
  it('are interface and address without prefix, after the configured ones', () => {
    const { lane, held } = setUp();
    lane.run({ hook: 'up', term: 1 });
    assert.deepEqual(held.last.request.argv, ['/etc/vip', 'up', 'bond0', '10.9.0.100']);
    assert.equal(held.last.request.timeoutMs, 10_000);
    assert.deepEqual(held.last.request.env, { PATH: '/bin' });
  });

  it('have the xparam last, where there is one, even an empty one', () => {
    for (const xparam of ['two words', '']) {
      const { lane, held } = setUp({ xparam });
      lane.run({ hook: 'down', term: 1 });
      assert.deepEqual(held.last.request.argv, ['/etc/vip-down', 'bond0', '10.9.0.100', xparam]);
    }
  });
});

describe('hooks that are configured anew', () => {
  it('are run as they are when they begin, also behind one that runs', async () => {
    const hooks = { xparam: undefined, up: ['/up'], down: ['/down'], timeoutMs: 10_000 };
    let now: HookSettings = hooks;
    const { lane, held } = setUp({ hooks: () => now });
    lane.run({ hook: 'up', term: 1 });
    lane.run({ hook: 'down', term: 1 });
    now = { ...hooks, down: ['/new'], xparam: 'x', timeoutMs: 500 };
    held.last.finish(EXITED_OK);
    await settle();
    assert.deepEqual(held.last.request.argv, ['/new', 'bond0', '10.9.0.100', 'x']);
    assert.equal(held.last.request.timeoutMs, 500);
  });
});

describe('the hooks of several instances', () => {
  it('run so many at once, and the others in their order', async () => {
    const hookSlots = new HookSlots();
    const all = Array.from({ length: HOOKS_AT_ONCE + 3 }, () => setUp({ hookSlots }));
    for (const { lane } of all) lane.run({ hook: 'up', term: 1 });
    const started = (): readonly number[] => all.map(({ held }) => held.started.length);
    const running = (count: number): readonly number[] => all.map((_, at) => Number(at < count));
    assert.deepEqual(started(), running(HOOKS_AT_ONCE));
    all[3]?.held.last.finish(EXITED_OK);
    await settle();
    assert.deepEqual(started(), running(HOOKS_AT_ONCE + 1));
    // What an instance still owes goes behind those that wait already.
    all[3]?.lane.run({ hook: 'down', term: 1 });
    all[0]?.held.last.finish(EXITED_OK);
    all[1]?.held.last.finish(EXITED_OK);
    await settle();
    assert.deepEqual(started(), running(HOOKS_AT_ONCE + 3));
    all[2]?.held.last.finish(EXITED_OK);
    await settle();
    assert.equal(all[3]?.held.started.length, 2);
  });

  it('leave their places after a while, so that one that hangs holds up nobody', async () => {
    const hookSlots = new HookSlots(1);
    const [first, second] = [setUp({ hookSlots }), setUp({ hookSlots })];
    for (const { lane } of [first, second]) lane.run({ hook: 'up', term: 1 });
    await first.time.advance(PLACE_MS_MAX - 1);
    assert.equal(second.held.started.length, 0);
    await first.time.advance(1);
    await settle();
    assert.equal(second.held.started.length, 1);
    // The place that it has given up already is not given up once more.
    first.held.last.finish(EXITED_OK);
    await settle();
    const third = setUp({ hookSlots });
    third.lane.run({ hook: 'up', term: 1 });
    assert.equal(third.held.started.length, 0);
  });

  it('wait for nobody where a down hook takes the address off', async () => {
    const hookSlots = new HookSlots(1);
    const first = setUp({ hookSlots });
    first.lane.run({ hook: 'up', term: 1 });
    const second = setUp({ hookSlots, movesAddress: () => true });
    second.lane.run({ hook: 'down', term: 1 });
    await settle();
    assert.equal(second.held.started.length, 1);
  });

  it('leave their places where they are abandoned before their turn', async () => {
    const hookSlots = new HookSlots(1);
    const [first, second, third] = [
      setUp({ hookSlots }),
      setUp({ hookSlots }),
      setUp({ hookSlots }),
    ];
    for (const { lane } of [first, second, third]) lane.run({ hook: 'up', term: 1 });
    second.lane.abandon();
    first.held.last.finish(EXITED_OK);
    await settle();
    assert.equal(second.held.started.length, 0);
    assert.equal(third.held.started.length, 1);
    assert.deepEqual(
      second.reports.map(({ result }) => result.kind),
      ['skipped'],
    );
  });
});

describe('the environment', () => {
  it('has what this run is told besides, which does not come back with the report', async () => {
    const { lane, held, reports } = setUp();
    lane.run({ hook: 'up', term: 1, env: { STATE: 'MASTER' } });
    assert.deepEqual(held.last.request.env, { PATH: '/bin', STATE: 'MASTER' });
    held.last.finish(EXITED_OK);
    await settle();
    lane.run({ hook: 'down', term: 1, env: { STATE: 'BACKUP' } });
    assert.deepEqual(held.last.request.env, { PATH: '/bin', STATE: 'BACKUP' });
    assert.deepEqual(Object.keys(reports[0] ?? {}), ['hook', 'term', 'result', 'durationMs']);
  });
});

describe('the order', () => {
  it('is that of the requests, one at a time', async () => {
    const { lane, held, reports } = setUp();
    lane.run({ hook: 'down', term: 0 });
    lane.run({ hook: 'up', term: 1 });
    await settle();
    assert.equal(held.started.length, 1);
    held.last.finish(EXITED_OK);
    await settle();
    assert.equal(held.started.length, 2);
    assert.equal(held.last.request.argv[0], '/etc/vip');
    held.last.finish(EXITED_OK);
    await settle();
    assert.deepEqual(
      reports.map(({ hook, term }) => [hook, term]),
      [
        ['down', 0],
        ['up', 1],
      ],
    );
  });

  it('goes on after a hook that failed', async () => {
    const { lane, held } = setUp();
    lane.run({ hook: 'up', term: 1 });
    lane.run({ hook: 'down', term: 2 });
    held.last.finish({ kind: 'missing' });
    await settle();
    assert.equal(held.last.request.argv[0], '/etc/vip-down');
  });
});

describe('the result', () => {
  const table: readonly { ended: CommandResult; result: HookResult['kind']; says?: RegExp }[] = [
    { ended: EXITED_OK, result: 'ok' },
    { ended: refused('', 3), result: 'failed', says: /exit code 3/ },
    {
      ended: { kind: 'exited', code: undefined, signal: 'SIGSEGV', output: '', truncated: false },
      result: 'failed',
      says: /SIGSEGV/,
    },
    { ended: { kind: 'timeout', ended: true }, result: 'timeout' },
    { ended: { kind: 'missing' }, result: 'missing', says: /\/etc\/vip does not exist/ },
    { ended: { kind: 'not-executable' }, result: 'missing', says: /chmod \+x/ },
    { ended: { kind: 'failed', detail: 'spawn EAGAIN' }, result: 'failed', says: /EAGAIN/ },
  ];
  for (const { ended, result, says } of table) {
    it(`of ${JSON.stringify(ended)} is ${result}, with its duration`, async () => {
      const { lane, held, reports, time } = setUp();
      lane.run({ hook: 'up', term: 7 });
      await time.advance(1_250);
      held.last.finish(ended);
      await settle();
      const [report] = reports;
      assert.ok(report !== undefined);
      assert.equal(report.result.kind, result);
      assert.equal(report.durationMs, 1_250);
      assert.equal(report.term, 7);
      assert.match(JSON.stringify(report.result), says ?? /./);
    });
  }

  it('of a runner that throws is failed', async () => {
    const { lane, reports } = setUp({
      runCommand: () => {
        throw new Error('argv holds a NUL');
      },
    });
    lane.run({ hook: 'up', term: 1 });
    await settle();
    assert.deepEqual(reports[0]?.result, { kind: 'failed', detail: 'argv holds a NUL' });
  });

  it('of a hook that is not configured is none, at once but not from within run', async () => {
    for (const down of [undefined, []]) {
      const { lane, reports } = setUp({ down });
      lane.run({ hook: 'up', term: 1 });
      lane.run({ hook: 'down', term: 2 });
      assert.equal(reports.length, 0);
      await settle();
      const expected = { hook: 'down', term: 2, result: { kind: 'none' }, durationMs: 0 };
      assert.deepEqual(reports, [expected]);
    }
  });
});

describe('the output', () => {
  it('is logged line by line under the name of the hook', () => {
    const { lane, held, lines } = setUp();
    lane.run({ hook: 'up', term: 1 });
    held.last.request.onLine?.('hello');
    assert.deepEqual(lines, ['up: hello']);
  });

  it('is cut after 200 lines and 1000 characters, which is said once', () => {
    const { lane, held, lines } = setUp();
    lane.run({ hook: 'up', term: 1 });
    for (let n = 0; n < 5_000; n += 1) held.last.request.onLine?.('x'.repeat(5_000));
    assert.equal(lines.length, 201);
    assert.equal(lines[0]?.length, 'up: '.length + 1_000);
    assert.equal(lines[200], 'up: output cut after 200 lines');
  });

  it('is not called cut before it is', () => {
    const { lane, held, lines } = setUp();
    lane.run({ hook: 'up', term: 1 });
    for (let n = 0; n < 200; n += 1) held.last.request.onLine?.('x');
    assert.equal(lines.at(-1), 'up: x');
    held.last.request.onLine?.('x');
    assert.equal(lines.at(-1), 'up: output cut after 200 lines');
  });

  it('may be as long again in the next run', async () => {
    const { lane, held, lines } = setUp();
    lane.run({ hook: 'up', term: 1 });
    for (let n = 0; n < 300; n += 1) held.last.request.onLine?.('x');
    held.last.finish(EXITED_OK);
    await settle();
    lane.run({ hook: 'down', term: 2 });
    held.last.request.onLine?.('last words');
    assert.equal(lines.at(-1), 'down: last words');
  });
});

describe('a link that flaps under a slow hook', () => {
  it('skips hooks that undo each other, and runs the one for the final state', async () => {
    const { lane, held, reports, lines } = setUp();
    lane.run({ hook: 'up', term: 1 });
    for (let term = 2; term <= 40; term += 1) {
      lane.run({ hook: term % 2 === 0 ? 'down' : 'up', term });
    }
    lane.run({ hook: 'down', term: 41 });
    await settle();
    assert.ok(lines.length > 0, 'it is said');
    for (let n = 0; n < 50; n += 1) {
      held.last.finish(EXITED_OK);
      await settle();
    }
    assert.ok(held.started.length <= 9, 'the running one and at most eight');
    assert.equal(held.last.request.argv[0], '/etc/vip-down');
    const terms = reports.map((report) => report.term).sort((a, b) => a - b);
    assert.deepEqual(
      terms,
      Array.from({ length: 41 }, (_, index) => index + 1),
      'each request has one report',
    );
    const ran = reports.filter((report) => report.result.kind === 'ok');
    assert.equal(ran.at(-1)?.term, 41);
  });
});

describe('abandoning', () => {
  it('kills an up hook, skips what waits and what comes, and owes the down hook', async () => {
    const { lane, held, reports } = setUp();
    lane.run({ hook: 'up', term: 1 });
    lane.run({ hook: 'down', term: 1 });
    assert.equal(lane.abandon(), true);
    lane.run({ hook: 'up', term: 2 });
    assert.equal(held.last.killed, true);
    await settle();
    assert.equal(held.started.length, 1);
    const ends = reports.map((report) => `${String(report.term)} ${report.result.kind}`).sort();
    assert.deepEqual(ends, ['1 failed', '1 skipped', '2 skipped']);
  });

  it('lets a down hook go on, which is then owed no more', async () => {
    const { lane, held } = setUp();
    lane.run({ hook: 'up', term: 1 });
    held.last.finish(EXITED_OK);
    await settle();
    lane.run({ hook: 'down', term: 1 });
    assert.equal(lane.abandon(), false);
    assert.equal(held.last.killed, false);
  });

  it('owes a down hook between the hooks, and none before the first', async () => {
    const { lane, held } = setUp();
    lane.run({ hook: 'down', term: 0 });
    held.last.finish(EXITED_OK);
    await settle();
    lane.run({ hook: 'up', term: 1 });
    held.last.finish(EXITED_OK);
    await settle();
    assert.equal(lane.abandon(), true);
    assert.equal(setUp().lane.abandon(), false);
  });

  it('owes the down hook of a term without an up hook', () => {
    const { lane } = setUp({ up: [] });
    lane.run({ hook: 'up', term: 1 });
    assert.equal(lane.abandon(), true);
  });
});

describe('hookEnvironment', () => {
  it('is ours without what concerns this process alone', () => {
    const inherited = hookEnvironment({
      PATH: '/bin',
      HOME: '/root',
      LANG: undefined,
      IF_ADDRESS: '10.9.0.10',
      CARPD_PASSPHRASE: 'secret',
      CREDENTIALS_DIRECTORY: '/run/credentials/carpd.service',
      NOTIFY_SOCKET: '/run/systemd/notify',
      WATCHDOG_USEC: '10000000',
      LISTEN_FDS: '1',
      NODE_OPTIONS: '--inspect',
    });
    assert.deepEqual(inherited, { PATH: '/bin', HOME: '/root', IF_ADDRESS: '10.9.0.10' });
  });
});
