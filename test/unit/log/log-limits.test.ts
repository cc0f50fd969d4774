// How many lines a storm of events leaves in the log, and that the last of them says how it stands.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { formatIpv4, ipv4 } from '../../../src/base/addresses.ts';
import {
  definitionOf,
  EVENT_NAMES,
  type DomainEvent,
  type EventName,
  type EventOf,
} from '../../../src/events/events.ts';
import { EventLog } from '../../../src/log/event-log.ts';
import { DEFAULT_QUOTA } from '../../../src/log/log-line.ts';
import { LineQuotas, pendingLine } from '../../../src/log/line-quota.ts';
import { fromSeconds, micros, toSeconds } from '../../../src/base/time.ts';
import { recordingLogger, type LoggedLine } from '../../fakes/logger.ts';
import { EVENT_SAMPLES } from '../../support/events.ts';
import { FakeTime } from '../vip/fakes.ts';

const { transition } = EVENT_SAMPLES;
const UP: DomainEvent = { ...transition, from: 'BACKUP', to: 'MASTER' };
const DOWN: DomainEvent = { ...transition, from: 'MASTER', to: 'HELD', cause: 'carrier-lost' };

/** Ends the log, so that it can't be told of several times. */
const ENDS: ReadonlySet<EventName> = new Set(['daemon-stopped', 'daemon-failed']);
/** Told in any case, and once. */
const ALWAYS: ReadonlySet<EventName> = new Set(['vip-left-behind']);

let time: FakeTime;
let lines: LoggedLine[];
let log: EventLog;

beforeEach(() => {
  time = new FakeTime();
  const recording = recordingLogger();
  lines = recording.lines;
  log = new EventLog(recording.logger, time.clock, time.startTimer);
});

function standsFor(told: readonly LoggedLine[]): number {
  return told.reduce((sum, { fields }) => sum + 1 + Number(fields['repeats'] ?? 0), 0);
}

async function often(event: (n: number) => DomainEvent, count: number, eachMs: number) {
  for (let n = 0; n < count; n += 1) {
    log.log(event(n));
    await time.advance(eachMs);
  }
}

describe('a storm', () => {
  for (const name of EVENT_NAMES.filter((one) => !ENDS.has(one) && !ALWAYS.has(one))) {
    test(`of ${name} leaves few lines, and none of it is lost`, async () => {
      const event = EVENT_SAMPLES[name];
      log.log(event);
      const logged = lines.length;
      const { burst, refill } = definitionOf(name).quota ?? DEFAULT_QUOTA;
      lines.length = 0;
      await time.advance(3_600_000);
      const count = burst * 4;
      await often(() => event, count, 1);
      assert.ok(lines.length <= burst + 1 + (count * 1_000) / refill, `${lines.length} lines`);
      await time.advance(3_600_000);
      assert.equal(standsFor(lines), logged * count);
      assert.equal(time.pending, 0);
    });
  }

  test('of 200 flaps leaves few lines, the last of which says how it stands', async () => {
    await often((n) => (n % 2 === 0 ? DOWN : UP), 400, 250);
    await time.advance(60_000);
    assert.ok(lines.length <= 17, `${lines.length} lines`);
    assert.equal(lines.at(-1)?.fields['to'], 'MASTER');
    assert.equal(standsFor(lines), 400);
  });

  test('is told of at once, and its end within a refill', async () => {
    await often((n) => (n % 2 === 0 ? DOWN : UP), 12, 10);
    assert.equal(lines.length, 10);
    await time.advance(toSeconds(DEFAULT_QUOTA.refill) * 1_000);
    assert.equal(lines.length, 11);
    const last = lines.at(-1);
    assert.match(last?.message ?? '', /1 more of this kind was left out within \d+ s; it happened/);
    assert.deepEqual([last?.fields['repeats'], last?.fields['to']], [1, 'MASTER']);
    assert.equal(last?.fields['toldAfterMs'], 19_890);
  });

  test('keeps its own facts where it is told later: how late a process woke', async () => {
    const wake = (lateMs: number): DomainEvent => ({ event: 'late-wake', lateMs });
    log.log(wake(700));
    log.log(wake(89));
    await time.advance(60_000);
    const last = lines.at(-1);
    assert.match(last?.message ?? '', /^woke 89 ms late: .* it happened \d+ s ago$/);
    assert.equal(last?.fields['lateMs'], 89);
  });

  test('does not hide what others have to say', () => {
    for (let n = 0; n < 100; n += 1) log.log(UP);
    lines.length = 0;
    log.log({ ...UP, name: 'web' });
    log.log(EVENT_SAMPLES.doubt);
    assert.deepEqual(
      lines.map(({ instance, event }) => `${instance ?? ''} ${event}`),
      ['web transition', 'db doubt'],
    );
  });

  test('is told to its end when the daemon stops', () => {
    for (let n = 0; n < 15; n += 1) log.log(n % 2 === 0 ? UP : DOWN);
    log.log(EVENT_SAMPLES['daemon-stopped']);
    assert.deepEqual(
      lines.slice(-2).map(({ event, fields }) => `${event} ${String(fields['to'] ?? '')}`),
      ['transition MASTER', 'daemon-stopped '],
    );
    assert.equal(standsFor(lines), 16);
    assert.equal(time.pending, 0);
  });

  test('does not hold back what must be done at once', () => {
    const failed = EVENT_SAMPLES['vip-failed'];
    for (let n = 0; n < 50; n += 1) log.log(failed);
    log.log(EVENT_SAMPLES['vip-left-behind']);
    assert.match(lines.at(-1)?.message ?? '', /Do it now/);
  });
});

