// The pcap reader on streams of both byte orders and both resolutions, cut at every place.
import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { PcapReader, type PcapRecord } from '../../../lab/pcap.ts';

const FRAMES = [Uint8Array.of(1, 2, 3), Uint8Array.of(), Uint8Array.of(255, 0)];

for (const littleEndian of [true, false]) {
  for (const [unit, magic, perMs] of [
    ['micro', 0xa1b2c3d4, 1_000],
    ['nano', 0xa1b23c4d, 1_000_000],
  ] as const) {
    test(`${littleEndian ? 'little' : 'big'}-endian ${unit}seconds, in any pieces`, () => {
      const stream = pcapStream(FRAMES, littleEndian, magic, perMs);
      for (let cut = 0; cut <= stream.length; cut += 1) {
        const reader = new PcapReader();
        const records = [
          ...reader.push(stream.subarray(0, cut)),
          ...reader.push(stream.subarray(cut)),
        ];
        deepEqual(records.map(plain), FRAMES.map(expected));
      }
    });
  }
}

test('a record that was cut short tells the length it had', () => {
  const stream = pcapStream([Uint8Array.of(9)], true, 0xa1b2c3d4, 1_000);
  new DataView(stream.buffer).setUint32(24 + 12, 1_500, true);
  equal(new PcapReader().push(stream)[0]?.originalLength, 1_500);
});

test('what is no pcap stream is refused', () => {
  throws(() => new PcapReader().push(new Uint8Array(24)), /no pcap stream/);
});

test('an impossible record length is refused instead of awaited', () => {
  const stream = pcapStream([Uint8Array.of(9)], true, 0xa1b2c3d4, 1_000);
  new DataView(stream.buffer).setUint32(24 + 8, 0x7fffffff, true);
  throws(() => new PcapReader().push(stream), /pcap record of/);
});

function plain(record: PcapRecord): { wallMs: number; bytes: number[]; originalLength: number } {
  return { ...record, bytes: [...record.bytes] };
}

/** Frame number n was captured 1000 + n seconds and 250 ms after 1970. */
function expected(
  frame: Uint8Array,
  index: number,
): { wallMs: number; bytes: number[]; originalLength: number } {
  return { wallMs: (1_000 + index) * 1_000 + 250, bytes: [...frame], originalLength: frame.length };
}

function pcapStream(
  frames: readonly Uint8Array[],
  littleEndian: boolean,
  magic: number,
  fractionsPerMs: number,
): Uint8Array {
  const header = new Uint8Array(24);
  new DataView(header.buffer).setUint32(0, magic, littleEndian);
  const records = frames.map((frame, index) => {
    const record = new Uint8Array(16 + frame.length);
    const view = new DataView(record.buffer);
    view.setUint32(0, 1_000 + index, littleEndian);
    view.setUint32(4, 250 * fractionsPerMs, littleEndian);
    view.setUint32(8, frame.length, littleEndian);
    view.setUint32(12, frame.length, littleEndian);
    record.set(frame, 16);
    return record;
  });
  return Uint8Array.from([header, ...records].flatMap((part) => [...part]));
}
