// Every kind of noise that a silent switch port was seen to emit, and the frames that prove it
// alive.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyFrame, UNCOUNTED, type WitnessView } from '../../../src/carp/frame.ts';
import {
  arpBody,
  BROADCAST,
  frame,
  hopByHop,
  icmp,
  ipv4,
  ipv6,
  NO_IPV6,
  STP,
} from '../../support/frames.ts';
import { OWN_MAC, PEER_MAC } from '../../support/readiness-rig.ts';
import { mac } from '../../support/packets.ts';

const VIEW: WitnessView = { ownMacs: new Set([OWN_MAC, mac('02:00:00:00:00:0b')]), ownVlans: [] };
const HERE = { vlan: undefined, outgoing: false };
const ARP_PAYLOAD = arpBody();
const ARP = frame({ type: 0x0806 }, ARP_PAYLOAD);

const classify = (bytes: Uint8Array, here: Partial<typeof HERE> = {}, view = VIEW) =>
  classifyFrame({ bytes, ...HERE, ...here }, view);

describe('what counts', () => {
  const table: readonly (readonly [string, Uint8Array, string])[] = [
    ['an ARP request', ARP, 'arp'],
    ['an ARP reply to us', frame({ type: 0x0806, to: OWN_MAC }, ARP_PAYLOAD), 'arp'],
    [
      'an ARP frame with a priority tag',
      frame({ type: 0x0806, tags: [0x8100, 0xe000] }, ARP_PAYLOAD),
      'arp',
    ],
    ['TCP over IPv4', frame({ type: 0x0800, to: OWN_MAC }, ipv4(6)), 'ipv4'],
    ['a CARP advert', frame({ type: 0x0800, to: mac('01:00:5e:00:00:12') }, ipv4(112)), 'ipv4'],
    ['DHCP', frame({ type: 0x0800 }, ipv4(17)), 'ipv4'],
    ['UDP over IPv6', frame({ type: 0x86dd }, ipv6(17, icmp(0))), 'ipv6'],
    ['neighbour solicitation', frame({ type: 0x86dd }, ipv6(58, icmp(135))), 'ipv6'],
    ['router advertisement', frame({ type: 0x86dd }, ipv6(58, icmp(134))), 'ipv6'],
    [
      'ping behind a fragment header',
      frame({ type: 0x86dd }, ipv6(44, [58, 9, ...icmp(0).slice(2), ...icmp(128)])),
      'ipv6',
    ],
    ['TCP behind a routing header', frame({ type: 0x86dd }, ipv6(43, [6, 0, ...icmp(0)])), 'ipv6'],
    ['ESP', frame({ type: 0x86dd }, ipv6(50, [])), 'ipv6'],
  ];
  for (const [what, bytes, protocol] of table) {
    it(`${what}: ${protocol}`, () => {
      const verdict = classify(bytes);
      assert.ok(verdict.ok, 'it counts');
      assert.deepEqual([verdict.value.from, verdict.value.protocol], [PEER_MAC, protocol]);
      assert.ok(verdict.value.payload.length > 0, 'what follows the headers is handed on');
    });
  }

  it('tells the sender in lower case, whatever the bytes', () => {
    const verdict = classify(frame({ type: 0x0806, from: mac('0a:bc:de:f0:00:ff') }, ARP_PAYLOAD));
    assert.equal(verdict.ok && verdict.value.from, mac('0a:bc:de:f0:00:ff'));
  });

  it('reads a view of a larger buffer', () => {
    const buffer = new Uint8Array(ARP.length + 8);
    buffer.set(ARP, 5);
    assert.equal(classify(buffer.subarray(5, 5 + ARP.length)).ok, true);
  });
});

