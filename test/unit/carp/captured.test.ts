// Every frame in test/vectors/ucarp-adverts.json, captured from the real ucarp 1.5.2: read with the
// values it was started with, and written again byte for byte from them. The source MAC is ours to
// choose: ucarp invents one from the vhid, carpd sends from the card's own, and nobody checks it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { acceptPacket, type CarpGroup } from '../../../src/carp/accept.ts';
import { writeAdvert } from '../../../src/carp/advert.ts';
import { BROADCAST_MAC, multicastMac, parseMac } from '../../../src/base/addresses.ts';
import { gratuitousArp } from '../../../src/carp/arp.ts';
import { advertDigest } from '../../../src/carp/digest.ts';
import { ETHERTYPE_IPV4 } from '../../../src/base/ethertypes.ts';
import { readEthernet, writeEthernet } from '../../../src/carp/ethernet.ts';
import { writeCarpPacket } from '../../../src/carp/ipv4.ts';
import { address, bytesOf, hexOf, virtualHostId } from '../../support/packets.ts';

interface CapturedAdvert {
  readonly desc: string;
  readonly password: string;
  readonly vhid: number;
  readonly vip: string;
  readonly source: string;
  readonly group: string;
  readonly broadcast: boolean;
  readonly advbase: number;
  readonly advskew: number;
  readonly counter: string;
  readonly frame: string;
}

interface Captured {
  readonly adverts: readonly CapturedAdvert[];
  readonly gratuitousArps: readonly { readonly mac: string; readonly vip: string; frame: string }[];
}

const FILE = new URL('../../vectors/ucarp-adverts.json', import.meta.url);
const CAPTURED = JSON.parse(readFileSync(FILE, 'utf8')) as Captured;

function groupOf(captured: CapturedAdvert): CarpGroup {
  const key = {
    passphrase: Buffer.from(captured.password),
    vhid: virtualHostId(captured.vhid),
    addresses: [address(captured.vip)],
  };
  return { key, destination: address(captured.group) };
}

function mac(text: string) {
  const value = parseMac(text);
  assert.ok(value !== undefined, 'value !== undefined');
  return value;
}

describe('adverts captured from ucarp', () => {
  it('are there', () => assert.ok(CAPTURED.adverts.length >= 20, 'CAPTURED.adverts.length >= 20'));

  for (const captured of CAPTURED.adverts) {
    const { desc, vhid, advbase, advskew } = captured;
    const member = groupOf(captured);
    const counter = BigInt(`0x${captured.counter}`);
    const digest = advertDigest(member.key, counter);

    it(`${desc}: read`, () => {
      const frame = readEthernet(bytesOf(captured.frame));
      assert.ok(frame.ok, 'frame.ok');
      const accepted = acceptPacket(frame.value.payload, {
        ownSources: new Set(),
        members: (wanted) => (wanted === vhid ? [member] : []),
      });
      assert.ok(accepted.ok, 'accepted.ok');
      assert.equal(accepted.value.from, address(captured.source));
      const advert = { vhid, advbase, advskew, demote: 0, counter, digest };
      assert.deepEqual(accepted.value.advert, advert);
    });

    it(`${desc}: written`, () => {
      const source = mac(`00:00:5e:00:00:${vhid.toString(16).padStart(2, '0')}`);
      const destination = captured.broadcast ? BROADCAST_MAC : multicastMac(member.destination);
      const identification = Number.parseInt(captured.frame.slice(36, 40), 16);
      const ends = {
        source: address(captured.source),
        destination: member.destination,
        identification,
      };
      const advert = writeAdvert({ vhid, advbase, advskew, demote: 0, counter, digest });
      const header = { destination, source, etherType: ETHERTYPE_IPV4 };
      const frame = writeEthernet(header, writeCarpPacket(ends, advert));
      assert.equal(hexOf(frame), captured.frame);
    });
  }
});

describe('announcements captured from ucarp', () => {
  it('are there', () =>
    assert.ok(CAPTURED.gratuitousArps.length > 0, 'CAPTURED.gratuitousArps.length > 0'));

  for (const { mac: card, vip, frame } of CAPTURED.gratuitousArps) {
    it(`${vip}: written`, () => {
      assert.equal(hexOf(gratuitousArp(mac(card), address(vip))), frame);
    });
  }
});
