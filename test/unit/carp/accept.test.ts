// Every reason to drop a packet has a case here, and so has every oddity that ucarp accepts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptPacket,
  DROP_REASONS,
  type DropReason,
  type CarpGroup,
} from '../../../src/carp/accept.ts';
import { writeAdvert, type Advert } from '../../../src/carp/advert.ts';
import { CARP_MULTICAST } from '../../../src/carp/group.ts';
import {
  accept,
  address,
  advertPacket,
  bytesOf,
  CAPTURED,
  changed,
  COUNTER,
  GROUP,
  KEY,
  LISTENER,
  OWN_SOURCE,
  packetAround,
  signedAdvert,
  SOURCE,
  summed,
  virtualHostId,
  vrrp2,
} from '../../support/packets.ts';

interface DropCase {
  readonly what: string;
  readonly packet: Uint8Array;
  /** What could still be read of the packet. */
  readonly from?: typeof SOURCE;
  readonly vhid?: number;
}

const CAPTURED_BYTES = bytesOf(CAPTURED);
const otherVhid = { ...KEY, vhid: virtualHostId(43) };
const withPayload = (payload: Uint8Array) => ({ packet: packetAround(payload), from: SOURCE });
/** A payload of `length` bytes with the header's own first bytes, and nothing that sums up. */
const stub = (length: number, first: number) => {
  const payload = new Uint8Array(length);
  payload.set([first, 42, 0, 7].slice(0, length));
  return payload;
};