describe('what never counts', () => {
  const LLC = [0x42, 0x42, 3, 0, 0, 0, 0, 0];
  const table: readonly (readonly [string, Uint8Array, string])[] = [
    ['LACPDU', frame({ to: mac('01:80:c2:00:00:02'), type: 0x8809 }, [1, 1]), 'link-local'],
    ['LLDP', frame({ to: mac('01:80:c2:00:00:0e'), type: 0x88cc }, [2, 7]), 'link-local'],
    ['STP BPDU', frame({ to: STP, type: 38 }, LLC), 'link-local'],
    ['802.3x pause', frame({ to: mac('01:80:c2:00:00:01'), type: 0x8808 }, [0, 1]), 'link-local'],
    ['EAPOL', frame({ to: mac('01:80:c2:00:00:03'), type: 0x888e }, [1, 1]), 'link-local'],
    [
      'the last link-local group',
      frame({ to: mac('01:80:c2:00:00:0f'), type: 0x0800 }, ipv4(6)),
      'link-local',
    ],
    [
      'PVST+',
      frame({ to: mac('01:00:0c:cc:cc:cd'), type: 50 }, [0xaa, 0xaa, 3]),
      'not-ethernet-ii',
    ],
    [
      'CDP, VTP or DTP',
      frame({ to: mac('01:00:0c:cc:cc:cc'), type: 300 }, [0xaa, 0xaa, 3]),
      'not-ethernet-ii',
    ],
    ['an 802.3 frame of the greatest length', frame({ type: 0x05ff }, LLC), 'not-ethernet-ii'],
    ['a loopback keepalive', frame({ to: PEER_MAC, type: 0x9000 }, [0, 0]), 'other-protocol'],
    ['a LACPDU to one station', frame({ to: OWN_MAC, type: 0x8809 }, [1, 1]), 'other-protocol'],
    ['LLDP to everybody', frame({ type: 0x88cc }, [2, 7]), 'other-protocol'],
    ['pause to one station', frame({ to: OWN_MAC, type: 0x8808 }, [0, 1]), 'other-protocol'],
    ['EAPOL to one station', frame({ to: OWN_MAC, type: 0x888e }, [1, 1]), 'other-protocol'],
    ['ATA over Ethernet', frame({ type: 0x88a2 }, [0, 0]), 'other-protocol'],
    ['the smallest type', frame({ type: 0x0600 }, LLC), 'other-protocol'],
    ['our own frame, reflected', frame({ type: 0x0806, from: OWN_MAC }, ARP_PAYLOAD), 'own-source'],
    [
      'a frame of our own port',
      frame({ type: 0x0806, from: mac('02:00:00:00:00:0b') }, ARP_PAYLOAD),
      'own-source',
    ],
    [
      'a frame from a group',
      frame({ type: 0x0806, from: mac('03:00:00:00:00:02') }, ARP_PAYLOAD),
      'group-source',
    ],
    [
      'a frame from everybody',
      frame({ type: 0x0806, from: BROADCAST }, ARP_PAYLOAD),
      'group-source',
    ],
    [
      'a frame from nobody',
      frame({ type: 0x0806, from: mac('00:00:00:00:00:00') }, ARP_PAYLOAD),
      'group-source',
    ],
    ['IGMP', frame({ to: mac('01:00:5e:00:00:16'), type: 0x0800 }, ipv4(2, 0x46)), 'igmp'],
    ['IPv6 in a frame that says IPv4', frame({ type: 0x0800 }, ipv4(6, 0x65)), 'other-protocol'],
    [
      'IPv4 in a frame that says IPv6',
      frame({ type: 0x86dd }, [0x45, ...ipv6(17, []).slice(1)]),
      'other-protocol',
    ],
    [
      'MLD version 2 report',
      frame({ type: 0x86dd }, ipv6(0, [...hopByHop(58), ...icmp(143)])),
      'mld',
    ],
    ['MLD query', frame({ type: 0x86dd }, ipv6(0, [...hopByHop(58), ...icmp(130)])), 'mld'],
    [
      'MLD version 1 report',
      frame({ type: 0x86dd }, ipv6(0, [...hopByHop(58), ...icmp(131)])),
      'mld',
    ],
    ['MLD done', frame({ type: 0x86dd }, ipv6(0, [...hopByHop(58), ...icmp(132)])), 'mld'],
    ['MLD without its option', frame({ type: 0x86dd }, ipv6(58, icmp(143))), 'mld'],
    [
      'MLD behind destination options',
      frame({ type: 0x86dd }, ipv6(60, [0, 0, 1, 4, 0, 0, 0, 0, ...hopByHop(58), ...icmp(143)])),
      'mld',
    ],
    [
      'MLD behind a long option',
      frame({ type: 0x86dd }, ipv6(0, [58, 1, ...Array<number>(14).fill(1), ...icmp(143)])),
      'mld',
    ],
    [
      'MLD behind an authentication header',
      frame({ type: 0x86dd }, ipv6(51, [58, 4, ...Array<number>(22).fill(0), ...icmp(143)])),
      'mld',
    ],
    [
      'MLD behind a fragment header',
      frame({ type: 0x86dd }, ipv6(44, [58, 9, ...icmp(0).slice(2), ...icmp(143)])),
      'mld',
    ],
    ['router solicitation', frame({ type: 0x86dd }, ipv6(58, icmp(133))), 'router-solicitation'],
    [
      'duplicate address detection',
      frame({ type: 0x86dd }, ipv6(58, icmp(135), NO_IPV6)),
      'unspecified-source',
    ],
    [
      'MLD from ::',
      frame({ type: 0x86dd }, ipv6(0, [...hopByHop(58), ...icmp(143)], NO_IPV6)),
      'unspecified-source',
    ],
    [
      'a frame of a VLAN',
      frame({ type: 0x0806, tags: [0x8100, 0x0064] }, ARP_PAYLOAD),
      'other-vlan',
    ],
    [
      'a frame of a provider VLAN',
      frame({ type: 0x0806, tags: [0x88a8, 0x0064] }, ARP_PAYLOAD),
      'other-vlan',
    ],
    ['no bytes', new Uint8Array(0), 'truncated'],
    ['half a header', ARP.subarray(0, 13), 'truncated'],
    ['half a tag', frame({ type: 0x8100 }, [0, 1, 8]), 'truncated'],
    ['half an ARP packet', ARP.subarray(0, 14 + 27), 'truncated'],
    ['half an IPv4 header', frame({ type: 0x0800 }, ipv4(6).slice(0, 19)), 'truncated'],
    ['half an IPv6 header', frame({ type: 0x86dd }, ipv6(17, []).slice(0, 39)), 'truncated'],
    ['an extension header cut off', frame({ type: 0x86dd }, ipv6(0, [58])), 'truncated'],
    ['an extension header left out', frame({ type: 0x86dd }, ipv6(0, [])), 'truncated'],
    ['an ICMPv6 packet cut off', frame({ type: 0x86dd }, ipv6(0, hopByHop(58))), 'truncated'],
  ];
  for (const [what, bytes, reason] of table) {
    it(`${what}: ${reason}`, () => assert.deepEqual(classify(bytes), { ok: false, reason }));
  }

  it('a frame that this host sent', () => {
    assert.deepEqual(classify(ARP, { outgoing: true }), { ok: false, reason: 'outgoing' });
  });

  it('is all there is: each reason is tried here', () => {
    const tried = new Set([...table.map(([, , reason]) => reason), 'outgoing']);
    assert.deepEqual([...tried].sort(), Object.keys(UNCOUNTED).sort());
  });
});

