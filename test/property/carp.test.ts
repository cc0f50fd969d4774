// The codec against any bytes: whatever the network sends ends as an advert or as a named reason.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DROP_REASONS } from '../../src/carp/accept.ts';
import { ADVERT_BYTES, readAdvert, writeAdvert, type Advert } from '../../src/carp/advert.ts';
import { ipv4, multicastMac, parseIpv4, formatIpv4 } from '../../src/base/addresses.ts';
import { internetChecksum } from '../../src/carp/checksum.ts';
import { CARP_PROTOCOL, CARP_TTL, readIpv4, writeCarpPacket } from '../../src/carp/ipv4.ts';
import {
  accept,
  advertPacket,
  bytesOf,
  CAPTURED,
  changed,
  packetAround,
  signedAdvert,
  SOURCE,
  summed,
} from '../support/packets.ts';

const byte = fc.integer({ min: 0, max: 255 });
const addresses = fc.integer({ min: 0, max: 0xffffffff }).map(ipv4);
const counters = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });
const adverts: fc.Arbitrary<Advert> = fc.record(
  {
    vhid: byte,
    advskew: byte,
    advbase: byte,
    demote: byte,
    counter: counters,
    digest: fc.uint8Array({ minLength: 20, maxLength: 20 }),
  },
  { noNullPrototype: true },
);
/** Adverts that the listener of the vectors believes. */
const believed = fc
  .record({ advskew: byte, advbase: byte, demote: byte, counter: counters })
  .map(signedAdvert);

const CAPTURED_BYTES = bytesOf(CAPTURED);

/** What may be changed in an accepted packet, sums put right again, without anybody noticing. */
const NOT_COVERED = new Map([
  [1, 'type of service'],
  [4, 'identification'],
  [5, 'identification'],
  [6, 'the reserved bit and DF'],
  [10, 'header sum'],
  [11, 'header sum'],
  [12, 'source address'],
  [13, 'source address'],
  [14, 'source address'],
  [15, 'source address'],
  [20, 'the type of the advert'],
  [22, 'advskew'],
  [23, 'authlen'],
  [24, 'demote'],
  [25, 'advbase'],
  [26, 'CARP sum'],
  [27, 'CARP sum'],
]);

function reasonOf(packet: Uint8Array): string | undefined {
  const outcome = accept(packet);
  if (outcome.ok) return undefined;
  assert.ok(
    Object.hasOwn(DROP_REASONS, outcome.reason.reason),
    'Object.hasOwn(DROP_REASONS, outcome.reason.reason)',
  );
  return outcome.reason.reason;
}