const CASES: Record<DropReason, readonly DropCase[]> = {
  truncated: [
    { what: 'no bytes at all', packet: new Uint8Array(0) },
    { what: '19 bytes of an IPv4 header', packet: CAPTURED_BYTES.subarray(0, 19) },
    { what: 'a packet one byte short of its length', packet: CAPTURED_BYTES.subarray(0, 55) },
    {
      what: 'header options that do not fit',
      packet: changed(CAPTURED_BYTES, { 0: 0x4f, 3: 60 }).subarray(0, 40),
    },
  ],
  'not-ipv4': [
    { what: 'an IPv6 packet', packet: changed(CAPTURED_BYTES, { 0: 0x60 }) },
    { what: 'one byte of zero', packet: new Uint8Array(1) },
  ],
  'bad-ip-header': [
    { what: 'a header of 16 bytes', packet: changed(CAPTURED_BYTES, { 0: 0x44 }) },
    { what: 'a total length below the header', packet: changed(CAPTURED_BYTES, { 3: 19 }) },
  ],
  'other-protocol': [
    { what: 'UDP', packet: summed(changed(CAPTURED_BYTES, { 9: 17 })), from: SOURCE },
  ],
  'bad-ip-checksum': [
    { what: 'a changed identification', packet: changed(CAPTURED_BYTES, { 5: 0 }), from: SOURCE },
    {
      what: 'an IPv4 sum and a CARP sum that cancel each other out (ucarp lets it pass)',
      packet: changed(CAPTURED_BYTES, { 11: 0x95 + 5, 27: 0xcd - 5 }),
      from: SOURCE,
    },
  ],
  fragment: [
    {
      what: 'more fragments to come',
      packet: summed(changed(CAPTURED_BYTES, { 6: 0x20 })),
      from: SOURCE,
    },
    { what: 'a later fragment', packet: summed(changed(CAPTURED_BYTES, { 7: 1 })), from: SOURCE },
  ],
  'own-packet': [
    {
      what: 'our own source address',
      packet: packetAround(writeAdvert(signedAdvert()), { source: OWN_SOURCE }),
      from: OWN_SOURCE,
    },
  ],
  'bad-ttl': [
    { what: 'TTL 254', packet: summed(changed(CAPTURED_BYTES, { 8: 254 })), from: SOURCE },
    {
      what: 'TTL 1, of a vhid we do not have',
      packet: summed(changed(advertPacket({}, otherVhid), { 8: 1 })),
      from: SOURCE,
    },
  ],
  'bad-length': [
    { what: 'an empty payload', ...withPayload(new Uint8Array(0)) },
    { what: 'a payload of 1 byte', ...withPayload(stub(1, 0x21)) },
    { what: 'a payload of 3 bytes', ...withPayload(stub(3, 0x31)), vhid: 42 },
    { what: 'a header one byte short', ...withPayload(stub(35, 0x21)), vhid: 42 },
    {
      what: "VRRPv2's length with a wrong sum",
      packet: packetAround(changed(vrrp2(1), { 6: 1 })),
      from: SOURCE,
      vhid: 42,
    },
    {
      what: "VRRPv2's length with the type of no VRRP message",
      ...withPayload(changed(vrrp2(1), { 0: 0x22, 2: 99 })),
      vhid: 42,
    },
    {
      what: 'VRRPv2 without addresses',
      ...withPayload(vrrp2(0)),
      vhid: 42,
    },
  ],
  'bad-version': [
    {
      what: 'version 1',
      packet: summed(changed(CAPTURED_BYTES, { 20: 0x11 })),
      from: SOURCE,
      vhid: 42,
    },
  ],
  'bad-checksum': [
    { what: 'another sum', packet: changed(CAPTURED_BYTES, { 27: 0 }), from: SOURCE, vhid: 42 },
    {
      what: 'a changed advskew',
      packet: changed(CAPTURED_BYTES, { 22: 4 }),
      from: SOURCE,
      vhid: 42,
    },
  ],
  vrrp: [
    { what: 'VRRPv2 with one address', ...withPayload(vrrp2(1)), vhid: 42 },
    { what: 'VRRPv2 with five, as long as an advert', ...withPayload(vrrp2(5)), vhid: 42 },
    { what: 'VRRPv2 with six: its sum is right as CARP', ...withPayload(vrrp2(6)), vhid: 42 },
    { what: 'VRRPv2 with seven, likewise', ...withPayload(vrrp2(7)), vhid: 42 },
    { what: 'VRRPv2 with twenty', ...withPayload(vrrp2(20)), vhid: 42 },
    { what: 'VRRPv2 of a router id that no instance has', ...withPayload(vrrp2(5, 7)), vhid: 7 },
    { what: 'VRRPv3 with one address', ...withPayload(stub(12, 0x31)), vhid: 42 },
    { what: 'VRRPv3 as long as an advert', ...withPayload(stub(36, 0x31)), vhid: 42 },
  ],
  'unknown-vhid': [
    { what: 'vhid 43', packet: advertPacket({}, otherVhid), from: SOURCE, vhid: 43 },
    {
      what: 'vhid 0, which nobody may have',
      packet: advertPacket({ vhid: 0 }),
      from: SOURCE,
      vhid: 0,
    },
  ],
  'other-group': [
    {
      what: 'another multicast group',
      packet: packetAround(writeAdvert(signedAdvert()), { destination: address('224.0.0.19') }),
      from: SOURCE,
      vhid: 42,
    },
    {
      what: 'our own address instead of the group',
      packet: packetAround(writeAdvert(signedAdvert()), { destination: OWN_SOURCE }),
      from: SOURCE,
      vhid: 42,
    },
  ],
  'bad-digest': [
    {
      what: 'another passphrase',
      packet: advertPacket({}, { ...KEY, passphrase: Buffer.from('mypasswore') }),
      from: SOURCE,
      vhid: 42,
    },
    {
      what: 'another virtual IP',
      packet: advertPacket({}, { ...KEY, addresses: [address('10.77.0.101')] }),
      from: SOURCE,
      vhid: 42,
    },
    {
      what: 'a counter the digest was not made for',
      packet: packetAround(writeAdvert({ ...signedAdvert(), counter: COUNTER + 1n })),
      from: SOURCE,
      vhid: 42,
    },
  ],
};

