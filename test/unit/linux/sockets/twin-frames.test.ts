// Frames that are caught at an uplink and on the bridge above: which of them belong together.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { TwinFrames } from '../../../../src/linux/sockets/twin-frames.ts';
import type { WitnessedFrame } from '../../../../src/carp/frame.ts';
import { arpOf, frameOf, type FrameParts } from '../../../support/shaped-frames.ts';

function frame(number: number, parts: Partial<FrameParts> = {}, vlan?: number): WitnessedFrame {
  const payload = arpOf({ operation: 2, senderIp: `10.9.${number >> 8}.${number & 0xff}` });
  return { bytes: frameOf({ type: 0x0806, payload, ...parts }), vlan, outgoing: false };
}

test('a frame belongs to the one that came in, whatever tags either of them bears', () => {
  const twins = new TwinFrames<string>();
  const tagged = frame(1, { tags: [[0x8100, 100]] });
  const deep = frame(2, {
    tags: [
      [0x88a8, 5],
      [0x8100, 7],
    ],
  });
  twins.came(tagged, 'bond0');
  twins.came(deep, 'bond1');
  twins.came(frame(3, {}, 100), 'bond2');
  deepEqual(
    [frame(3), frame(2), frame(1)].map((one) => twins.take(one)),
    ['bond2', 'bond1', 'bond0'],
  );
});

test('one that did not come in has none, and each is the twin of one only', () => {
  const twins = new TwinFrames<string>();
  equal(twins.take(frame(1)), undefined);
  twins.came(frame(1), 'bond0');
  equal(twins.take(frame(2)), undefined);
  equal(twins.take(frame(1, { from: '02:00:00:00:00:77' })), undefined, 'of another station');
  equal(twins.take(frame(1)), 'bond0');
  equal(twins.take(frame(1)), undefined);
});

test('the newest are kept, up to a bound; bytes of every length have a reading', () => {
  const twins = new TwinFrames<number>();
  for (let number = 0; number < 5_000; number += 1) twins.came(frame(number), number);
  equal(twins.take(frame(0)), undefined);
  equal(twins.take(frame(4_000)), 4_000);
  for (const bytes of [new Uint8Array(), new Uint8Array(13), Uint8Array.of(0x81, 0)]) {
    const short = { bytes, vlan: undefined, outgoing: false };
    twins.came(short, 1);
    equal(twins.take(short), 1);
  }
});
