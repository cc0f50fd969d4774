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

  test('a copy of the socket that is later than that is not delivered again', () => {
    arrives(1, 'witness');
    readWitness();
    pass(GRACE_MS);
    pass(400);
    arrives(1, 'socket');
    readSocket();
    assert.deepEqual(delivered, ['1 by witness in 1, from outside']);
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
