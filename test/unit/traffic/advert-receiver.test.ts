// What the two receiver of an interface give to the segment, and in which order.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { fail, ok } from '../../../src/base/result.ts';
import { fromSeconds, micros, plus, type Micros } from '../../../src/base/time.ts';
import type { Vhid } from '../../../src/carp/group.ts';
import { AdvertReceiver, type Hearer } from '../../../src/traffic/advert-receiver.ts';
import type { SegmentInput } from '../../../src/segment/inputs.ts';
import { address } from '../../support/packets.ts';

const BAD = 255;
const MEMBER: Hearer = {
  name: 'db',
  key: { passphrase: Uint8Array.of(1), vhid: 7 as Vhid, addresses: [] },
  destination: address('224.0.0.18'),
};

describe('the receiver of an interface', () => {
  let given: string[];
  let work: (() => void)[];
  /** What the kernel has queued for each socket: the counters of adverts. */
  let inSocket: number[];
  let inWitness: number[];
  let witnessMax: number;
  let lost: number;
  let now: Micros;
  let receiver: AdvertReceiver;

  function drainSocket(): boolean {
    for (const counter of inSocket.splice(0)) receiver.heard(Uint8Array.of(counter));
    return true;
  }

  function drainWitness(): boolean {
    for (const counter of inWitness.splice(0, witnessMax))
      receiver.witnessed(Uint8Array.of(counter), 3);
    return inWitness.length === 0;
  }

  function turn(): string[] {
    for (const run of work.splice(0)) run();
    return given.splice(0);
  }

  beforeEach(() => {
    [given, work, inSocket, inWitness] = [[], [], [], []];
    [witnessMax, lost, now] = [Infinity, 0, micros(0)];
    const advert = { vhid: 7, advbase: 1, advskew: 0, demote: 0, digest: new Uint8Array(20) };
    receiver = new AdvertReceiver({
      now: () => now,
      accept: ([counter = 0]) =>
        counter === BAD
          ? fail({ reason: 'bad-digest', from: undefined, vhid: 7 })
          : ok({
              member: MEMBER,
              from: address('10.77.0.1'),
              advert: { ...advert, counter: BigInt(counter) },
            }),
      drainSocket,
      drainWitness,
      lost: () => lost,
      onLost: (count) => given.push(`${String(count)} lost`),
      post: (run) => work.push(run),
      give: (input) => given.push(textOf(input)),
    });
  });

  test('nothing is given from within a socket, and the witness goes first', () => {
    inWitness.push(1);
    inSocket.push(1);
    drainSocket();
    assert.deepEqual(given, []);
    assert.deepEqual(turn(), ['witness-copy 1 of 3', 'socket-copy 1']);
  });

  test('it is said where the witness could not be read to its end', () => {
    witnessMax = 1;
    inWitness.push(1, 2);
    inSocket.push(1);
    drainSocket();
    assert.deepEqual(turn(), ['witness-copy 1 of 3', 'socket-copy 1 unread']);
  });

  test('what nobody believes is given as such, with the socket that got it', () => {
    inSocket.push(BAD);
    inWitness.push(BAD);
    drainSocket();
    drainWitness();
    assert.deepEqual(turn(), ['packet-refused socket', 'packet-refused witness']);
  });

  test('an epoch begins behind what the socket held', () => {
    inSocket.push(1);
    receiver.epochBegan(2);
    inSocket.push(2);
    drainSocket();
    assert.deepEqual(turn(), ['socket-copy 1', 'socket-emptied', 'socket-copy 2']);
  });

  test('the witness covers what comes in behind what the socket held', () => {
    inSocket.push(1);
    receiver.witnessWatches(true);
    inSocket.push(2);
    receiver.witnessWatches(false);
    assert.deepEqual(turn(), ['socket-copy 1', 'witness-covers true', 'witness-covers false']);
  });

  test('both are read, and what comes in until that is said is given before', () => {
    inSocket.push(1);
    receiver.drain();
    inSocket.push(2);
    assert.deepEqual(turn(), ['socket-copy 1', 'socket-copy 2', 'sockets-read']);
  });

  test('a flood is told when it begins and when it is over', () => {
    lost = 5;
    receiver.look();
    assert.deepEqual([turn(), receiver.flooded], [['5 lost', 'flood-changed true'], true]);
    assert.equal(receiver.unheardUntil(), micros(0));
    now = plus(now, fromSeconds(5));
    receiver.look();
    assert.deepEqual([turn(), receiver.flooded], [['flood-changed false'], false]);
    receiver.look(false);
    assert.deepEqual(turn(), ['flood-changed true'], 'a bound left something in the socket');
  });

  test('closed, they give nothing', () => {
    inSocket.push(1);
    drainSocket();
    receiver.close();
    assert.deepEqual(turn(), []);
  });
});

function textOf(input: SegmentInput): string {
  switch (input.kind) {
    case 'socket-copy':
      return `socket-copy ${String(input.advert.counter)}${input.witnessRead ? '' : ' unread'}`;
    case 'witness-copy':
      return `witness-copy ${String(input.advert.counter)} of ${String(input.epoch)}`;
    case 'packet-refused':
      return `packet-refused ${input.heardBy}`;
    case 'witness-covers':
      return `witness-covers ${String(input.covers)}`;
    case 'flood-changed':
      return `flood-changed ${String(input.flooded)}`;
    default:
      return input.kind;
  }
}
