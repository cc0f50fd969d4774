// Two ears, one delivery: which of them counts, in every order in which they may hear, however late
// either is read, and with masters whose adverts are all alike.
import assert from 'node:assert/strict';
import { beforeEach, describe, mock, test } from 'node:test';
import type { Group } from '../../../../src/carp/accept.ts';
import type { Vhid } from '../../../../src/carp/addresses.ts';
import type { Advert } from '../../../../src/carp/advert.ts';
import { fail, ok } from '../../../../src/base/result.ts';
import { fromMillis, micros, plus, type Micros } from '../../../../src/base/time.ts';
import { SecondEar, type Heard } from '../../../../src/daemon/interface/advert-merge.ts';
import { startTimer } from '../../../../src/linux/system/clock.ts';
import { address } from '../../../support/packets.ts';

const GRACE_MS = 50;
const BAD = 255;
const MEMBER: Group = {
  key: { passphrase: Uint8Array.of(1), vhid: 7 as Vhid, addresses: [] },
  group: address('224.0.0.18'),
};

/** An advert by its counter; what is behind it is padding. */
function packet(counter: number): Uint8Array {
  return Uint8Array.of(counter, 0, 0);
}

describe('SecondEar', () => {
  let delivered: string[];
  let rejected: number;
  let epoch: number;
  let now: Micros;
  /** What the kernel has queued for each ear, in order. */
  let inSocket: Uint8Array[];
  let inWitness: Uint8Array[];
  /** How many frames the witness hands out before its bound. */
  let witnessMax: number;
  let ear: SecondEar<Group>;

  function readSocket(): void {
    for (const bytes of inSocket.splice(0)) ear.heard(bytes);
  }

  function readWitness(): boolean {
    for (const bytes of inWitness.splice(0, witnessMax)) ear.witnessed(bytes, 1);
    return inWitness.length === 0;
  }

  function pass(milliseconds: number): void {
    now = plus(now, fromMillis(milliseconds));
    mock.timers.tick(milliseconds);
  }

  /** The same bytes come in, for both ears unless one is named. */
  function arrives(counter: number, by: 'both' | 'socket' | 'witness' = 'both'): void {
    if (by !== 'socket') inWitness.push(packet(counter));
    if (by !== 'witness') inSocket.push(packet(counter));
  }

  function nameOf({ by, epoch: of, throughUplink }: Heard): string {
    const way =
      throughUplink === undefined ? '' : throughUplink ? ', from outside' : ', from a guest';
    return `${by} in ${String(of)}${way}`;
  }

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ['setTimeout'] });
    [delivered, rejected, epoch, now] = [[], 0, 1, micros(0)];
    [inSocket, inWitness, witnessMax] = [[], [], Infinity];
    ear = new SecondEar<Group>({
      startTimer,
      epoch: () => epoch,
      now: () => now,
      accept: ([counter = 0]) =>
        counter === BAD
          ? fail({ reason: 'bad-digest', from: undefined, vhid: 7 })
          : ok({ member: MEMBER, from: address('10.77.0.1'), advert: advert(counter) }),
      deliver: (heard, how) => {
        delivered.push(`${String(heard.advert.counter)} by ${nameOf(how)}`);
      },
      reject: () => (rejected += 1),
      post: (run) => run(),
      readSocket,
      readWitness,
    });
  });

  test('what only the socket hears is delivered at once', () => {
    ear.heard(packet(1));
    assert.deepEqual(delivered, ['1 by socket in 1']);
  });

  test('what both hear is delivered once, whichever is read first, however late', () => {
    arrives(1);
    readWitness();
    readSocket();
    arrives(2);
    readSocket();
    readWitness();
    arrives(3);
    readWitness();
    // The process stands still: the timer fires first, and the socket was not read so far.
    pass(5_000);
    pass(5_000);
    const once = [1, 2, 3].map((counter) => `${String(counter)} by socket in 1, from outside`);
    assert.deepEqual(delivered, once);
  });

  test('what only the witness sees is delivered after a moment', () => {
    ear.witnessed(packet(1), 3);
    pass(GRACE_MS - 1);
    assert.deepEqual(delivered, []);
    pass(1);
    assert.deepEqual(delivered, ['1 by witness in 3, from outside']);
    ear.witnessed(packet(2), 3);
    pass(30);
    ear.witnessed(packet(3), 3);
    pass(20);
    assert.equal(delivered.length, 2);
    pass(30);
    assert.equal(delivered.length, 3);
  });

  /** Copies come in as time passes, each at its own time in milliseconds and for one ear. */
  function arriveAt(
    ...copies: readonly (readonly [at: number, counter: number, by: 'socket' | 'witness'])[]
  ): void {
    let at = 0;
    for (const [next, counter, by] of copies.toSorted(([one], [other]) => one - other)) {
      for (; at < next; at += 10) pass(10);
      arrives(counter, by);
      if (by === 'socket') readSocket();
      else readWitness();
    }
    pass(GRACE_MS);
  }

  describe('a copy that is late, behind what fills its queue', () => {
    beforeEach(() => ear.witnessCovers(true));

    for (const late of [60, 400, 600, 1_500, 2_900, 3_000]) {
      test(`in the socket by ${String(late)} ms: it is not delivered again`, () => {
        arriveAt([0, 1, 'witness'], [late, 1, 'socket'], [late + 10, 2, 'socket']);
        assert.deepEqual(delivered, [
          '1 by witness in 1, from outside',
          '2 by socket in 1, from a guest',
        ]);
      });

      test(`in the witness by ${String(late)} ms: it is not delivered again`, () => {
        arriveAt([0, 1, 'socket'], [late, 1, 'witness'], [late + 10, 2, 'witness']);
        assert.deepEqual(delivered, [
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
          arriveAt(
            ...seconds.map((at) => [at, 9, first] as const),
            ...seconds.map((at) => [at + late, 9, by] as const),
          );
          assert.equal(delivered.length, 7);
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
      arriveAt(...copies);
      assert.equal(delivered.length, 3);
    });

    test('is not waited for longer than a queue can hold it', () => {
      arriveAt([0, 1, 'witness'], [6_000, 1, 'socket'], [12_000, 1, 'witness']);
      assert.equal(delivered.length, 3);
    });
  });

  describe('a master whose adverts are all alike (OpenBSD)', () => {
    test('is heard by the witness once a firewall keeps it from the socket', () => {
      for (let second = 0; second < 3; second += 1) {
        arrives(9);
        readSocket();
        readWitness();
        pass(1_000);
      }
      for (let second = 0; second < 3; second += 1) {
        arrives(9, 'witness');
        readWitness();
        pass(1_000);
      }
      const heard = Array<string>(3).fill('9 by socket in 1, from outside');
      const seen = Array<string>(3).fill('9 by witness in 1, from outside');
      assert.deepEqual(delivered, [...heard, ...seen]);
    });

    test('is heard by the socket again without a gap when the firewall is gone', () => {
      arrives(9, 'witness');
      readWitness();
      pass(1_000);
      arrives(9);
      readWitness();
      readSocket();
      assert.deepEqual(delivered.length, 2);
    });

    test('is heard by the socket alone without a gap when the witness closes', () => {
      ear.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        arrives(9, 'witness');
        readWitness();
        pass(1_000);
      }
      arrives(9);
      readSocket();
      pass(1_000);
      ear.witnessCovers(false);
      delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        arrives(9, 'socket');
        readSocket();
        pass(1_000);
      }
      assert.equal(delivered.length, 3);
    });

    test('loses one advert at most where the witness closes before the socket hears it', () => {
      ear.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        arrives(9, 'witness');
        readWitness();
        pass(1_000);
      }
      ear.witnessCovers(false);
      delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        arrives(9, 'socket');
        readSocket();
        pass(1_000);
      }
      assert.equal(delivered.length, 2);
    });

    test('is heard by the witness without a gap once it is no guest of this host any more', () => {
      ear.witnessCovers(true);
      for (let second = 0; second < 4; second += 1) {
        arrives(9, 'socket');
        readSocket();
        pass(1_000);
      }
      arrives(9);
      readSocket();
      pass(1_000);
      delivered.length = 0;
      for (let second = 0; second < 3; second += 1) {
        arrives(9, 'witness');
        readWitness();
        pass(1_000);
      }
      assert.equal(delivered.length, 3);
    });

    test('is heard by the witness at once where that was closed while the socket heard it', () => {
      for (let second = 0; second < 3; second += 1) {
        arrives(9, 'socket');
        readSocket();
        pass(1_000);
      }
      ear.witnessCovers(true);
      for (let second = 0; second < 3; second += 1) {
        arrives(9, 'witness');
        readWitness();
        pass(1_000);
      }
      assert.equal(delivered.length, 6);
    });

    test('counts as often as it was heard when all is read at once after a stall', () => {
      for (let second = 0; second < 3; second += 1) arrives(9);
      readSocket();
      readWitness();
      pass(1_000);
      assert.equal(delivered.length, 3);
    });
  });

  test('a flush does not wait, and delivers nothing twice', () => {
    ear.witnessed(packet(1), 1);
    arrives(2);
    readWitness();
    ear.flush();
    pass(GRACE_MS);
    assert.deepEqual(delivered, [
      '2 by socket in 1, from outside',
      '1 by witness in 1, from outside',
    ]);
  });

  test('what waits in the socket as an epoch begins is of the epoch before', () => {
    epoch = 2;
    ear.heard(packet(1));
    ear.freshFrom(2);
    ear.heard(packet(2));
    assert.deepEqual(delivered, ['1 by socket in 1', '2 by socket in 2']);
  });

  test('what the witness should have seen and has not came from a guest of this host', () => {
    ear.heard(packet(1));
    ear.witnessCovers(true);
    ear.heard(packet(2));
    arrives(3);
    readSocket();
    ear.witnessCovers(false);
    ear.heard(packet(4));
    assert.deepEqual(delivered, [
      '1 by socket in 1',
      '2 by socket in 1, from a guest',
      '3 by socket in 1, from outside',
      '4 by socket in 1',
    ]);
  });

  test('closed, it delivers nothing', () => {
    ear.witnessed(packet(1), 1);
    ear.close();
    pass(GRACE_MS);
    assert.deepEqual(delivered, []);
  });

  test('junk is counted once, takes no room, and hides no advert', () => {
    for (let count = 0; count < 10_000; count += 1) arrives(BAD);
    arrives(1, 'witness');
    readSocket();
    readWitness();
    pass(GRACE_MS);
    assert.deepEqual([delivered, rejected], [['1 by witness in 1, from outside'], 10_000]);
  });

  test('junk that never reaches the socket is counted by the witness', () => {
    arrives(BAD, 'witness');
    readWitness();
    assert.equal(rejected, 1);
  });

  test('many adverts that only the witness sees are all delivered, some without waiting', () => {
    for (let count = 0; count < 300; count += 1) ear.witnessed(packet(count % 250), 1);
    assert.equal(delivered.length, 257);
    pass(GRACE_MS);
    assert.equal(delivered.length, 300);
  });

  test('under a flood the witness may be behind the socket: each is delivered once yet', () => {
    witnessMax = 2;
    for (let count = 0; count < 6; count += 1) arrives(count);
    readSocket();
    while (!readWitness());
    pass(GRACE_MS);
    assert.equal(delivered.length, 6);
  });

  test('what is owed by the witness is bounded, and forgotten once that was read', () => {
    witnessMax = 0;
    inWitness.push(packet(BAD));
    for (let count = 0; count < 300; count += 1) ear.heard(packet(count % 250));
    witnessMax = Infinity;
    arrives(3, 'witness');
    ear.heard(packet(251));
    delivered.length = 0;
    arrives(5, 'witness');
    readWitness();
    pass(GRACE_MS);
    assert.deepEqual(delivered, ['5 by witness in 1, from outside']);
  });
});

function advert(counter: number): Advert {
  const digest = new Uint8Array(20);
  return { vhid: 7, advbase: 1, advskew: 0, demote: 0, counter: BigInt(counter), digest };
}
