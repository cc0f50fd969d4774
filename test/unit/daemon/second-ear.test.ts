// Two ears, one delivery: which of them counts, in every order in which they may hear.
import assert from 'node:assert/strict';
import { beforeEach, describe, mock, test } from 'node:test';
import { writeCarpPacket } from '../../../src/carp/ipv4.ts';
import { SecondEar } from '../../../src/daemon/second-ear.ts';
import { address } from '../../support/packets.ts';

const GRACE_MS = 50;

function packet(counter: number): Uint8Array {
  const addresses = {
    source: address('10.77.0.1'),
    destination: address('224.0.0.18'),
    identification: 1,
  };
  return writeCarpPacket(addresses, new Uint8Array(36).fill(counter));
}

describe('SecondEar', () => {
  let delivered: string[];
  let epoch: number;
  let ear: SecondEar;

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ['setTimeout'] });
    delivered = [];
    epoch = 1;
    ear = new SecondEar({
      epoch: () => epoch,
      deliver: (bytes, heard) => {
        delivered.push(`${String(bytes.at(-1))} by ${heard.by} in ${String(heard.epoch)}`);
      },
      post: (run) => run(),
    });
  });

  test('what only the socket hears is delivered at once', () => {
    ear.heard(packet(1));
    assert.deepEqual(delivered, ['1 by socket in 1']);
  });

  test('what both hear is delivered once, whichever comes first', () => {
    ear.witnessed(packet(1), 1);
    ear.heard(packet(1));
    ear.heard(packet(2));
    ear.witnessed(packet(2), 1);
    mock.timers.tick(GRACE_MS);
    ear.flush();
    assert.deepEqual(delivered, ['1 by socket in 1', '2 by socket in 1']);
  });

  test('what only the witness sees is delivered after a moment', () => {
    ear.witnessed(packet(1), 3);
    mock.timers.tick(GRACE_MS - 1);
    assert.deepEqual(delivered, []);
    mock.timers.tick(1);
    assert.deepEqual(delivered, ['1 by witness in 3']);
  });

  test('a flush does not wait, and delivers nothing twice', () => {
    ear.witnessed(packet(1), 1);
    ear.flush();
    mock.timers.tick(GRACE_MS);
    assert.deepEqual(delivered, ['1 by witness in 1']);
  });

  test('the frame of the witness may be padded', () => {
    ear.heard(packet(1));
    ear.witnessed(Uint8Array.from([...packet(1), 0, 0, 0, 0]), 1);
    ear.flush();
    assert.deepEqual(delivered, ['1 by socket in 1']);
  });

  test('what waits in the socket as an epoch begins is of the epoch before', () => {
    epoch = 2;
    ear.heard(packet(1));
    ear.freshFrom(2);
    ear.heard(packet(2));
    assert.deepEqual(delivered, ['1 by socket in 1', '2 by socket in 2']);
  });

  test('closed, it delivers nothing', () => {
    ear.witnessed(packet(1), 1);
    ear.close();
    mock.timers.tick(GRACE_MS);
    assert.deepEqual(delivered, []);
  });

  test('a packet that is no IPv4 is delivered as it is', () => {
    ear.heard(Uint8Array.of(9));
    ear.witnessed(Uint8Array.of(9), 1);
    ear.flush();
    assert.deepEqual(delivered, ['9 by socket in 1']);
  });

  test('a flood is forgotten, oldest first, and bounded where it waits', () => {
    for (let count = 0; count < 300; count += 1) ear.heard(Uint8Array.of(count >> 8, count & 255));
    delivered.length = 0;
    ear.witnessed(Uint8Array.of(0, 0), 1);
    ear.witnessed(Uint8Array.of(1, 40), 1);
    ear.flush();
    assert.deepEqual(delivered, ['0 by witness in 1'], 'the first is forgotten, the last is not');
    delivered.length = 0;
    for (let count = 0; count < 300; count += 1)
      ear.witnessed(Uint8Array.of(7, count >> 8, count & 255), 1);
    ear.flush();
    assert.equal(delivered.length, 256);
  });
});
