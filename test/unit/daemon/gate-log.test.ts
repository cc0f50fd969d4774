// What an operator reads of a gate: each change once, reminders at their pace, and nothing else.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fromMillis, micros, plus, type Micros } from '../../../src/base/time.ts';
import { GateLog } from '../../../src/daemon/gate-log.ts';
import type { GateVerdict } from '../../../src/readiness/gate.ts';
import { recordingLogger, type LoggedLine } from '../../fakes/logger.ts';

const OPEN: GateVerdict = { open: true, by: 'proof', reasons: [], opensAt: undefined };
const CLOSED: GateVerdict = {
  open: false,
  by: undefined,
  reasons: ['no-frames'],
  opensAt: undefined,
};

describe('GateLog', () => {
  let now: Micros;
  let lines: LoggedLine[];
  let log: GateLog;
  const told = (): string[] => lines.splice(0).map(({ level, event }) => `${level} ${event}`);

  beforeEach(() => {
    now = micros(0);
    const recording = recordingLogger();
    lines = recording.lines;
    log = new GateLog(recording.logger, () => now);
  });

  test('tells what is missing and what would help, once', () => {
    log.changed(CLOSED, []);
    log.changed(CLOSED, []);
    const [line, ...more] = lines.splice(0);
    assert.deepEqual(more, []);
    assert.match(line?.message ?? '', /^no promotion: no data frame .*\(check that the switch/);
    assert.equal(line?.fields['reasons'], 'no-frames');
  });

  test('tells of other reasons, and when it opens', () => {
    log.changed(CLOSED, []);
    log.changed({ ...CLOSED, reasons: ['no-carrier'] }, []);
    assert.deepEqual(told(), ['info gate-closed', 'info gate-closed']);
    log.changed(OPEN, []);
    log.changed({ ...OPEN, reasons: ['no-frames'] }, []);
    assert.deepEqual(told(), ['info gate-opened']);
    log.changed(CLOSED, []);
    assert.deepEqual(told(), ['info gate-closed'], 'and closed again');
  });

  test('says when it will open by its time limit', () => {
    log.changed({ ...CLOSED, opensAt: fromMillis(1_500) }, []);
    assert.match(lines.splice(0)[0]?.message ?? '', /; possible in 1500 ms all the same$/);
  });

  test('reminds every 30 s, only while it is closed', () => {
    log.changed(CLOSED, []);
    told();
    now = fromMillis(29_999);
    log.remind();
    assert.deepEqual(told(), []);
    now = plus(now, fromMillis(1));
    log.remind();
    log.remind();
    assert.deepEqual(told(), ['warn gate-closed']);
    log.changed(OPEN, []);
    told();
    now = fromMillis(90_000);
    log.remind();
    assert.deepEqual(told(), []);
  });

  test('warns once of each thing, and again when it is back', () => {
    log.changed(OPEN, ['adverts-only-by-witness']);
    log.changed(OPEN, ['adverts-only-by-witness', 'vip-answered']);
    assert.deepEqual(told(), ['warn gate-warning', 'info gate-opened', 'warn gate-warning']);
    log.changed(OPEN, []);
    log.changed(OPEN, ['vip-answered']);
    assert.deepEqual(told(), ['warn gate-warning']);
  });

  test('tells of a doubt and of its end', () => {
    log.doubt('epoch-ended');
    log.doubt(undefined);
    assert.deepEqual(told(), ['warn doubt', 'info doubt']);
  });

  test('has nothing to remind of before the first verdict', () => {
    now = fromMillis(60_000);
    log.remind();
    assert.deepEqual(told(), []);
  });
});