describe('what the network can cause', () => {
  const conflict = (n: number): DomainEvent => ({ ...EVENT_SAMPLES.conflict, peer: address(n) });

  test('is no more for forged addresses: 6,000 replayed adverts', async () => {
    await often(conflict, 6_000, 10);
    await time.advance(60_000);
    assert.ok(lines.length <= 14, `${lines.length} lines`);
    assert.equal(standsFor(lines), 6_000);
  });

  test('is no more for forged packets that are dropped', async () => {
    await often((n) => dropped('bad-ttl', true, { from: address(n) }), 6_000, 10);
    await time.advance(60_000);
    assert.ok(lines.length <= 7, `${lines.length} lines`);
    assert.equal(standsFor(lines), 6_000);
  });

  test('does not hide one reason behind another', () => {
    for (let n = 0; n < 100; n += 1) log.log(dropped('vrrp', false, { from: address(n) }));
    for (let n = 0; n < 100; n += 1) log.log(dropped('bad-digest', false, { from: address(n) }));
    log.log(dropped('bad-digest', true));
    assert.deepEqual(
      lines.map(({ fields }) => fields['reason']),
      // Of another group one line will do, whoever speaks for it.
      ['vrrp', 'bad-digest', 'bad-digest', 'bad-digest', 'bad-digest'],
    );
    assert.match(lines.at(-1)?.message ?? '', /two masters/);
  });
});

describe('a packet that was dropped', () => {
  test('is warned of with the remedy, once a minute for each sender', async () => {
    for (let count = 0; count < 5; count += 1) log.log(dropped('bad-digest', true));
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.level, 'warn');
    assert.match(lines[0].message, /10\.0\.0\.9.*two masters.*passphrase/);
    await time.advance(60_000);
    assert.equal(lines[1]?.fields['repeats'], 3);
    assert.equal(lines.length, 2);
  });

  test('is told of again when it has come to mean a second master', () => {
    for (const rivals of [false, true, true]) log.log(dropped('bad-digest', rivals));
    assert.deepEqual(
      lines.map(({ message }) => message.includes('two masters')),
      [false, true],
    );
  });

  test('is told of once where it is of another group, and then counted', async () => {
    await often((n) => dropped('unknown-vhid', false, { vhid: 9, from: address(n) }), 600, 1_000);
    assert.equal(lines.length, 1);
    log.log(EVENT_SAMPLES['daemon-stopped']);
    assert.equal(lines[1]?.fields['repeats'], 598);
  });

  test('is told of once for each of many other groups', async () => {
    const of = (n: number) => dropped('unknown-vhid', false, { vhid: 100 + (n % 12) });
    await often(of, 6_000, 100);
    const groups = lines.map(({ fields }) => fields['vhid']);
    assert.equal(groups.length, 12, groups.join(' '));
    assert.equal(new Set(groups).size, 12, groups.join(' '));
    // A wrong passphrase is told of at once all the same.
    log.log(dropped('bad-digest', true));
    assert.equal(lines.at(-1)?.fields['reason'], 'bad-digest');
  });

  test('is no alarm where it is of another group on the segment', () => {
    log.log(dropped('unknown-vhid', true, { vhid: 9 }));
    log.log(dropped('vrrp', true, { vhid: 51 }));
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['info', 'info'],
    );
  });
});

describe('a quota', () => {
  const QUOTA = { burst: 2, refill: fromSeconds(10) };

  test('gives a token back after each refill, and no more than the burst', () => {
    const quotas = new LineQuotas<number>(8);
    const at = (second: number): boolean => {
      const now = fromSeconds(second);
      return quotas.admit('a', QUOTA, pendingLine(second, now), now).passed !== undefined;
    };
    assert.deepEqual([0, 1, 2, 10, 11, 100, 101, 102].map(at), [
      true,
      true,
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  test('remembers no more keys than it may', () => {
    const quotas = new LineQuotas<string>(2);
    const one = { burst: 1, refill: fromSeconds(10) };
    for (const key of ['a', 'b', 'c'])
      quotas.admit(key, one, pendingLine(key, micros(0)), micros(0));
    assert.equal(quotas.hasRoom('c', micros(1)), false);
    assert.equal(quotas.hasRoom('a', micros(1)), true);
  });
});

function address(n: number): string {
  return formatIpv4(ipv4(0x0a000100 + n));
}

function dropped(
  reason: EventOf<'advert-rejected'>['reason'],
  rivalsMaster: boolean,
  { from = '10.0.0.9', vhid = 7 } = {},
): EventOf<'advert-rejected'> {
  return { event: 'advert-rejected', interface: 'eth0', reason, from, vhid, rivalsMaster };
}
