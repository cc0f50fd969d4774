// Capture files of every kind that carpd reads, and what it says of those that it does not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LINK_TYPES, PcapReader, type CapturedPacket } from '../../../src/sniff/pcap.ts';
import { pcapFile } from '../../support/pcap-file.ts';

const PACKETS = [
  { timeUs: 1_700_000_000_123_456, bytes: Uint8Array.of(1, 2, 3) },
  { timeUs: 1_700_000_001_000_000, bytes: Uint8Array.of(4), length: 60 },
];

describe('a capture file', () => {
  for (const littleEndian of [true, false]) {
    for (const nanoseconds of [true, false]) {
      test(`is read (little-endian: ${littleEndian}, nanoseconds: ${nanoseconds})`, () => {
        const file = pcapFile(PACKETS, { littleEndian, nanoseconds });
        const expected: readonly CapturedPacket[] = PACKETS.map(({ timeUs, bytes, length }) => ({
          timeUs,
          bytes,
          linkType: 'ethernet',
          isCut: length !== undefined,
        }));
        assert.deepEqual(readAll(file), { packets: expected, fault: undefined });
      });
    }
  }

  for (const [name, linkType] of Object.entries(LINK_TYPES)) {
    test(`may be of link type ${name}, with bits of a check sequence beside it`, () => {
      const [packet] = readAll(pcapFile(PACKETS, { linkType: linkType | 0x5000_0000 })).packets;
      assert.equal(packet?.linkType, name);
    });
  }

  test('of another link type is refused by its number', () => {
    const { fault } = readAll(pcapFile(PACKETS, { linkType: 127 }));
    assert.match(fault ?? '', /has link type 127; carpd reads 1 \(ethernet\), 101 \(raw\)/);
  });

  const foreign: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['pcapng', bytes(0x0a, 0x0d, 0x0d, 0x0a, 0x1c), /pcapng.*tcpdump -r FILE -w NEW/],
    ['pcapng, cut short', bytes(0x0a, 0x0d, 0x0d, 0x0a).subarray(0, 5), /pcapng/],
    ['gzip', bytes(0x1f, 0x8b, 8), /compressed: gunzip/],
    ['text', new TextEncoder().encode('listening on eth0, link-type EN10MB'), /no capture file/],
    ['empty', new Uint8Array(0), /no capture file: it ends after 0 bytes/],
    ['three bytes', Uint8Array.of(1, 2, 3), /it ends after 3 bytes/],
  ];
  for (const [name, file, says] of foreign) {
    test(`that is none (${name}) is refused with a remedy`, () => {
      const { packets, fault } = readAll(file);
      assert.deepEqual(packets, []);
      assert.match(fault ?? '', says);
    });
  }

  test('that is cut short gives what is whole, and says where it ends', () => {
    const file = pcapFile(PACKETS);
    for (const [end, whole] of [
      [24 + 19 + 16, 1],
      [24 + 19 + 1, 1],
      [24 + 18, 0],
    ] as const) {
      const { packets, fault } = readAll(file.subarray(0, end));
      assert.equal(packets.length, whole);
      const at = 24 + whole * 19;
      assert.equal(
        fault,
        `is cut short: it ends at byte ${end}, in the middle of the packet at byte ${at}`,
      );
    }
  });

  test('that claims a huge packet is refused at once', () => {
    const file = pcapFile(PACKETS);
    new DataView(file.buffer).setUint32(24 + 19 + 8, 0xffff_fff0, true);
    const { packets, fault } = readAll(file);
    assert.equal(packets.length, 0);
    assert.equal(fault, 'is damaged: the packet at byte 43 claims 4294967280 bytes');
  });
});

function bytes(...first: readonly number[]): Uint8Array {
  const all = new Uint8Array(24);
  all.set(first);
  return all;
}

function readAll(file: Uint8Array): {
  readonly packets: readonly CapturedPacket[];
  readonly fault: string | undefined;
} {
  const reader = new PcapReader();
  const pushed = reader.push(file);
  if (!pushed.ok) return { packets: [], fault: pushed.reason };
  return { packets: pushed.value, fault: reader.end() };
}
