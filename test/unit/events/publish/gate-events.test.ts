// What an operator reads of a gate: each change once, reminders at their pace, and nothing else.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fromMillis, fromSeconds, micros, plus, type Micros } from '../../../../src/base/time.ts';
import { EventLog } from '../../../../src/log/event-log.ts';
import type { HeldReason } from '../../../../src/events/catalogue/election.ts';
import type { InstanceEventFields } from '../../../../src/events/events.ts';
import { GateEvents, type Standing } from '../../../../src/events/publish/gate-events.ts';
import type { GateVerdict } from '../../../../src/readiness/gate.ts';
import { recordingLogger, type LoggedLine } from '../../../fakes/logger.ts';

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
  policy: 'hold',
};

describe('GateEvents, as the log shows it', () => {
  let now: Micros;
  let lines: LoggedLine[];
  let instanceEvents: GateEvents;
  const told = (): string[] => lines.splice(0).map(({ level, event }) => `${level} ${event}`);

  beforeEach(() => {
    now = micros(0);
    const recording = recordingLogger();
    lines = recording.lines;
    const log = new EventLog(
      recording.logger,
      () => now,
      () => () => undefined,
    );
    const identity = { name: 'db', interface: 'eth0', vhid: 7, vip: '10.0.0.100' };
    instanceEvents = new GateEvents(
      (news) => log.log({ ...news, ...identity }),
      () => now,
    );
  });

  test('tells what is missing and what would help, once', () => {
    instanceEvents.changed(CLOSED, [], undefined);
    instanceEvents.changed(CLOSED, [], undefined);
    const [line, ...more] = lines.splice(0);
    assert.deepEqual(more, []);
    assert.match(
      line?.message ?? '',
      /^cannot become master: no data frame .*\(check that the switch/,
    );
    assert.equal(line?.fields['reasons'], 'no-frames');
  });

  test('tells a master nothing of a gate that it has passed', () => {
    instanceEvents.changed(OPEN, [], undefined);
    assert.deepEqual(told(), ['info gate-opened']);
    instanceEvents.changed(CLOSED, [], undefined, true);
    instanceEvents.changed(OPEN, [], undefined, true);
    assert.deepEqual(told(), []);
    instanceEvents.changed(CLOSED, [], undefined);
    assert.deepEqual(told(), ['info gate-closed'], 'it is held now');
  });

  test('tells of other reasons, and when it opens', () => {
    instanceEvents.changed(CLOSED, [], undefined);
    instanceEvents.changed({ ...CLOSED, reasons: ['no-carrier'] }, [], undefined);
    assert.deepEqual(told(), ['info gate-closed', 'info gate-closed']);
    instanceEvents.changed(OPEN, [], undefined);
    instanceEvents.changed({ ...OPEN, reasons: ['no-frames'] }, [], undefined);
    assert.deepEqual(told(), ['info gate-opened']);
    instanceEvents.changed(CLOSED, [], undefined);
    assert.deepEqual(told(), ['info gate-closed'], 'and closed again');
  });

  test('says when it will open by its time limit', () => {
    instanceEvents.changed({ ...CLOSED, opensAt: fromMillis(1_500) }, [], undefined);
    assert.match(lines.splice(0)[0]?.message ?? '', /; it can without proof in 1500 ms$/);
  });

  test('reminds every 30 s, only while it is closed', () => {
    instanceEvents.changed(CLOSED, [], undefined);
    told();
    now = fromMillis(29_999);
    instanceEvents.tick(HELD);
    assert.deepEqual(told(), []);
    now = plus(now, fromMillis(1));
    instanceEvents.tick(HELD);
    instanceEvents.tick(HELD);
    assert.deepEqual(told(), ['warn gate-still-closed']);
    instanceEvents.changed(OPEN, [], undefined);
    told();
    now = fromMillis(90_000);
    instanceEvents.tick(HELD);
    assert.deepEqual(told(), []);
  });

  test('warns once of each thing, and again when it is back', () => {
    instanceEvents.changed(OPEN, ['adverts-only-by-witness'], undefined);
    instanceEvents.changed(OPEN, ['adverts-only-by-witness', 'vip-answered'], undefined);
    assert.deepEqual(told(), ['warn gate-warning', 'info gate-opened', 'warn gate-warning']);
    instanceEvents.changed(OPEN, [], undefined);
    instanceEvents.changed(OPEN, ['vip-answered'], undefined);
    assert.deepEqual(told(), ['warn gate-warning']);
  });

  test('has nothing to remind of before the first verdict', () => {
    now = fromMillis(60_000);
    instanceEvents.tick(HELD);
    assert.deepEqual(told(), []);
  });
});

describe('promotions that are held off', () => {
  const election = {
    state: 'HELD',
    stateSince: fromSeconds(10),
    holdReasons: ['gate-closed'],
  } as const;
  const standing: Standing = { ...HELD, election };
  let now: Micros;
  let news: InstanceEventFields[];
  let instanceEvents: GateEvents;
  const held = (): HeldReason[] =>
    news.splice(0).flatMap((one) => (one.event === 'promotion-held' ? one.reason : []));
  const tickAt = (seconds: number, changes: Partial<Standing> = {}): HeldReason[] => {
    now = fromSeconds(seconds);
    instanceEvents.tick({ ...standing, ...changes });
    return held();
  };

  beforeEach(() => {
    now = fromSeconds(10);
    news = [];
    instanceEvents = new GateEvents(
      (one) => void news.push(one),
      () => now,
    );
    instanceEvents.changed(CLOSED, [], undefined);
  });

  test('are told once a dead interval after the node could have begun to wait', () => {
    assert.deepEqual(tickAt(12.9), []);
    assert.deepEqual(tickAt(13), ['no-frames']);
    assert.deepEqual(tickAt(14), []);
  });

  test('are told for each reason, whatever it is', () => {
    instanceEvents.changed({ ...CLOSED, reasons: ['no-partner', 'no-frames'] }, [], undefined);
    const holdReasons = ['gate-closed', 'maintenance'] as const;
    assert.deepEqual(tickAt(13, { election: { ...election, holdReasons } }), [
      'no-partner',
      'no-frames',
      'maintenance',
    ]);
    instanceEvents.changed(OPEN, [], undefined);
    const failed = { ...election, holdReasons: ['vip-failed'] } as const;
    assert.deepEqual(tickAt(14, { election: failed }), ['vip-failed']);
  });

  test('are told without what only follows from missing carrier', () => {
    instanceEvents.changed({ ...CLOSED, reasons: ['no-carrier', 'no-frames'] }, [], undefined);
    const holdReasons = ['gate-closed', 'carrier-lost'] as const;
    assert.deepEqual(tickAt(13, { election: { ...election, holdReasons } }), ['no-carrier']);
  });

  test('are told without what a gate that is off overrides', () => {
    instanceEvents.changed({ ...CLOSED, reasons: ['no-frames', 'vip-in-use'] }, [], undefined);
    assert.deepEqual(tickAt(13, { policy: 'off' }), ['vip-in-use']);
  });

  test('count from the last advert of a master that fell silent', () => {
    const before = 'BACKUP';
    assert.deepEqual(tickAt(10.5, { before, heardAt: fromSeconds(7) }), ['no-frames']);
    assert.deepEqual(tickAt(11, { before, heardAt: fromSeconds(10.9) }), [], 'it is heard again');
    assert.deepEqual(tickAt(14, { before, heardAt: fromSeconds(10.9) }), ['no-frames']);
  });

  test('do not count from what a master heard long ago', () => {
    assert.deepEqual(tickAt(12, { before: 'MASTER', heardAt: fromSeconds(2) }), []);
    assert.deepEqual(tickAt(13, { before: 'MASTER', heardAt: fromSeconds(2) }), ['no-frames']);
  });

  test('are told again when the node was held in between for another time', () => {
    assert.deepEqual(tickAt(13), ['no-frames']);
    assert.deepEqual(tickAt(14, { election: { ...election, state: 'BACKUP' } }), []);
    assert.deepEqual(tickAt(15), ['no-frames']);
  });
});

describe('a virtual IP in use', () => {
  const mac = '02:00:00:00:00:09';
  let now: Micros;
  let news: InstanceEventFields[];
  let instanceEvents: GateEvents;
  const told = (): readonly InstanceEventFields[] =>
    news.splice(0).filter(({ event }) => event === 'vip-in-use' || event === 'gate-closed');
  const tickAt = (seconds: number): readonly InstanceEventFields[] => {
    now = fromSeconds(seconds);
    const election = { state: 'HELD', stateSince: fromSeconds(10), holdReasons: [] } as const;
    instanceEvents.tick({ ...HELD, election });
    return told();
  };

  beforeEach(() => {
    now = fromSeconds(10);
    news = [];
    instanceEvents = new GateEvents(
      (one) => void news.push(one),
      () => now,
    );
  });

  test('is told of when a promotion would be due, and no sooner', () => {
    instanceEvents.changed({ ...CLOSED, reasons: ['no-frames', 'vip-in-use'] }, [], mac);
    const closed = { event: 'gate-closed', opensInMs: null } as const;
    assert.deepEqual(told(), [{ ...closed, reasons: ['no-frames'] }]);
    instanceEvents.changed({ ...CLOSED, reasons: ['vip-in-use'] }, [], mac);
    assert.deepEqual(tickAt(12.9), []);
    assert.deepEqual(tickAt(13), [
      { event: 'vip-in-use', mac, holdsOff: true },
      { ...closed, reasons: ['vip-in-use'] },
    ]);
    assert.deepEqual(tickAt(14), [], 'and once');
    instanceEvents.changed({ ...CLOSED, reasons: ['no-frames', 'vip-in-use'] }, [], mac);
    assert.deepEqual(told(), [{ ...closed, reasons: ['no-frames', 'vip-in-use'] }]);
  });

  test('is not told of where its master is heard in time', () => {
    instanceEvents.changed({ ...CLOSED, reasons: ['vip-in-use'] }, [], mac);
    instanceEvents.changed(OPEN, [], undefined);
    assert.deepEqual([...told(), ...tickAt(14)], []);
  });

  test('of a master that fell silent is told of at once: the promotion follows', () => {
    instanceEvents.changed(OPEN, ['vip-answered'], mac);
    instanceEvents.changed(OPEN, ['vip-answered'], mac);
    assert.deepEqual(told(), [{ event: 'vip-in-use', mac, holdsOff: false }]);
    instanceEvents.changed(OPEN, [], undefined);
    instanceEvents.changed(OPEN, ['vip-answered'], undefined);
    assert.deepEqual(told(), [{ event: 'vip-in-use', mac: null, holdsOff: false }]);
  });
});
