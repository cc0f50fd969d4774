// What ARP packets say of who has an address.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ANY_IPV4, BROADCAST_MAC, parseMac, ZERO_MAC } from '../../../src/base/addresses.ts';
import type { ArpPacket } from '../../../src/carp/arp.ts';
import { readClaim } from '../../../src/carp/claim.ts';
import { address } from '../../support/packets.ts';

const VIP = address('10.9.0.100');
const OTHER = address('10.9.0.1');
const SENDER = parseMac('02:00:00:00:00:66') ?? BROADCAST_MAC;

function packet(changes: Partial<ArpPacket>): ArpPacket {
  const usual = { operation: 'request', senderMac: SENDER, targetMac: ZERO_MAC } as const;
  return { ...usual, senderIp: VIP, targetIp: VIP, ...changes };
}

describe('a claim', () => {
  test('is an announcement as request or as reply, whatever its target MAC', () => {
    for (const operation of ['request', 'reply'] as const) {
      for (const targetMac of [ZERO_MAC, SENDER]) {
        const claim = readClaim(packet({ operation, targetMac }));
        assert.deepEqual(claim, { address: VIP, form: 'announcement' });
      }
    }
  });

  test('is an answer to anybody, and a question in its name', () => {
    const answer = readClaim(packet({ operation: 'reply', targetIp: OTHER }));
    assert.deepEqual(answer, { address: VIP, form: 'reply' });
    const question = readClaim(packet({ targetIp: OTHER }));
    assert.deepEqual(question, { address: VIP, form: 'request' });
  });

  test('of a probe is for the address that is asked for', () => {
    assert.deepEqual(readClaim(packet({ senderIp: ANY_IPV4 })), { address: VIP, form: 'probe' });
  });

  test('is none in an answer of nobody', () => {
    assert.equal(readClaim(packet({ operation: 'reply', senderIp: ANY_IPV4 })), undefined);
  });
});
