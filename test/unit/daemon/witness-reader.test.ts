// What the daemon makes of a witnessed frame.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeCarpPacket } from '../../../src/carp/ipv4.ts';
import { readWitnessed } from '../../../src/daemon/witness-reader.ts';
import { arpBody, frame, ipv4, ipv6, icmp } from '../../support/frames.ts';
import { address } from '../../support/packets.ts';
import { OWN_MAC, PEER_MAC } from '../../support/readiness-rig.ts';

const VIEW = { ownMacs: new Set([OWN_MAC]), ownVlans: [] };
const GATEWAY_MAC = '02:00:00:00:00:fe';

const read = (bytes: Uint8Array) =>
  readWitnessed({ bytes, vlan: undefined, outgoing: false }, VIEW);

describe('readWitnessed', () => {
  it('hands out the packet of an advert', () => {
    const addresses = {
      source: address('10.9.0.20'),
      destination: address('224.0.0.18'),
      identification: 7,
    };
    const packet = writeCarpPacket(addresses, new Uint8Array(36));
    const seen = read(frame({ type: 0x0800 }, [...packet]));
    assert.deepEqual(seen, { kind: 'advert-packet', packet, from: PEER_MAC });
  });

  it('reads an answer: who has which address', () => {
    const expected = { kind: 'arp-reply', address: address('10.9.0.20'), mac: PEER_MAC };
    assert.deepEqual(read(frame({ type: 0x0806 }, arpBody(2))), expected);
  });

  it('believes the station that the answer names, not the one that sends the frame', () => {
    const seen = read(frame({ type: 0x0806, from: GATEWAY_MAC }, arpBody(2, PEER_MAC)));
    assert.deepEqual(seen, { kind: 'arp-reply', address: address('10.9.0.20'), mac: PEER_MAC });
  });

  it('does not take for an answer what we said ourselves, whoever sends it back', () => {
    const seen = read(frame({ type: 0x0806, from: GATEWAY_MAC }, arpBody(2, OWN_MAC)));
    assert.deepEqual(seen, { kind: 'uncounted', reason: 'own-answer' });
  });

  it('counts every other frame that counts', () => {
    const others = [
      frame({ type: 0x0806 }, arpBody(1)),
      frame({ type: 0x0806 }, arpBody(9)),
      frame({ type: 0x0800 }, [...ipv4(6), 0, 0, 0, 0, 0]),
      frame({ type: 0x0800 }, ipv4(112, 0x46).slice(0, 20)),
      frame({ type: 0x86dd }, ipv6(17, icmp(0))),
    ];
    for (const bytes of others) assert.deepEqual(read(bytes), { kind: 'frame', from: PEER_MAC });
  });

  it('says why a frame does not count', () => {
    const seen = read(frame({ type: 0x0806, from: OWN_MAC }, arpBody()));
    assert.deepEqual(seen, { kind: 'uncounted', reason: 'own-source' });
  });
});
