// What the service manager is told, and when it is told nothing.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setImmediate as aTurn } from 'node:timers/promises';
import { fromSeconds, micros, type Micros } from '../../../src/base/time.ts';
import { EventBus } from '../../../src/events/bus.ts';
import type { InstanceReport } from '../../../src/report/report.ts';
import { supervise, type Supervision } from '../../../src/process/systemd.ts';
import { nextTurn, startTimer } from '../../../src/linux/system/clock.ts';
import { unitStatus } from '../../../src/report/unit-status.ts';
import { LinkRig, PLAIN } from '../../support/readiness-rig.ts';
import { report } from '../../support/reports.ts';

const WATCHDOG_MS = 4_000;
const BEAT_MS = 1_000;

const master = report(LinkRig.waiting(), { state: 'MASTER' });
const held = report(LinkRig.waiting({}, { ...PLAIN, lower: { kind: 'unseen' } }), {
  state: 'HELD',
});

describe('a supervised daemon', () => {
  let told: Readonly<Record<string, string>>[];
  let instances: readonly InstanceReport[];
  let turn: () => Promise<Micros>;
  let events: EventBus;
  let supervision: Supervision;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    told = [];
    instances = [held];
    turn = () => Promise.resolve(micros(0));
    events = new EventBus((error) => ok(false, String(error)));
    supervision = supervise({
      ...{ startTimer, nextTurn },
      manager: { watchdogMs: WATCHDOG_MS, notify: (variables) => void told.push(variables) },
      events,
      now: () => micros(7),
      reports: () => instances,
      turn: () => turn(),
    });
  });

  afterEach(() => {
    supervision.end();
    mock.timers.reset();
  });

  async function beat(): Promise<void> {
    mock.timers.tick(BEAT_MS);
    await aTurn();
  }

  const started = (): void => events.publish({ event: 'daemon-started', instances: 1 });

  test('is ready when it has started, master or not, and says why it is held', () => {
    deepEqual(told, []);
    started();
    deepEqual(told, [{ READY: '1', STATUS: 'db HELD (no-frames, bond-unseen)' }]);
  });

  test('tells of a change once, and of nothing that does not show', async () => {
    started();
    told.length = 0;
    events.publish({ event: 'link-proved', interface: 'bond0', heldMs: 1, by: null, from: null });
    await aTurn();
    deepEqual(told, []);
    instances = [master];
    events.publish({ event: 'link-unproved', interface: 'bond0', reasons: [] });
    events.publish({ event: 'link-unproved', interface: 'bond0', reasons: [] });
    await aTurn();
    deepEqual(told, [{ STATUS: 'db MASTER (no-frames)' }]);
  });

  test('feeds the watchdog for as long as the loop does its work, and not otherwise', async () => {
    await beat();
    await beat();
    deepEqual(told, [{ WATCHDOG: '1' }, { WATCHDOG: '1' }]);
    // It turns, but lets its deadlines pass.
    turn = () => Promise.resolve(fromSeconds(3));
    await beat();
    equal(told.length, 2);
    // It does not come to an end.
    turn = () => new Promise(() => undefined);
    await beat();
    turn = () => Promise.resolve(micros(0));
    await beat();
    equal(told.length, 2);
  });

  test('a reload is begun and ended, also by a rejection, which stays in the status', () => {
    started();
    told.length = 0;
    events.publish({ event: 'signal-received', signal: 'SIGHUP', meaning: '' });
    events.publish({ event: 'configuration-rejected', detail: 'a fault' });
    deepEqual(told[0], { RELOADING: '1', MONOTONIC_USEC: '7' });
    equal(told[1]?.['READY'], '1');
    match(told[1]['STATUS'] ?? '', /^RELOAD REFUSED: a fault\. db HELD/);
    const names = {
      added: [],
      changed: [],
      restarted: [],
      refused: [],
      removed: [],
      unchanged: [],
    };
    events.publish({ event: 'configuration-reloaded', ...names });
    match(told[2]?.['STATUS'] ?? '', /^db HELD/);
  });

  test('a stop is told, and gets more time for as long as the loop works at it', async () => {
    started();
    events.publish({ event: 'daemon-stopping', why: 'SIGTERM' });
    deepEqual(told.at(-1), { STOPPING: '1', STATUS: 'stopping: SIGTERM' });
    await beat();
    deepEqual(told.at(-1), { EXTEND_TIMEOUT_USEC: '15000000' });
    turn = () => Promise.resolve(fromSeconds(3));
    const before = told.length;
    await beat();
    equal(told.length, before);
  });
});

describe('the status line', () => {
  test('names as many instances as fit', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ ...held, name: `vip-${index}` }));
    const text = unitStatus(many);
    match(text, /^vip-0 HELD \(no-frames, bond-unseen\), vip-1 HELD .* and 34 more: carpd status$/);
    ok(text.length < 300, text);
    equal(unitStatus([{ ...held, name: 'x'.repeat(500) }]).slice(-6), 'unseen)'.slice(-6));
  });

  test('shows the reason of an interface that can not be used', () => {
    const fault = 'eth9: there is none. Add it';
    const absent = report(new LinkRig(), { state: 'INIT', watched: false, fault });
    equal(unitStatus([absent, master]), `db INIT (${fault}), db MASTER (no-frames)`);
  });
});
