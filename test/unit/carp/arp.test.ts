// ARP packets: the exact bytes of what carpd sends, and a named reason for what it can't read.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  ANY_IPV4,
  ZERO_MAC,
  ipv4,
  parseIpv4,
  parseMac,
  readMac,
} from '../../../src/base/addresses.ts';
import {
  arpProbe,
  arpRequest,
  gratuitousArp,
  isGratuitous,
  isProbe,
  readArp,
  writeArp,
  type ArpFault,
  type ArpPacket,
} from '../../../src/carp/arp.ts';
import { readEthernet } from '../../../src/carp/ethernet.ts';

const MAC = parseMac('02:11:22:33:44:55') ?? ZERO_MAC;
const VIP = parseIpv4('10.77.0.100') ?? ANY_IPV4;
const SOURCE = parseIpv4('10.77.0.1') ?? ANY_IPV4;

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const macs = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => readMac(bytes, 0));
const ips = fc.integer({ min: 0, max: 0xffffffff }).map(ipv4);
const fields = {
  operation: fc.constantFrom('request' as const, 'reply' as const),
  senderMac: macs,
  senderIp: ips,
  targetMac: macs,
  targetIp: ips,
};
const packets: fc.Arbitrary<ArpPacket> = fc.record(fields, { noNullPrototype: true });

/** A sound request, to be broken byte by byte. */
const SOUND = '0001 0800 06 04 0001 021122334455 0a4d0001 000000000000 0a4d0064';

describe('frames that carpd sends', () => {
  it('announces as the real ucarp was captured to: own MAC three times, the VIP twice', () => {
    assert.equal(
      hexOf(gratuitousArp(MAC, VIP)),
      'ffffffffffff' + // to everybody
        '021122334455' + // from the card
        '0806' +
        '0001080006040001' + // a request
        '021122334455' + // sender: the card
        '0a4d0064' + // the virtual IP
        '021122334455' + // target: the card too
        '0a4d0064',
    );
  });

  it('probes with sender 0.0.0.0 and an empty target (RFC 5227)', () => {
    assert.equal(
      hexOf(arpProbe(MAC, VIP)),
      'ffffffffffff' +
        '021122334455' +
        '0806' +
        '0001080006040001' +
        '021122334455' +
        '00000000' + // nobody's address
        '000000000000' +
        '0a4d0064',
    );
  });

  it('asks with its own address', () => {
    assert.equal(
      hexOf(arpRequest(MAC, SOURCE, VIP)),
      'ffffffffffff0211223344550806' + SOUND.replaceAll(' ', ''),
    );
  });

  it('sends what it can read back', () => {
    const frame = readEthernet(gratuitousArp(MAC, VIP));
    assert.ok(frame.ok);
    const packet = readArp(frame.value.payload);
    assert.ok(packet.ok);
    assert.equal(isGratuitous(packet.value), true);
    assert.equal(isProbe(packet.value), false);
  });
});

describe('readArp', () => {
  it('reads a request', () => {
    assert.deepEqual(readArp(bytesOf(SOUND)), {
      ok: true,
      value: {
        operation: 'request',
        senderMac: MAC,
        senderIp: SOURCE,
        targetMac: ZERO_MAC,
        targetIp: VIP,
      },
    });
  });

  const faults: readonly { desc: string; at: number; value: number; reason: ArpFault }[] = [
    { desc: 'hardware type 6', at: 1, value: 6, reason: 'other-hardware' },
    { desc: 'hardware addresses of 8 bytes', at: 4, value: 8, reason: 'other-hardware' },
    { desc: 'protocol type 0x86dd', at: 2, value: 0x86, reason: 'other-protocol' },
    { desc: 'protocol addresses of 16 bytes', at: 5, value: 16, reason: 'other-protocol' },
    { desc: 'operation 0', at: 7, value: 0, reason: 'other-operation' },
    { desc: 'operation 3, reverse ARP', at: 7, value: 3, reason: 'other-operation' },
    { desc: 'operation 257', at: 6, value: 1, reason: 'other-operation' },
  ];
  for (const { desc, at, value, reason } of faults) {
    it(`refuses ${desc} as ${reason}`, () => {
      const bytes = bytesOf(SOUND);
      bytes[at] = value;
      assert.deepEqual(readArp(bytes), { ok: false, reason });
    });
  }

  it('refuses every packet that was cut', () => {
    for (let length = 0; length < 28; length += 1) {
      const cut = bytesOf(SOUND).subarray(0, length);
      assert.deepEqual(readArp(cut), { ok: false, reason: 'truncated' });
    }
  });

  it('reads what writeArp wrote, whatever padding follows', () => {
    fc.assert(
      fc.property(packets, fc.uint8Array({ maxLength: 18 }), (packet, padding) => {
        const bytes = Uint8Array.from([...writeArp(packet), ...padding]);
        assert.deepEqual(readArp(bytes), { ok: true, value: packet });
      }),
    );
  });

  it('takes any bytes without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const result = readArp(bytes);
        if (result.ok) assert.deepEqual(writeArp(result.value), bytes.slice(0, 28));
      }),
    );
  });
});

describe('what a packet is about', () => {
  const base: ArpPacket = {
    operation: 'request',
    senderMac: MAC,
    senderIp: SOURCE,
    targetMac: ZERO_MAC,
    targetIp: VIP,
  };
  const table = [
    { desc: 'a question', packet: base, probe: false, gratuitous: false },
    { desc: 'a probe', packet: { ...base, senderIp: ANY_IPV4 }, probe: true, gratuitous: false },
    {
      desc: 'a probe for 0.0.0.0',
      packet: { ...base, senderIp: ANY_IPV4, targetIp: ANY_IPV4 },
      probe: true,
      gratuitous: false,
    },
    {
      desc: 'a reply from 0.0.0.0',
      packet: { ...base, operation: 'reply' as const, senderIp: ANY_IPV4 },
      probe: false,
      gratuitous: false,
    },
    { desc: 'a claim', packet: { ...base, senderIp: VIP }, probe: false, gratuitous: true },
    {
      desc: 'a claim in the form of a reply',
      packet: { ...base, operation: 'reply' as const, senderIp: VIP },
      probe: false,
      gratuitous: true,
    },
  ];
  for (const { desc, packet, probe, gratuitous } of table) {
    it(desc, () => {
      assert.equal(isProbe(packet), probe);
      assert.equal(isGratuitous(packet), gratuitous);
    });
  }
});
