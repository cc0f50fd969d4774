// The small parts of the log: text lines, repeated lines, drops.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromSeconds, micros } from '../../../src/base/time.ts';
import type { DropReason } from '../../../src/carp/accept.ts';
import { DropLog } from '../../../src/daemon/drop-log.ts';
import type { EventOf } from '../../../src/daemon/events.ts';
import { RateLimit } from '../../../src/daemon/rate-limit.ts';
import { formatText } from '../../../src/daemon/text-format.ts';
import { recordingLogger } from '../../fakes/logger.ts';

describe('text lines', () => {
  test('show time, level, instance and message, and the other fields in brackets', () => {
    const json = JSON.stringify({
      level: 40,
      time: '2026-01-02T03:04:05.678Z',
      pid: 1,
      instance: 'db',
      event: 'transition',
      from: 'BACKUP',
      term: 2,
      msg: 'BACKUP -> MASTER',
    });
    const { line, plain, level } = formatText(json);
    assert.equal(plain, 'db: BACKUP -> MASTER [from=BACKUP term=2]');
    assert.equal(line, `2026-01-02T03:04:05.678Z WARN  ${plain}`);
    assert.equal(level, 40);
  });

  test('carry no control character of a hook or a peer', () => {
    const json = JSON.stringify({
      level: 30,
      time: 't',
      msg: 'a\u001b[2Jb\nc\u0085d',
      x: '\u0007',
    });
    assert.equal(formatText(json).plain, 'a?[2Jb?c?d [x=?]');
  });
});

describe('rate limit', () => {
  test('tells the first at once, and then how many it left unsaid', () => {
    const limit = new RateLimit(fromSeconds(10), 8);
    assert.deepEqual(limit.allow('a', micros(0)), { untold: 0 });
    assert.equal(limit.allow('a', fromSeconds(1)), undefined);
    assert.equal(limit.allow('a', fromSeconds(9)), undefined);
    assert.deepEqual(limit.allow('b', fromSeconds(9)), { untold: 0 });
    assert.deepEqual(limit.allow('a', fromSeconds(10)), { untold: 2 });
  });

  test('remembers no more keys than it may', () => {
    const limit = new RateLimit(fromSeconds(10), 2);
    for (const key of ['a', 'b', 'c']) limit.allow(key, micros(0));
    assert.equal(limit.allow('c', micros(1)), undefined);
    assert.deepEqual(limit.allow('a', micros(1)), { untold: 0 });
  });
});

describe('drop log', () => {
  const dropped = (
    reason: DropReason,
    rivalsMaster: boolean,
    { from = '10.0.0.9', vhid = 7 } = {},
  ): EventOf<'advert-rejected'> => ({
    event: 'advert-rejected',
    interface: 'eth0',
    reason,
    from,
    vhid,
    rivalsMaster,
  });

  test('warns of a wrong digest with the remedy, once a minute', () => {
    const { logger, lines } = recordingLogger();
    let now = micros(0);
    const drops = new DropLog('eth0', logger, () => now);
    for (let count = 0; count < 5; count += 1) drops.record(dropped('bad-digest', true));
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.level, 'warn');
    assert.match(lines[0].message, /10\.0\.0\.9.*two masters.*passphrase/);
    now = fromSeconds(60);
    drops.record(dropped('bad-digest', true));
    assert.equal(lines[1]?.fields['repeats'], 4);
  });

  test('tells again of a sender whose packets have come to mean a second master', () => {
    const { logger, lines } = recordingLogger();
    const drops = new DropLog('eth0', logger, () => micros(0));
    drops.record(dropped('bad-digest', false));
    drops.record(dropped('bad-digest', true));
    drops.record(dropped('bad-digest', true));
    assert.deepEqual(
      lines.map(({ message }) => message.includes('two masters')),
      [false, true],
    );
  });

  test('writes a bounded number of lines a minute, whatever addresses a flood bears', () => {
    const { logger, lines } = recordingLogger();
    let now = micros(0);
    const drops = new DropLog('eth0', logger, () => now);
    const flood = (): void => {
      for (let host = 1; host <= 200; host += 1) {
        drops.record(dropped('bad-ttl', true, { from: `10.0.1.${host}` }));
      }
    };
    flood();
    assert.equal(lines.length, 33);
    assert.match(lines.at(-1)?.message ?? '', /counted in silence/);
    now = fromSeconds(60);
    flood();
    assert.equal(lines.length, 66);
  });

  test('is quiet about other groups on the segment', () => {
    const { logger, lines } = recordingLogger();
    const drops = new DropLog('eth0', logger, () => micros(0));
    drops.record(dropped('unknown-vhid', true, { vhid: 9 }));
    drops.record(dropped('vrrp', true, { vhid: 51 }));
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['info', 'info'],
    );
  });
});
