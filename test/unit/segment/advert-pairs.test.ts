// Two ears, one delivery: which of them counts, in every order in which they may hear, however late
// either is read, and with masters whose adverts are all alike.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fromMillis, plus } from '../../../src/base/time.ts';
import { BAD, copyOf, GRACE_MS, TwoEars } from '../../support/two-ears.ts';

describe('the two copies of an advert', () => {
  let ears: TwoEars;

  beforeEach(() => {
    ears = new TwoEars();
  });

  test('what only the socket hears is delivered at once', () => {
    ears.heard(1);
    assert.deepEqual(ears.delivered, ['1 by socket in 1']);
    assert.equal(ears.pairs.deadline, undefined);
  });

  test('what both hear is delivered once, whichever is read first, however late', () => {
    ears.arrives(1);
    ears.readWitness();
    ears.readSocket();
    ears.arrives(2);
    ears.readSocket();
    ears.readWitness();
    ears.arrives(3);
    ears.readWitness();
    // The process stands still, and the socket was not read so far.
    ears.now = plus(ears.now, fromMillis(5_000));
    ears.pass(5_000);
    const once = [1, 2, 3].map((counter) => `${String(counter)} by socket in 1, from outside`);
    assert.deepEqual(ears.delivered, once);
  });

  test('what only the witness sees is delivered after a moment', () => {
    ears.witnessed(1, 3);
    ears.pass(GRACE_MS - 1);
    assert.deepEqual(ears.delivered, []);
    ears.pass(1);
    assert.deepEqual(ears.delivered, ['1 by witness in 3, from outside']);
    ears.witnessed(2, 3);
    ears.pass(30);
    ears.witnessed(3, 3);
    ears.pass(20);
    assert.equal(ears.delivered.length, 2);
    ears.pass(30);
    assert.equal(ears.delivered.length, 3);
  });

  describe('a copy that is late, behind what fills its queue', () => {
    beforeEach(() => ears.pairs.witnessCovers(true));

    for (const late of [60, 400, 600, 1_500, 2_900, 3_000]) {
      test(`in the socket by ${String(late)} ms: it is not delivered again`, () => {
        ears.arriveAt([0, 1, 'witness'], [late, 1, 'socket'], [late + 10, 2, 'socket']);
        assert.deepEqual(ears.delivered, [
          '1 by witness in 1, from outside',
          '2 by socket in 1, from a guest',
        ]);
      });

      test(`in the witness by ${String(late)} ms: it is not delivered again`, () => {
        ears.arriveAt([0, 1, 'socket'], [late, 1, 'witness'], [late + 10, 2, 'witness']);
        assert.deepEqual(ears.delivered, [
          '1 by socket in 1, from a guest',
          '2 by witness in 1, from outside',
        ]);
      });
    }

    // None of these comes together with the copy of a later advert, which would look on time.
    for (const late of [60, 400, 600, 1_500, 2_900]) {
      for (const by of ['socket', 'witness'] as const) {
        test(`in the ${by} by ${String(late)} ms, of adverts all alike: each counts once`, () => {
          const first = by === 'socket' ? 'witness' : 'socket';
          const seconds = [0, 1, 2, 3, 4, 5, 6].map((second) => second * 1_000);
          ears.arriveAt(
            ...seconds.map((at) => [at, 9, first] as const),
            ...seconds.map((at) => [at + late, 9, by] as const),
          );
          assert.equal(ears.delivered.length, 7);
        });
      }
    }

    test('is not taken for one that is sent again: that counts for each ear', () => {
      const copies = [
        [0, 1, 'witness'],
        [600, 1, 'witness'],
        [800, 1, 'socket'],
        [1_400, 1, 'socket'],
        [2_000, 1, 'socket'],
      ] as const;
      ears.arriveAt(...copies);
      assert.equal(ears.delivered.length, 3);
    });

    test('is not waited for longer than a queue can hold it', () => {
      ears.arriveAt([0, 1, 'witness'], [6_000, 1, 'socket'], [12_000, 1, 'witness']);
      assert.equal(ears.delivered.length, 3);
    });
  });

  describe('a master whose adverts are all alike (OpenBSD)', () => {
    test('is heard by the witness once a firewall keeps it from the socket', () => {
      for (let second = 0; second < 3; second += 1) {
        ears.arrives(9);
        ears.readSocket();
        ears.readWitness();
        ears.pass(1_000);
      }
      for (let second = 0; second < 3; second += 1) {
        ears.arrives(9, 'witness');
        ears.readWitness();
        ears.pass(1_000);
      }
      const fromSocket = Array<string>(3).fill('9 by socket in 1, from outside');
      const fromWitness = Array<string>(3).fill('9 by witness in 1, from outside');
      assert.deepEqual(ears.delivered, [...fromSocket, ...fromWitness]);
    });

    test('is heard by the socket again without a gap when the firewall is gone', () => {
      ears.arrives(9, 'witness');
      ears.readWitness();
      ears.pass(1_000);
      ears.arrives(9);
      ears.readWitness();
      ears.readSocket();
      assert.deepEqual(ears.delivered.length, 2);
    });

    test('is heard by the socket alone without a gap when the witness closes', () => {
      ears.pairs.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        ears.arrives(9, 'witness');
        ears.readWitness();
        ears.pass(1_000);
      }
      ears.arrives(9);
      ears.readSocket();
      ears.pass(1_000);
      ears.pairs.witnessCovers(false);
      ears.delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        ears.arrives(9, 'socket');
        ears.readSocket();
        ears.pass(1_000);
      }
      assert.equal(ears.delivered.length, 3);
    });

    test('loses one advert at most where the witness closes before the socket hears it', () => {
      ears.pairs.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        ears.arrives(9, 'witness');
        ears.readWitness();
        ears.pass(1_000);
      }
      ears.pairs.witnessCovers(false);
      ears.delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        ears.arrives(9, 'socket');
        ears.readSocket();
        ears.pass(1_000);
      }
      assert.equal(ears.delivered.length, 2);
    });

    test('is heard by the witness without a gap once it is no guest of this host any more', () => {
      ears.pairs.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        ears.arrives(9, 'socket');
        ears.readSocket();
        ears.pass(1_000);
      }
      ears.arrives(9);
      ears.readSocket();
      ears.pass(1_000);
      ears.delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        ears.arrives(9, 'witness');
        ears.readWitness();
        ears.pass(1_000);
      }
      assert.equal(ears.delivered.length, 3);
    });

    test('is heard by the witness at once where that was closed while the socket heard it', () => {
      for (let second = 0; second < 3; second += 1) {
        ears.arrives(9, 'socket');
        ears.readSocket();
        ears.pass(1_000);
      }
      ears.pairs.witnessCovers(true);
      for (let second = 0; second < 3; second += 1) {
        ears.arrives(9, 'witness');
        ears.readWitness();
        ears.pass(1_000);
      }
      assert.equal(ears.delivered.length, 6);
    });

    test('counts as often as it was heard when all is read at once after a stall', () => {
      for (let second = 0; second < 3; second += 1) ears.arrives(9);
      ears.readSocket();
      ears.readWitness();
      ears.pass(1_000);
      assert.equal(ears.delivered.length, 3);
    });
  });

  test('both queues read, nobody waits, and nothing is delivered twice', () => {
    ears.witnessed(1);
    ears.arrives(2);
    ears.readWitness();
    ears.readSocket();
    ears.settled(ears.pairs.settleAll(ears.now));
    ears.pass(GRACE_MS);
    assert.deepEqual(ears.delivered, [
      '2 by socket in 1, from outside',
      '1 by witness in 1, from outside',
    ]);
  });

  test('what waits in the socket as an epoch begins is of the epoch before', () => {
    ears.heard(1);
    ears.pairs.socketEmptied(2);
    ears.heard(2);
    assert.deepEqual(ears.delivered, ['1 by socket in 1', '2 by socket in 2']);
  });

  test('what the witness should have seen and has not came from a guest of this host', () => {
    ears.heard(1);
    ears.pairs.witnessCovers(true);
    ears.heard(2);
    ears.arrives(3);
    ears.readSocket();
    ears.pairs.witnessCovers(false);
    ears.heard(4);
    assert.deepEqual(ears.delivered, [
      '1 by socket in 1',
      '2 by socket in 1, from a guest',
      '3 by socket in 1, from outside',
      '4 by socket in 1',
    ]);
  });

  test('what waits for an instance that has gone is delivered to nobody', () => {
    ears.pairs.witnessCopy(copyOf(1, 'web'), 1, ears.now);
    ears.witnessed(2);
    ears.pairs.forget('db');
    ears.pass(GRACE_MS);
    assert.deepEqual(ears.delivered, ['1 by witness in 1, from outside']);
  });

  test('two instances that hear the same master are told apart', () => {
    ears.pairs.witnessCopy(copyOf(1, 'web'), 1, ears.now);
    ears.heard(1);
    ears.pass(GRACE_MS);
    assert.deepEqual(ears.delivered, ['1 by socket in 1', '1 by witness in 1, from outside']);
  });

  test('junk is counted once, takes no room, and hides no advert', () => {
    for (let count = 0; count < 10_000; count += 1) ears.arrives(BAD);
    ears.arrives(1, 'witness');
    ears.readSocket();
    ears.readWitness();
    ears.pass(GRACE_MS);
    assert.deepEqual([ears.delivered, ears.refused], [['1 by witness in 1, from outside'], 10_000]);
  });

  test('junk that never reaches the socket is counted by the witness', () => {
    ears.arrives(BAD, 'witness');
    ears.readWitness();
    assert.equal(ears.refused, 0, 'the socket may bring it yet');
    ears.pass(GRACE_MS);
    assert.equal(ears.refused, 1);
    ears.arrives(BAD);
    ears.readWitness();
    ears.pass(GRACE_MS);
    assert.equal(ears.refused, 2, 'the socket counts what it gets');
    ears.arrives(BAD, 'witness');
    ears.readWitness();
    ears.pass(GRACE_MS);
    assert.equal(ears.refused, 2, 'a socket that has heard a moment ago gets it too');
    ears.pass(10_000);
    ears.arrives(BAD, 'witness');
    ears.readWitness();
    ears.pass(GRACE_MS);
    assert.equal(ears.refused, 3);
  });

  test('many adverts that only the witness sees are all delivered, some without waiting', () => {
    for (let count = 0; count < 300; count += 1) {
      ears.witnessed(count % 250);
      ears.pass(0);
    }
    assert.equal(ears.delivered.length, 257);
    ears.pass(GRACE_MS);
    assert.equal(ears.delivered.length, 300);
  });

  test('under a flood the witness may be behind the socket: each is delivered once yet', () => {
    ears.witnessMax = 2;
    for (let count = 0; count < 6; count += 1) ears.arrives(count);
    ears.readSocket();
    while (!ears.readWitness());
    ears.pass(GRACE_MS);
    assert.equal(ears.delivered.length, 6);
  });

  test('what is owed by the witness is bounded, and forgotten once that was read', () => {
    ears.witnessMax = 0;
    ears.inWitness.push(BAD);
    for (let count = 0; count < 300; count += 1) ears.heard(count % 250);
    ears.witnessMax = Infinity;
    ears.arrives(3, 'witness');
    ears.heard(251);
    ears.delivered.length = 0;
    ears.arrives(5, 'witness');
    ears.readWitness();
    ears.pass(GRACE_MS);
    assert.deepEqual(ears.delivered, ['5 by witness in 1, from outside']);
  });
});