describe('VLANs', () => {
  const tagged = (...tags: number[]) => frame({ type: 0x0806, tags }, ARP_PAYLOAD);
  const onVlan = (...ownVlans: number[]): WitnessView => ({ ...VIEW, ownVlans });
  const table: readonly (readonly [
    string,
    Uint8Array,
    number | undefined,
    WitnessView,
    boolean,
  ])[] = [
    ['a tag the kernel took out, of ours', ARP, 100, onVlan(100), true],
    ['a tag the kernel took out, of another', ARP, 101, onVlan(100), false],
    ['an untagged frame on a trunk', ARP, undefined, onVlan(100), false],
    ['a priority tag that was taken out', ARP, 0, VIEW, true],
    ['a tag the kernel took out, where there is no VLAN', ARP, 100, VIEW, false],
    [
      'a tag in the bytes, of ours, with priority',
      tagged(0x8100, 0xa064),
      undefined,
      onVlan(100),
      true,
    ],
    ['a tag in the bytes, of another', tagged(0x8100, 0x0065), undefined, onVlan(100), false],
    [
      'a VLAN in a VLAN, both ours',
      tagged(0x88a8, 0x0007, 0x8100, 0x0064),
      undefined,
      onVlan(7, 100),
      true,
    ],
    [
      'the same, in the other order',
      tagged(0x88a8, 0x0064, 0x8100, 0x0007),
      undefined,
      onVlan(7, 100),
      false,
    ],
    ['one tag taken out and one in the bytes', tagged(0x8100, 0x0064), 7, onVlan(7, 100), true],
    ['only the outer one of ours', ARP, 7, onVlan(7, 100), false],
    ['a VLAN within ours', tagged(0x8100, 0x0064), 7, onVlan(7), false],
  ];
  for (const [what, bytes, vlan, view, counts] of table) {
    it(`${what} ${counts ? 'counts' : 'does not count'}`, () => {
      const verdict = classifyFrame({ bytes, vlan, outgoing: false }, view);
      assert.equal(verdict.ok, counts);
      if (!verdict.ok) assert.equal(verdict.reason, 'other-vlan');
    });
  }
});
