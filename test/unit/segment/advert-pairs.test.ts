// Two sockets, one delivery: which one counts, in every order in which they may hear, however late
// either is read, and with masters whose adverts are all alike.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fromMillis, plus } from '../../../src/base/time.ts';
import { BAD, copyOf, GRACE_MS, TwoSockets } from '../../support/two-sockets.ts';

describe('the two copies of an advert', () => {
  let sockets: TwoSockets;

  beforeEach(() => {
    sockets = new TwoSockets();
  });

  test('what only the socket hears is delivered at once', () => {
    sockets.heard(1);
    assert.deepEqual(sockets.delivered, ['1 by socket in 1']);
    assert.equal(sockets.pairs.deadline, undefined);
  });

  test('what both hear is delivered once, whichever is read first, however late', () => {
    sockets.arrives(1);
    sockets.readWitness();
    sockets.readSocket();
    sockets.arrives(2);
    sockets.readSocket();
    sockets.readWitness();
    sockets.arrives(3);
    sockets.readWitness();
    // The process stands still, and the socket was not read so far.
    sockets.now = plus(sockets.now, fromMillis(5_000));
    sockets.pass(5_000);
    const once = [1, 2, 3].map((counter) => `${String(counter)} by socket in 1, from outside`);
    assert.deepEqual(sockets.delivered, once);
  });

  test('what only the witness sees is delivered after a moment', () => {
    sockets.witnessed(1, 3);
    sockets.pass(GRACE_MS - 1);
    assert.deepEqual(sockets.delivered, []);
    sockets.pass(1);
    assert.deepEqual(sockets.delivered, ['1 by witness in 3, from outside']);
    sockets.witnessed(2, 3);
    sockets.pass(30);
    sockets.witnessed(3, 3);
    sockets.pass(20);
    assert.equal(sockets.delivered.length, 2);
    sockets.pass(30);
    assert.equal(sockets.delivered.length, 3);
  });

  describe('a copy that is late, behind what fills its queue', () => {
    beforeEach(() => sockets.pairs.witnessCovers(true));

    for (const late of [60, 400, 600, 1_500, 2_900, 3_000]) {
      test(`in the socket by ${String(late)} ms: it is not delivered again`, () => {
        sockets.arriveAt([0, 1, 'witness'], [late, 1, 'socket'], [late + 10, 2, 'socket']);
        assert.deepEqual(sockets.delivered, [
          '1 by witness in 1, from outside',
          '2 by socket in 1, from a guest',
        ]);
      });

      test(`in the witness by ${String(late)} ms: it is not delivered again`, () => {
        sockets.arriveAt([0, 1, 'socket'], [late, 1, 'witness'], [late + 10, 2, 'witness']);
        assert.deepEqual(sockets.delivered, [
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
          sockets.arriveAt(
            ...seconds.map((at) => [at, 9, first] as const),
            ...seconds.map((at) => [at + late, 9, by] as const),
          );
          assert.equal(sockets.delivered.length, 7);
        });
      }
    }

    test('is not taken for one that is sent again: that counts for each socket', () => {
      const copies = [
        [0, 1, 'witness'],
        [600, 1, 'witness'],
        [800, 1, 'socket'],
        [1_400, 1, 'socket'],
        [2_000, 1, 'socket'],
      ] as const;
      sockets.arriveAt(...copies);
      assert.equal(sockets.delivered.length, 3);
    });

    test('is not waited for longer than a queue can hold it', () => {
      sockets.arriveAt([0, 1, 'witness'], [6_000, 1, 'socket'], [12_000, 1, 'witness']);
      assert.equal(sockets.delivered.length, 3);
    });
  });

  describe('a master whose adverts are all alike (OpenBSD)', () => {
    test('is heard by the witness once a firewall keeps it from the socket', () => {
      for (let second = 0; second < 3; second += 1) {
        sockets.arrives(9);
        sockets.readSocket();
        sockets.readWitness();
        sockets.pass(1_000);
      }
      for (let second = 0; second < 3; second += 1) {
        sockets.arrives(9, 'witness');
        sockets.readWitness();
        sockets.pass(1_000);
      }
      const fromSocket = Array<string>(3).fill('9 by socket in 1, from outside');
      const fromWitness = Array<string>(3).fill('9 by witness in 1, from outside');
      assert.deepEqual(sockets.delivered, [...fromSocket, ...fromWitness]);
    });

    test('is heard by the socket again without a gap when the firewall is gone', () => {
      sockets.arrives(9, 'witness');
      sockets.readWitness();
      sockets.pass(1_000);
      sockets.arrives(9);
      sockets.readWitness();
      sockets.readSocket();
      assert.deepEqual(sockets.delivered.length, 2);
    });

    test('is heard by the socket alone without a gap when the witness closes', () => {
      sockets.pairs.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        sockets.arrives(9, 'witness');
        sockets.readWitness();
        sockets.pass(1_000);
      }
      sockets.arrives(9);
      sockets.readSocket();
      sockets.pass(1_000);
      sockets.pairs.witnessCovers(false);
      sockets.delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        sockets.arrives(9, 'socket');
        sockets.readSocket();
        sockets.pass(1_000);
      }
      assert.equal(sockets.delivered.length, 3);
    });

    test('loses one advert at most where the witness closes before the socket hears it', () => {
      sockets.pairs.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        sockets.arrives(9, 'witness');
        sockets.readWitness();
        sockets.pass(1_000);
      }
      sockets.pairs.witnessCovers(false);
      sockets.delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        sockets.arrives(9, 'socket');
        sockets.readSocket();
        sockets.pass(1_000);
      }
      assert.equal(sockets.delivered.length, 2);
    });

    test('is heard by the witness without a gap once it is no guest of this host any more', () => {
      sockets.pairs.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        sockets.arrives(9, 'socket');
        sockets.readSocket();
        sockets.pass(1_000);
      }
      sockets.arrives(9);
      sockets.readSocket();
      sockets.pass(1_000);
      sockets.delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        sockets.arrives(9, 'witness');
        sockets.readWitness();
        sockets.pass(1_000);
      }
      assert.equal(sockets.delivered.length, 3);
    });

    test('is heard by the witness at once where that was closed while the socket heard it', () => {
      for (let second = 0; second < 3; second += 1) {
        sockets.arrives(9, 'socket');
        sockets.readSocket();
        sockets.pass(1_000);
      }
      sockets.pairs.witnessCovers(true);
      for (let second = 0; second < 3; second += 1) {
        sockets.arrives(9, 'witness');
        sockets.readWitness();
        sockets.pass(1_000);
      }
      assert.equal(sockets.delivered.length, 6);
    });

    test('counts as often as it was heard when all is read at once after a stall', () => {
      for (let second = 0; second < 3; second += 1) sockets.arrives(9);
      sockets.readSocket();
      sockets.readWitness();
      sockets.pass(1_000);
      assert.equal(sockets.delivered.length, 3);
    });
  });

  test('both queues read, nobody waits, and nothing is delivered twice', () => {
    sockets.witnessed(1);
    sockets.arrives(2);
    sockets.readWitness();
    sockets.readSocket();
    sockets.settled(sockets.pairs.settleAll(sockets.now));
    sockets.pass(GRACE_MS);
    assert.deepEqual(sockets.delivered, [
      '2 by socket in 1, from outside',
      '1 by witness in 1, from outside',
    ]);
  });

  test('what waits in the socket as an epoch begins is of the epoch before', () => {
    sockets.heard(1);
    sockets.pairs.socketEmptied(2);
    sockets.heard(2);
    assert.deepEqual(sockets.delivered, ['1 by socket in 1', '2 by socket in 2']);
  });

  test('what the witness should have seen and has not came from a guest of this host', () => {
    sockets.heard(1);
    sockets.pairs.witnessCovers(true);
    sockets.heard(2);
    sockets.arrives(3);
    sockets.readSocket();
    sockets.pairs.witnessCovers(false);
    sockets.heard(4);
    assert.deepEqual(sockets.delivered, [
      '1 by socket in 1',
      '2 by socket in 1, from a guest',
      '3 by socket in 1, from outside',
      '4 by socket in 1',
    ]);
  });

  test('what waits for an instance that has gone is delivered to nobody', () => {
    sockets.pairs.witnessCopy(copyOf(1, 'web'), 1, sockets.now);
    sockets.witnessed(2);
    sockets.pairs.forget('db');
    sockets.pass(GRACE_MS);
    assert.deepEqual(sockets.delivered, ['1 by witness in 1, from outside']);
  });

  test('two instances that hear the same master are told apart', () => {
    sockets.pairs.witnessCopy(copyOf(1, 'web'), 1, sockets.now);
    sockets.heard(1);
    sockets.pass(GRACE_MS);
    assert.deepEqual(sockets.delivered, ['1 by socket in 1', '1 by witness in 1, from outside']);
  });

  test('junk is counted once, takes no room, and hides no advert', () => {
    for (let count = 0; count < 10_000; count += 1) sockets.arrives(BAD);
    sockets.arrives(1, 'witness');
    sockets.readSocket();
    sockets.readWitness();
    sockets.pass(GRACE_MS);
    assert.deepEqual(
      [sockets.delivered, sockets.refused],
      [['1 by witness in 1, from outside'], 10_000],
    );
  });

  test('junk that never reaches the socket is counted by the witness', () => {
    sockets.arrives(BAD, 'witness');
    sockets.readWitness();
    assert.equal(sockets.refused, 0, 'the socket may bring it yet');
    sockets.pass(GRACE_MS);
    assert.equal(sockets.refused, 1);
    sockets.arrives(BAD);
    sockets.readWitness();
    sockets.pass(GRACE_MS);
    assert.equal(sockets.refused, 2, 'the socket counts what it gets');
    sockets.arrives(BAD, 'witness');
    sockets.readWitness();
    sockets.pass(GRACE_MS);
    assert.equal(sockets.refused, 2, 'a socket that has heard a moment ago gets it too');
    sockets.pass(10_000);
    sockets.arrives(BAD, 'witness');
    sockets.readWitness();
    sockets.pass(GRACE_MS);
    assert.equal(sockets.refused, 3);
  });

  test('many adverts that only the witness sees are all delivered, some without waiting', () => {
    for (let count = 0; count < 300; count += 1) {
      sockets.witnessed(count % 250);
      sockets.pass(0);
    }
    assert.equal(sockets.delivered.length, 257);
    sockets.pass(GRACE_MS);
    assert.equal(sockets.delivered.length, 300);
  });

  test('under a flood the witness may be behind the socket: each is delivered once yet', () => {
    sockets.witnessMax = 2;
    for (let count = 0; count < 6; count += 1) sockets.arrives(count);
    sockets.readSocket();
    while (!sockets.readWitness());
    sockets.pass(GRACE_MS);
    assert.equal(sockets.delivered.length, 6);
  });

  test('what is owed by the witness is bounded, and forgotten once that was read', () => {
    sockets.witnessMax = 0;
    sockets.inWitness.push(BAD);
    for (let count = 0; count < 300; count += 1) sockets.heard(count % 250);
    sockets.witnessMax = Infinity;
    sockets.arrives(3, 'witness');
    sockets.heard(251);
    sockets.delivered.length = 0;
    sockets.arrives(5, 'witness');
    sockets.readWitness();
    sockets.pass(GRACE_MS);
    assert.deepEqual(sockets.delivered, ['5 by witness in 1, from outside']);
  });
});
