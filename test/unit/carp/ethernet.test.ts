// Ethernet headers: tags are skipped, what is no Ethernet II frame has a named reason.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BROADCAST_MAC, readMac, type Mac } from '../../../src/base/addresses.ts';
import { ETHERTYPE_ARP } from '../../../src/base/ethertypes.ts';
import { readEthernet, writeEthernet, type EthernetFault } from '../../../src/carp/ethernet.ts';
import { InvariantError } from '../../../src/base/assert.ts';

const DESTINATION = '020000000001';
const SOURCE = '02aabbccddee';

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const macs = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes): Mac => readMac(bytes, 0));

describe('readEthernet', () => {
  it('reads destination, source, type and payload', () => {
    const frame = readEthernet(bytesOf(`${DESTINATION} ${SOURCE} 0806 010203`));
    assert.deepEqual(frame, {
      ok: true,
      value: {
        destination: '02:00:00:00:00:01',
        source: '02:aa:bb:cc:dd:ee',
        vlanIds: [],
        etherType: 0x0806,
        payload: Uint8Array.of(1, 2, 3),
      },
    });
  });

  const tagged = [
    { desc: 'a customer tag', tags: '8100 6007', vlanIds: [7] },
    { desc: 'a priority tag', tags: '8100 e000', vlanIds: [0] },
    { desc: 'a service tag', tags: '88a8 0fff', vlanIds: [4095] },
    { desc: 'a service tag and a customer tag', tags: '88a8 0064 8100 0007', vlanIds: [100, 7] },
  ];
  for (const { desc, tags, vlanIds } of tagged) {
    it(`skips ${desc}`, () => {
      const frame = readEthernet(bytesOf(`${DESTINATION} ${SOURCE} ${tags} 0800 45`));
      assert.ok(frame.ok);
      assert.deepEqual(frame.value.vlanIds, vlanIds);
      assert.equal(frame.value.etherType, 0x0800);
      assert.deepEqual(frame.value.payload, Uint8Array.of(0x45));
    });
  }

  const faults: readonly { desc: string; hex: string; reason: EthernetFault }[] = [
    { desc: 'nothing', hex: '', reason: 'truncated' },
    { desc: 'a header without its last byte', hex: '08', reason: 'truncated' },
    { desc: 'a tag without a type', hex: '8100 0007', reason: 'truncated' },
    { desc: 'a tag with half a type', hex: '8100 0007 08', reason: 'truncated' },
    { desc: 'an IEEE 802.3 length', hex: '0026 424203', reason: 'not-ethernet-ii' },
    { desc: 'the highest length', hex: '05ff', reason: 'not-ethernet-ii' },
    { desc: 'a length past a tag', hex: '8100 0007 0026 4242', reason: 'not-ethernet-ii' },
    { desc: 'three tags', hex: '88a8 0001 8100 0002 8100 0003 0800', reason: 'too-many-tags' },
  ];
  for (const { desc, hex, reason } of faults) {
    it(`refuses ${desc} as ${reason}`, () => {
      const bytes = hex === '' ? new Uint8Array() : bytesOf(`${DESTINATION} ${SOURCE} ${hex}`);
      assert.deepEqual(readEthernet(bytes), { ok: false, reason });
    });
  }

  it('takes any bytes without an exception, in a view with an offset too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(8), (bytes, offset) => {
        const shifted = new Uint8Array(bytes.length + offset);
        shifted.set(bytes, offset);
        assert.deepEqual(readEthernet(shifted.subarray(offset)), readEthernet(bytes));
      }),
    );
  });
});

describe('writeEthernet', () => {
  it('writes what readEthernet reads', () => {
    const types = fc
      .integer({ min: 0x0600, max: 0xffff })
      .filter((type) => type !== 0x8100 && type !== 0x88a8);
    const payloads = fc.uint8Array({ maxLength: 50 });
    fc.assert(
      fc.property(macs, macs, types, payloads, (destination, source, etherType, payload) => {
        const frame = writeEthernet({ destination, source, etherType }, payload);
        assert.deepEqual(readEthernet(frame), {
          ok: true,
          value: { destination, source, vlanIds: [], etherType, payload },
        });
      }),
    );
  });

  it('refuses a length in the place of the type', () => {
    const header = { destination: BROADCAST_MAC, source: BROADCAST_MAC };
    for (const etherType of [0x05ff, 0x10000]) {
      assert.throws(
        () => writeEthernet({ ...header, etherType }, new Uint8Array()),
        InvariantError,
      );
    }
    assert.equal(
      writeEthernet({ ...header, etherType: ETHERTYPE_ARP }, new Uint8Array()).length,
      14,
    );
  });
});
