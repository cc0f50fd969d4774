// The filter of the watch for claims, run as the kernel runs it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  ANY_IPV4,
  BROADCAST_MAC,
  ipv4,
  parseMac,
  type Ipv4,
} from '../../../../src/base/addresses.ts';
import { arpProbe, arpRequest, gratuitousArp } from '../../../../src/carp/arp.ts';
import { claimFilter } from '../../../../src/linux/sockets/claim-filter.ts';
import { runFilter } from '../../../support/bpf.ts';
import { address } from '../../../support/packets.ts';

const VIP = address('10.9.0.100');
const OTHER = address('10.9.0.1');
const SENDER = parseMac('02:00:00:00:00:66') ?? BROADCAST_MAC;
const BROADCAST = 1;

function passes(addresses: readonly Ipv4[], bytes: Uint8Array, packetType = BROADCAST): boolean {
  const frame = { bytes, packetType, vlanTag: undefined };
  return runFilter(claimFilter(addresses), frame) > 0;
}

describe('the filter of claims', () => {
  test('lets through who claims the address, and who probes for it', () => {
    assert.equal(passes([VIP], gratuitousArp(SENDER, VIP)), true);
    assert.equal(passes([VIP], arpRequest(SENDER, VIP, OTHER)), true);
    assert.equal(passes([VIP], arpProbe(SENDER, VIP)), true);
  });

  test('refuses what others ask each other, and who asks for the address', () => {
    assert.equal(passes([VIP], arpRequest(SENDER, OTHER, VIP)), false);
    assert.equal(passes([VIP], gratuitousArp(SENDER, OTHER)), false);
    assert.equal(passes([VIP], arpProbe(SENDER, OTHER)), false);
    assert.equal(passes([VIP], arpRequest(SENDER, ANY_IPV4, OTHER)), false);
    assert.equal(passes([], gratuitousArp(SENDER, VIP)), false);
  });

  test('refuses what is for other hosts or of other VLANs, and what this host sends', () => {
    for (const packetType of [3, 4]) {
      assert.equal(passes([VIP], gratuitousArp(SENDER, VIP), packetType), false);
    }
    for (const packetType of [0, 1, 2]) {
      assert.equal(passes([VIP], gratuitousArp(SENDER, VIP), packetType), true);
    }
  });

  test('refuses other hardware, other protocols and stumps', () => {
    const frame = gratuitousArp(SENDER, VIP);
    for (const at of [15, 16, 18, 19]) {
      assert.equal(passes([VIP], frame.with(at, 0x77)), false, String(at));
    }
    for (let length = 0; length < 32; length += 1) {
      assert.equal(passes([VIP], frame.subarray(0, length)), false, String(length));
    }
  });

  test('lets through every address of up to thousands, and of few no other', () => {
    const some = fc.uniqueArray(fc.integer({ min: 1, max: 0xffffffff }), { maxLength: 128 });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 0xffffffff }), (values, other) => {
        const addresses = values.map(ipv4);
        for (const one of addresses) assert.ok(passes(addresses, gratuitousArp(SENDER, one)));
        const wanted = values.includes(other);
        assert.equal(passes(addresses, gratuitousArp(SENDER, ipv4(other))), wanted);
      }),
      { numRuns: 50 },
    );
    const many = Array.from({ length: 4_000 }, (_, n) => ipv4(0x0a000001 + n * 7 + (n % 5) * 2));
    const filter = claimFilter(many);
    assert.ok(filter.length <= 8 * 1_200, `${filter.length} bytes`);
    for (const one of many) {
      const frame = { bytes: gratuitousArp(SENDER, one), packetType: 1, vlanTag: undefined };
      assert.ok(runFilter(filter, frame) > 0);
    }
  });
});