describe('acceptPacket', () => {
  it('never throws and always says why, for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), (packet) => {
        assert.notEqual(reasonOf(packet), undefined);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws and always says why, for arbitrary payloads in a sound IPv4 packet', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1480 }), (payload) => {
        assert.notEqual(reasonOf(packetAround(payload)), undefined);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws and always says why: payloads that sum up', () => {
    const payloads = fc.uint8Array({ minLength: ADVERT_BYTES, maxLength: 80 });
    fc.assert(
      fc.property(payloads, fc.constantFrom(0x21, 0x31, 0x22), (payload, first) => {
        payload.set([first, 42]);
        assert.notEqual(reasonOf(summed(packetAround(payload))), undefined);
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses every truncation of a real advert', () => {
    for (let length = 0; length < CAPTURED_BYTES.length; length += 1) {
      assert.equal(reasonOf(CAPTURED_BYTES.subarray(0, length)), 'truncated', String(length));
    }
  });

  it('refuses every shorter payload, whatever it holds', () => {
    fc.assert(
      fc.property(believed, fc.integer({ min: 0, max: ADVERT_BYTES - 1 }), (advert, length) => {
        const reason = reasonOf(packetAround(writeAdvert(advert).subarray(0, length)));
        assert.ok(reason === 'bad-length' || reason === 'vrrp', reason);
      }),
    );
  });

  it('refuses every change of one byte: the sums see to that', () => {
    for (const [offset, value] of CAPTURED_BYTES.entries()) {
      for (let other = 0; other < 256; other += 1) {
        if (other === value) continue;
        const reason = reasonOf(changed(CAPTURED_BYTES, { [offset]: other }));
        assert.notEqual(reason, undefined, `byte ${String(offset)} = ${String(other)}`);
      }
    }
  });

  it('refuses every change with the sums put right, but of what the digest does not cover', () => {
    for (const [offset, value] of CAPTURED_BYTES.entries()) {
      const accepted: number[] = [];
      for (let other = 0; other < 256; other += 1) {
        if (other === value) continue;
        const packet = summed(changed(CAPTURED_BYTES, { [offset]: other }));
        if (reasonOf(packet) === undefined) accepted.push(other);
      }
      const covered = !NOT_COVERED.has(offset);
      assert.equal(accepted.length === 0, covered, `byte ${String(offset)}: ${accepted.join()}`);
    }
  });

  it('takes every signed advert, whatever its timers, demotion and counter', () => {
    fc.assert(
      fc.property(believed, (advert) => {
        const accepted = accept(packetAround(writeAdvert(advert)));
        assert.ok(accepted.ok, 'accepted.ok');
        assert.deepEqual(accepted.value.advert, advert);
        assert.equal(accepted.value.from, SOURCE);
      }),
    );
  });

  it('refuses a digest with any other byte', () => {
    const forgery = fc.tuple(believed, fc.nat({ max: 19 }), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(forgery, ([advert, index, flip]) => {
        const digest = changed(advert.digest, { [index]: (advert.digest[index] ?? 0) ^ flip });
        assert.equal(reasonOf(packetAround(writeAdvert({ ...advert, digest }))), 'bad-digest');
      }),
    );
  });

  it('leaves the packet as it was', () => {
    const packet = advertPacket();
    const before = Uint8Array.from(packet);
    accept(packet);
    assert.deepEqual(packet, before);
  });
});

describe('encoding and decoding', () => {
  it('reads every advert as it was written', () => {
    fc.assert(
      fc.property(adverts, (advert) => {
        assert.deepEqual(readAdvert(writeAdvert(advert)), { ok: true, value: advert });
      }),
    );
  });

  it('reads every packet as it was written', () => {
    const identifications = fc.integer({ min: 0, max: 0xffff });
    const payloads = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(addresses, addresses, identifications, payloads, (...parts) => {
        const [source, destination, identification, payload] = parts;
        const packet = writeCarpPacket({ source, destination, identification }, payload);
        const expected = {
          source,
          destination,
          protocol: CARP_PROTOCOL,
          ttl: CARP_TTL,
          fragment: false,
          checksumRight: true,
          payload,
        };
        assert.deepEqual(readIpv4(packet), { ok: true, value: expected });
      }),
    );
  });

  it('reads every IPv4 address as it is written', () => {
    fc.assert(fc.property(addresses, (value) => assert.equal(parseIpv4(formatIpv4(value)), value)));
  });

  it('gives every group one of the 2^23 multicast MACs', () => {
    fc.assert(
      fc.property(addresses, (group) => {
        assert.match(multicastMac(group), /^01:00:5e:[0-7][0-9a-f]:[0-9a-f]{2}:[0-9a-f]{2}$/);
      }),
    );
  });
});

describe('internetChecksum', () => {
  const evenBytes = fc
    .uint8Array({ minLength: 2, maxLength: 64 })
    .map((bytes) => bytes.subarray(0, bytes.length & ~1));

  it('is a sum of 16 bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), (bytes) => {
        const sum = internetChecksum(bytes);
        assert.ok(
          Number.isInteger(sum) && sum >= 0 && sum <= 0xffff,
          'Number.isInteger(sum) && sum >= 0 && sum <= 0xffff',
        );
      }),
    );
  });

  it('is zero over data with the sum in it, wherever it stands', () => {
    fc.assert(
      fc.property(evenBytes, fc.nat(), (bytes, place) => {
        const offset = (place % (bytes.length / 2)) * 2;
        const data = changed(bytes, { [offset]: 0, [offset + 1]: 0 });
        new DataView(data.buffer).setUint16(offset, internetChecksum(data));
        assert.equal(internetChecksum(data), 0);
      }),
    );
  });

  it('does not depend on the order of the words, and an odd byte is padded with zero', () => {
    fc.assert(
      fc.property(evenBytes, byte, (bytes, last) => {
        const words = bytes.length / 2;
        const reversed = Uint8Array.from({ length: bytes.length }, (_, index) => {
          return bytes[2 * (words - 1 - (index >>> 1)) + (index & 1)] ?? 0;
        });
        assert.equal(internetChecksum(reversed), internetChecksum(bytes));
        const odd = Uint8Array.of(...bytes, last);
        assert.equal(internetChecksum(odd), internetChecksum(Uint8Array.of(...odd, 0)));
      }),
    );
  });
});
