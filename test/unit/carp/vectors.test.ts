// Packets of the real ucarp, in both directions: what we write is byte for byte what it sent, and
// what it sent is read with the values it was given.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ADVERT_BYTES, readAdvert, writeAdvert } from '../../../src/carp/advert.ts';
import { multicastMac, parseMac } from '../../../src/base/addresses.ts';
import { CARP_MULTICAST } from '../../../src/carp/group.ts';
import { internetChecksum } from '../../../src/carp/checksum.ts';
import { advertDigest } from '../../../src/carp/digest.ts';
import { ETHERTYPE_IPV4 } from '../../../src/base/ethertypes.ts';
import { readEthernet, writeEthernet } from '../../../src/carp/ethernet.ts';
import { readIpv4 } from '../../../src/carp/ipv4.ts';
import {
  accept,
  address,
  advertPacket,
  bytesOf,
  CAPTURED,
  CAPTURED_ETHERNET,
  COUNTER,
  GROUP,
  hexOf,
  KEY,
  packetAround,
  signedAdvert,
  SOURCE,
  virtualHostId,
} from '../../support/packets.ts';

describe('the worked vector', () => {
  it('is written as ucarp wrote it, 56 bytes', () => {
    assert.equal(hexOf(advertPacket()), CAPTURED);
  });

  it('is written as ucarp wrote it, 70 bytes with the Ethernet header', () => {
    const source = parseMac('00:00:5e:00:00:2a');
    assert.ok(source !== undefined, 'source !== undefined');
    const header = { destination: multicastMac(CARP_MULTICAST), source, etherType: ETHERTYPE_IPV4 };
    const frame = writeEthernet(header, advertPacket());
    assert.equal(frame.length, 70);
    assert.equal(hexOf(frame), CAPTURED_ETHERNET + CAPTURED);
  });

  it('is read from the frame with the values ucarp was started with', () => {
    const frame = readEthernet(bytesOf(CAPTURED_ETHERNET + CAPTURED));
    assert.ok(frame.ok, 'frame.ok');
    const accepted = accept(frame.value.payload);
    assert.ok(accepted.ok, 'accepted.ok');
    assert.equal(accepted.value.member, GROUP);
    assert.equal(accepted.value.from, SOURCE);
    assert.deepEqual(accepted.value.advert, signedAdvert());
  });

  it('has an IPv4 header that is wholly known', () => {
    const ip = readIpv4(bytesOf(CAPTURED));
    assert.ok(ip.ok, 'ip.ok');
    const { payload, ...header } = ip.value;
    assert.deepEqual(header, {
      source: SOURCE,
      destination: CARP_MULTICAST,
      protocol: 112,
      ttl: 255,
      fragment: false,
      checksumRight: true,
    });
    assert.equal(payload.length, ADVERT_BYTES);
  });

  it('has one IPv4 sum over 20 bytes and over all 56, since the CARP part sums to nothing', () => {
    const bytes = bytesOf(CAPTURED);
    assert.equal(internetChecksum(bytes.subarray(0, 20)), 0);
    assert.equal(internetChecksum(bytes), 0);
  });
});

describe('digests', () => {
  const withAddresses = (...addresses: string[]) =>
    hexOf(advertDigest({ ...KEY, addresses: addresses.map(address) }, COUNTER));

  it('is the HMAC of version, type, vhid, address and counter', () => {
    assert.equal(withAddresses('10.77.0.100'), '7ffb76d2bc4e6e1f70fb0bdb6237b52b379632e0');
  });

  it('hashes two addresses in ascending order, whatever order they come in', () => {
    const expected = 'dc1b614faaeb7edbae237379a63c3c0f69f7df4b';
    assert.equal(withAddresses('10.77.0.100', '10.77.0.101'), expected);
    assert.equal(withAddresses('10.77.0.101', '10.77.0.100'), expected);
  });

  it('sorts addresses as unsigned numbers', () => {
    const reversed = withAddresses('192.0.2.10', '10.0.0.1');
    assert.equal(reversed, withAddresses('10.0.0.1', '192.0.2.10'));
    // As numbers 1.0.0.1 is first, as decimal text it is not; the HMAC was made with openssl.
    assert.equal(withAddresses('10.0.0.1', '1.0.0.1'), '0f53852c296d7784c0b749963c675ba6d028fff0');
  });

  it('agrees with an independent implementation (binary key of 20 bytes, three addresses)', () => {
    const key = {
      passphrase: Uint8Array.from({ length: 20 }, (_, index) => index + 1),
      vhid: virtualHostId(7),
      addresses: ['10.0.0.1', '10.0.0.9', '192.0.2.10'].map(address),
    };
    const counter = 0x0001020304050607n;
    assert.equal(hexOf(advertDigest(key, counter)), '9c40a9b81097cdc55868afcef20fdb5415c55709');
  });

  it('does not change when the key is filled with zeros to 20 bytes, as ucarp does', () => {
    const passphrase = new Uint8Array(20);
    passphrase.set(KEY.passphrase);
    assert.deepEqual(advertDigest({ ...KEY, passphrase }, COUNTER), advertDigest(KEY, COUNTER));
  });
});

describe('headers', () => {
  it('keeps every field of an advert, and all 64 bits of the counter', () => {
    const advert = signedAdvert({
      vhid: 255,
      advskew: 254,
      advbase: 253,
      demote: 252,
      counter: 0xfedcba9876543210n,
    });
    const read = readAdvert(writeAdvert(advert));
    assert.ok(read.ok, 'read.ok');
    assert.deepEqual(read.value, advert);
  });

  it('copies the digest out of the packet, which may be a Buffer that is used again', () => {
    const payload = Buffer.from(writeAdvert(signedAdvert()));
    const read = readAdvert(payload);
    assert.ok(read.ok, 'read.ok');
    payload.fill(0);
    assert.deepEqual(read.value.digest, signedAdvert().digest);
  });

  it('reads a header at an offset of a larger buffer', () => {
    const packet = advertPacket();
    const larger = new Uint8Array(packet.length + 3);
    larger.set(packet, 3);
    assert.ok(accept(larger.subarray(3)).ok, 'accept(larger.subarray(3)).ok');
  });

  it('writes the type of service, DF and TTL of ucarp and the identification it is given', () => {
    const packet = packetAround(new Uint8Array(0));
    assert.equal(hexOf(packet.subarray(0, 10)), '45100014145040' + '00ff70');
  });
});
