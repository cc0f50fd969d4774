// The ledger of one epoch, and answers that stand for LACP.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds, micros } from '../../../src/base/time.ts';
import {
  EvidenceLedger,
  type Evidence,
  type EvidenceKind,
} from '../../../src/readiness/evidence.ts';
import { LacpFallback } from '../../../src/readiness/lacp-fallback.ts';
import { GATEWAY, PEER, PEER_MAC } from '../../support/readiness-rig.ts';
import { address } from '../../support/packets.ts';

function piece(kind: EvidenceKind, at: number, epoch = 7, from = PEER): Evidence {
  const when = { at: micros(at), epoch };
  return kind === 'frame' ? { kind, from: PEER_MAC, ...when } : { kind, from, ...when };
}

describe('the ports of a bond by which evidence came in', () => {
  it('are known, of this epoch alone', () => {
    const ledger = new EvidenceLedger(2);
    const came = (port: number | undefined, epoch = 2): void =>
      void ledger.add({ kind: 'frame', from: PEER_MAC, at: micros(1), epoch, port });
    came(undefined);
    assert.deepEqual([...ledger.ports], []);
    came(11);
    came(10, 1);
    came(12);
    came(11);
    assert.deepEqual([...ledger.ports], [11, 12]);
  });
});

describe('a ledger', () => {
  it('proves nothing while it is empty', () => {
    const ledger = new EvidenceLedger(7);
    assert.equal(ledger.proved, false);
    assert.equal(ledger.answeredAt, undefined);
    assert.deepEqual(ledger.records(), []);
  });

  it('takes any kind of its own epoch', () => {
    for (const kind of ['advert', 'probe', 'frame'] as const) {
      const ledger = new EvidenceLedger(7);
      assert.equal(ledger.add(piece(kind, 1)), true);
      assert.equal(ledger.proved, true);
    }
  });

  it('takes nothing of another epoch, be it past or to come', () => {
    const ledger = new EvidenceLedger(7);
    for (const epoch of [0, 6, 8]) assert.equal(ledger.add(piece('probe', 1, epoch)), false);
    assert.equal(ledger.proved, false);
    assert.equal(ledger.answeredBy(PEER), false);
  });

  it('keeps the first and the latest of each kind, best kind first', () => {
    const ledger = new EvidenceLedger(7);
    ledger.add(piece('frame', 1));
    ledger.add(piece('probe', 2, 7, GATEWAY));
    ledger.add(piece('frame', 3));
    ledger.add(piece('advert', 4));
    ledger.add(piece('frame', 5));
    assert.deepEqual(ledger.records(), [
      { kind: 'advert', first: piece('advert', 4), latest: piece('advert', 4), count: 1 },
      {
        kind: 'probe',
        first: piece('probe', 2, 7, GATEWAY),
        latest: piece('probe', 2, 7, GATEWAY),
        count: 1,
      },
      { kind: 'frame', first: piece('frame', 1), latest: piece('frame', 5), count: 3 },
    ]);
  });

  it('knows who answered, and when the last one did', () => {
    const ledger = new EvidenceLedger(7);
    ledger.add(piece('probe', 2, 7, GATEWAY));
    ledger.add(piece('probe', 9, 7, PEER));
    ledger.add(piece('advert', 11, 7, address('10.9.0.30')));
    assert.equal(ledger.answeredAt, 9);
    assert.deepEqual(
      [GATEWAY, PEER, address('10.9.0.30')].map((address) => ledger.answeredBy(address)),
      [true, true, false],
    );
  });

  it('remembers 64 who answered', () => {
    const ledger = new EvidenceLedger(7);
    for (let host = 1; host <= 65; host += 1)
      ledger.add(piece('probe', host, 7, address(`10.9.1.${host}`)));
    assert.equal(ledger.answeredBy(address('10.9.1.64')), true);
    assert.equal(ledger.answeredBy(address('10.9.1.65')), false);
    assert.equal(ledger.answeredAt, 65);
  });
});

describe('answers in the place of LACP', () => {
  function answers(...seconds: readonly number[]): boolean {
    const fallback = new LacpFallback();
    fallback.masterHeard(PEER);
    for (const second of seconds) fallback.answered(PEER, fromSeconds(second));
    return fallback.met;
  }
  const seconds = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index);

  const table: readonly (readonly [string, readonly number[], boolean])[] = [
    ['none', [], false],
    ['one', [4], false],
    ['one a second for 10 s', seconds(4, 14), true],
    ['one a second for not quite 10 s', [...seconds(4, 13), 13.999999], false],
    ['with two lost in a row', [0, 3, 6, 9, 10], true],
    ['two, 10 s apart', [0, 10], false],
    ['with a hole', [0, 1, 2, 3, 4, 5, 8.1, 9, 10, 11], false],
    ['10 s of them after a hole', [0, 1, ...seconds(5, 15)], true],
    ['and then no more', [...seconds(0, 10), 60], true],
  ];
  for (const [what, when, met] of table) {
    it(`${what}: ${met ? 'met' : 'not met'}`, () => assert.equal(answers(...when), met));
  }

  it('come from masters where one was heard, and then from nobody else', () => {
    const fallback = new LacpFallback();
    for (const second of seconds(0, 9)) fallback.answered(GATEWAY, fromSeconds(second));
    assert.equal(fallback.answeredSince, fromSeconds(0));
    fallback.masterHeard(PEER);
    assert.equal(fallback.answeredSince, undefined);
    for (const second of seconds(10, 20)) fallback.answered(GATEWAY, fromSeconds(second));
    assert.equal(fallback.met, false);
    fallback.answered(PEER, fromSeconds(21));
    fallback.masterHeard(address('10.9.0.30'));
    assert.equal(fallback.answeredSince, fromSeconds(21));
    assert.deepEqual(fallback.masters, [PEER, address('10.9.0.30')]);
  });

  it('come from any station where no master was heard', () => {
    const fallback = new LacpFallback();
    for (const second of seconds(0, 9)) fallback.answered(GATEWAY, fromSeconds(second));
    assert.equal(fallback.met, false);
    fallback.answered(PEER, fromSeconds(10));
    assert.equal(fallback.met, true);
    fallback.masterHeard(address('10.9.0.30'));
    fallback.vipAnswered(fromSeconds(11));
    assert.equal(fallback.met, true, 'until the epoch ends');
  });

  it('come from no station as long as somebody answers for the virtual IP', () => {
    const fallback = new LacpFallback();
    for (const second of seconds(0, 20)) {
      fallback.answered(GATEWAY, fromSeconds(second));
      if (second % 3 === 0) fallback.vipAnswered(fromSeconds(second));
    }
    assert.deepEqual([fallback.met, fallback.answeredSince], [false, undefined]);
    for (const second of seconds(21, 31)) fallback.answered(GATEWAY, fromSeconds(second));
    assert.deepEqual([fallback.met, fallback.answeredSince], [false, fromSeconds(22)]);
    fallback.answered(GATEWAY, fromSeconds(32));
    assert.equal(fallback.met, true);
  });

  it('are waited for from sixteen masters at most', () => {
    const fallback = new LacpFallback();
    for (let host = 1; host <= 20; host += 1) fallback.masterHeard(address(`10.9.1.${host}`));
    assert.equal(fallback.masters.length, 16);
  });
});
