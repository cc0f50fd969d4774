// Captures of any bytes whatever: nothing throws, and the pieces they come in do not matter.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { observe } from '../../src/sniff/observe.ts';
import {
  LINK_TYPES,
  PcapReader,
  type CapturedPacket,
  type LinkType,
} from '../../src/sniff/pcap.ts';
import { Speakers } from '../../src/sniff/speakers.ts';
import {
  observationJson,
  observationLine,
  summaryJson,
  summaryText,
} from '../../src/sniff/text.ts';
import { pcapFile } from '../support/pcap-file.ts';

const linkType = fc.constantFrom('ethernet', 'raw', 'linux-sll', 'ipv4', 'linux-sll2');
const isLinkType = (name: string): name is LinkType => name in LINK_TYPES;
const packet = fc.record({
  timeUs: fc.nat({ max: 2 ** 31 }),
  bytes: fc.uint8Array({ maxLength: 100 }),
});

describe('a capture', () => {
  test('of any bytes is read to its end or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (tail, cut) => {
        const whole = Uint8Array.from([...pcapFile([]).subarray(0, cut), ...tail]);
        const reader = new PcapReader();
        const pushed = reader.push(whole);
        assert.ok(pushed.ok ? pushed.value.length < 30 : pushed.reason !== '');
        reader.end();
      }),
    );
  });

  test('gives the same packets in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), fc.nat(200), (packets, size) => {
        const file = pcapFile(packets);
        assert.deepEqual(pieces(file, size + 1), pieces(file, file.length));
        assert.equal(pieces(file, size + 1).length, packets.length);
      }),
    );
  });

  test('with any packets is observed and told without a throw', () => {
    fc.assert(
      fc.property(fc.array(packet), linkType, (packets, name) => {
        const speakers = new Speakers();
        for (const one of packets) {
          if (!isLinkType(name)) continue;
          const seen = observe({ ...one, linkType: name, isCut: false }, []);
          if (seen === undefined) continue;
          speakers.add(seen);
          assert.ok(!observationLine(seen, '').includes('\n'), 'one line');
          JSON.parse(observationJson(seen, ''));
        }
        summaryText(speakers.summary());
        JSON.parse(summaryJson(speakers.summary()));
      }),
    );
  });
});

function pieces(file: Uint8Array, size: number): readonly CapturedPacket[] {
  const reader = new PcapReader();
  const packets: CapturedPacket[] = [];
  for (let at = 0; at < file.length; at += size) {
    const pushed = reader.push(file.subarray(at, at + size));
    assert.ok(pushed.ok, 'it is a capture');
    packets.push(...pushed.value);
  }
  assert.equal(reader.end(), undefined);
  return packets;
}
