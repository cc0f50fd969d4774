// What an operator reads of a gate: each change once, reminders at their pace, and nothing else.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fromMillis, fromSeconds, micros, plus, type Micros } from '../../../src/base/time.ts';
import { EventLog } from '../../../src/daemon/event-log.ts';
import { GateHerald, type Standing } from '../../../src/daemon/gate-herald.ts';
import type { GateVerdict } from '../../../src/readiness/gate.ts';
import { recordingLogger, type LoggedLine } from '../../fakes/logger.ts';

const OPEN: GateVerdict = { open: true, by: 'proof', reasons: [], opensAt: undefined };
const CLOSED: GateVerdict = {
  open: false,
  by: undefined,
  reasons: ['no-frames'],
  opensAt: undefined,
};

/** Held for so short a time that no promotion is held off yet. */
const HELD: Standing = {
  election: { state: 'HELD', stateSince: fromSeconds(1_000), holdReasons: ['gate-closed'] },
  before: 'INIT',
  heardAt: undefined,
  deadInterval: fromSeconds(3),
};

describe('GateHerald, as the log shows it', () => {
  let now: Micros;
  let lines: LoggedLine[];
  let herald: GateHerald;
  const told = (): string[] => lines.splice(0).map(({ level, event }) => `${level} ${event}`);

  beforeEach(() => {
    now = micros(0);
    const recording = recordingLogger();
    lines = recording.lines;
    const log = new EventLog(recording.logger, () => now);
    const identity = { name: 'db', interface: 'eth0', vhid: 7, vip: '10.0.0.100' };
    herald = new GateHerald(
      (news) => log.tell({ ...news, ...identity }),
      () => now,
    );
  });

  test('tells what is missing and what would help, once', () => {
    herald.changed(CLOSED, [], undefined);
    herald.changed(CLOSED, [], undefined);
    const [line, ...more] = lines.splice(0);
    assert.deepEqual(more, []);
    assert.match(line?.message ?? '', /^no promotion: no data frame .*\(check that the switch/);
    assert.equal(line?.fields['reasons'], 'no-frames');
  });

  test('tells of other reasons, and when it opens', () => {
    herald.changed(CLOSED, [], undefined);
    herald.changed({ ...CLOSED, reasons: ['no-carrier'] }, [], undefined);
    assert.deepEqual(told(), ['info gate-closed', 'info gate-closed']);
    herald.changed(OPEN, [], undefined);
    herald.changed({ ...OPEN, reasons: ['no-frames'] }, [], undefined);
    assert.deepEqual(told(), ['info gate-opened']);
    herald.changed(CLOSED, [], undefined);
    assert.deepEqual(told(), ['info gate-closed'], 'and closed again');
  });

  test('says when it will open by its time limit', () => {
    herald.changed({ ...CLOSED, opensAt: fromMillis(1_500) }, [], undefined);
    assert.match(lines.splice(0)[0]?.message ?? '', /; possible in 1500 ms all the same$/);
  });

  test('reminds every 30 s, only while it is closed', () => {
    herald.changed(CLOSED, [], undefined);
    told();
    now = fromMillis(29_999);
    herald.tick(HELD);
    assert.deepEqual(told(), []);
    now = plus(now, fromMillis(1));
    herald.tick(HELD);
    herald.tick(HELD);
    assert.deepEqual(told(), ['warn gate-closed']);
    herald.changed(OPEN, [], undefined);
    told();
    now = fromMillis(90_000);
    herald.tick(HELD);
    assert.deepEqual(told(), []);
  });

  test('warns once of each thing, and again when it is back', () => {
    herald.changed(OPEN, ['adverts-only-by-witness'], undefined);
    herald.changed(OPEN, ['adverts-only-by-witness', 'vip-answered'], undefined);
    assert.deepEqual(told(), ['warn gate-warning', 'info gate-opened', 'warn gate-warning']);
    herald.changed(OPEN, [], undefined);
    herald.changed(OPEN, ['vip-answered'], undefined);
    assert.deepEqual(told(), ['warn gate-warning']);
  });

  test('has nothing to remind of before the first verdict', () => {
    now = fromMillis(60_000);
    herald.tick(HELD);
    assert.deepEqual(told(), []);
  });
});