describe('packets that are dropped', () => {
  for (const [reason, cases] of Object.entries(CASES)) {
    assert.ok(cases.length > 0, 'cases.length > 0');
    for (const { what, packet, from, vhid } of cases) {
      it(`${reason}: ${what}`, () => {
        assert.deepEqual(accept(packet), { ok: false, reason: { reason, from, vhid } });
      });
    }
  }

  it('has a case for each reason and says in words what each means', () => {
    assert.deepEqual(Object.keys(CASES).sort(), Object.keys(DROP_REASONS).sort());
    for (const text of Object.values(DROP_REASONS)) assert.match(text, /\w+ \w+/);
  });
});

describe('oddities that are accepted, as ucarp does', () => {
  const resummed = (changes: Record<number, number>) => summed(changed(CAPTURED_BYTES, changes));
  const trailing = (bytes: number) => {
    const payload = new Uint8Array(36 + bytes).fill(0xa5);
    payload.set(writeAdvert(signedAdvert()));
    return packetAround(payload);
  };
  const padded = new Uint8Array(60);
  padded.set(CAPTURED_BYTES);
  const options = () => {
    const packet = new Uint8Array(60);
    packet.set(CAPTURED_BYTES.subarray(0, 20));
    packet.set([1, 1, 1, 0], 20);
    packet.set(CAPTURED_BYTES.subarray(20), 24);
    return summed(changed(packet, { 0: 0x46, 3: 60 }));
  };

  const cases: readonly (readonly [string, Uint8Array, Partial<Advert>])[] = [
    ['type 2', resummed({ 20: 0x22 }), {}],
    ['authlen 0', resummed({ 23: 0 }), {}],
    ['authlen 5 in 36 bytes, which are the lengths of VRRPv2', resummed({ 23: 5 }), {}],
    ['demote 200', resummed({ 24: 200 }), { demote: 200 }],
    ['100 trailing bytes', trailing(100), {}],
    ['8 trailing bytes, which are the lengths of VRRPv2', trailing(8), {}],
    ['Ethernet padding behind the packet', padded, {}],
    ['IPv4 options', options(), {}],
    ['another type of service', resummed({ 1: 0xe0 }), {}],
    ['DF not set', resummed({ 6: 0 }), {}],
    ['the bow-out of OpenBSD', resummed({ 22: 255, 25: 255 }), { advskew: 255, advbase: 255 }],
    [
      'timers that the digest does not cover',
      resummed({ 22: 0, 25: 0 }),
      { advskew: 0, advbase: 0 },
    ],
  ];
  for (const [what, packet, fields] of cases) {
    it(what, () => {
      const accepted = accept(packet);
      assert.ok(accepted.ok, 'accepted.ok');
      assert.deepEqual(accepted.value.advert, { ...signedAdvert(), ...fields });
    });
  }

  it('the same counter again, and an older one', () => {
    for (const counter of [COUNTER, COUNTER, COUNTER - 1n, 0n, 0xffffffffffffffffn]) {
      assert.ok(accept(advertPacket({ counter })).ok, 'accept(advertPacket({ counter })).ok');
    }
  });
});

describe('several instances', () => {
  it('finds the one of two with the same vhid by its group', () => {
    const otherGroup: CarpGroup = { key: KEY, destination: address('239.192.200.5') };
    const listener = { ...LISTENER, members: () => [GROUP, otherGroup] };
    const advert = writeAdvert(signedAdvert());
    for (const member of [GROUP, otherGroup]) {
      const accepted = acceptPacket(
        packetAround(advert, { destination: member.destination }),
        listener,
      );
      assert.ok(accepted.ok, 'accepted.ok');
      assert.equal(accepted.value.member, member);
    }
    assert.equal(GROUP.destination, CARP_MULTICAST);
  });

  it('knows all of its own source addresses', () => {
    const ownSources = new Set([OWN_SOURCE, SOURCE]);
    const dropped = acceptPacket(CAPTURED_BYTES, { ...LISTENER, ownSources });
    assert.equal(dropped.ok ? undefined : dropped.reason.reason, 'own-packet');
  });
});
