// What a witnessed frame is read as: by kind, by the fields of ARP replies, and for any bytes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BROADCAST_MAC, type Mac } from '../../../src/base/addresses.ts';
import { readWitnessed, WITNESS_UNCOUNTED } from '../../../src/traffic/witness-reader.ts';
import type { AnswerView, Seen } from '../../../src/traffic/witness-reader.ts';
import { classifyFrame, UNCOUNTED } from '../../../src/carp/frame.ts';
import {
  accept,
  address,
  advertPacket,
  changed,
  mac,
  summed,
  SOURCE,
} from '../../support/packets.ts';
import { OWN_MAC, PEER_MAC } from '../../support/readiness-rig.ts';
import {
  BROADCAST,
  EVIDENCE,
  NOISE,
  arpOf,
  frameOf,
  mostly,
  shapedFrames,
  vlanIds,
  type ArpParts,
  type FrameParts,
} from '../../support/shaped-frames.ts';

const OWN_PORT = mac('02:00:00:00:00:0b');
/** Of another interface of this host. */
const OTHER_MAC = mac('02:00:00:00:00:0c');
const VIEW: AnswerView = {
  macs: new Set([OWN_MAC, OWN_PORT]),
  ownMacs: new Set([OWN_MAC, OWN_PORT, OTHER_MAC]),
  ownVlans: [],
};
const FRAME: Seen = { kind: 'frame', from: PEER_MAC, station: undefined };
/** The same where the sender says who it is. */
const frameOfStation = (station: string): Seen => ({ ...FRAME, station: address(station) });
const GROUP = '01:00:5e:00:00:12';

function read(bytes: Uint8Array, view: AnswerView = VIEW, vlan?: number): Seen {
  return readWitnessed({ bytes, vlan, outgoing: false }, view);
}

function advertFrame(packet: Uint8Array, parts: Partial<FrameParts> = {}): Uint8Array {
  return frameOf({ to: GROUP, type: 0x0800, payload: [...packet], ...parts });
}

describe('adverts', () => {
  it('go to the acceptance checks as packets, which take them', () => {
    const reading = read(advertFrame(advertPacket()));
    assert.ok(reading.kind === 'advert-packet', `an advert, and no ${reading.kind}`);
    assert.deepEqual([reading.packet, reading.from], [advertPacket(), PEER_MAC]);
    const accepted = accept(reading.packet);
    assert.ok(accepted.ok && accepted.value.from === SOURCE, 'accepted, from its source');
  });

  it('padded, in our VLAN, or wrong in what only the checks can tell, too', () => {
    const padded = Uint8Array.from([...advertFrame(advertPacket()), 0, 0, 0, 0]);
    assert.ok(read(padded).kind === 'advert-packet', 'padded');
    const view = { ...VIEW, ownVlans: [7, 100] };
    const tagged = advertFrame(advertPacket(), { tags: [[0x8100, 100]] });
    assert.equal(read(tagged, view, 7).kind, 'advert-packet', 'in our VLAN');
    const forged = changed(advertPacket(), { 55: 0xff });
    assert.equal(read(advertFrame(forged)).kind, 'advert-packet', 'with another digest');
  });

  it('are mere frames as fragments, cut short, or of another protocol', () => {
    for (const [what, packet] of [
      ['first fragment', changed(advertPacket(), { 6: 0x20 })],
      ['later fragment', changed(advertPacket(), { 6: 0x00, 7: 0x01 })],
      ['cut short', advertPacket().subarray(0, 40)],
      ['a header longer than the packet', changed(advertPacket(), { 0: 0x4f, 3: 20 })],
      ['UDP', changed(advertPacket(), { 9: 17 })],
    ] as const) {
      assert.deepEqual(read(advertFrame(summed(packet))), FRAME, what);
    }
  });

  it('are nothing where the frame is nothing', () => {
    const other = advertFrame(advertPacket(), { tags: [[0x8100, 100]] });
    assert.deepEqual(read(other), { kind: 'uncounted', reason: 'other-vlan' });
    const own = advertFrame(advertPacket(), { from: OWN_PORT });
    assert.deepEqual(read(own), { kind: 'uncounted', reason: 'own-source' });
  });
});

describe('ARP', () => {
  const ANSWER: ArpParts = {
    operation: 2,
    senderMac: '02:00:00:00:00:99',
    senderIp: '10.9.0.1',
    targetMac: OWN_MAC,
  };
  const answerOf = (sender: string): Seen => {
    const from = PEER_MAC;
    return { kind: 'arp-reply', address: address('10.9.0.1'), mac: mac(sender), from };
  };
  const STATION = frameOfStation('10.9.0.1');
  const answer = answerOf('02:00:00:00:00:99');
  const table: readonly (readonly [string, ArpParts, Seen])[] = [
    ['an answer, sent by another than it names', ANSWER, answer],
    ['an answer by its sender', { ...ANSWER, senderMac: PEER_MAC }, answerOf(PEER_MAC)],
    ['an answer to another MAC of ours', { ...ANSWER, targetMac: OWN_PORT }, answer],
    ['an answer to a probe for the virtual IP', { ...ANSWER, targetIp: '0.0.0.0' }, answer],
    ['an answer to another station', { ...ANSWER, targetMac: '02:00:00:00:00:77' }, STATION],
    ['a claim, sent as a reply to all', { ...ANSWER, targetMac: BROADCAST }, STATION],
    ['an answer to another interface of ours', { ...ANSWER, targetMac: OTHER_MAC }, STATION],
    [
      'an answer of another interface of ours',
      { ...ANSWER, senderMac: OTHER_MAC },
      { kind: 'uncounted', reason: 'arp-own-sender' },
    ],
    ['an answer for no address', { ...ANSWER, senderIp: '0.0.0.0' }, FRAME],
    ['a request', { ...ANSWER, operation: 1 }, STATION],
    ['a probe', { ...ANSWER, operation: 1, senderIp: '0.0.0.0' }, FRAME],
    ['another operation', { ...ANSWER, operation: 9 }, FRAME],
    [
      'an answer in our name',
      { ...ANSWER, senderMac: OWN_PORT },
      { kind: 'uncounted', reason: 'arp-own-sender' },
    ],
    [
      'an answer in the name of a group',
      { ...ANSWER, senderMac: '03:bf:00:00:00:01' },
      { kind: 'uncounted', reason: 'arp-no-station' },
    ],
    [
      'an answer in the name of nobody',
      { ...ANSWER, senderMac: '00:00:00:00:00:00' },
      { kind: 'uncounted', reason: 'arp-no-station' },
    ],
  ];
  for (const [what, parts, expected] of table) {
    it(`${what}: ${expected.kind}`, () => {
      const bytes = frameOf({ to: OWN_MAC, type: 0x0806, payload: arpOf(parts) });
      assert.deepEqual(read(bytes), expected);
    });
  }

  it('of other hardware or protocols is a frame', () => {
    const bytes = frameOf({ to: OWN_MAC, type: 0x0806, payload: arpOf(ANSWER) });
    for (const at of [15, 16, 18, 19]) assert.deepEqual(read(changed(bytes, { [at]: 99 })), FRAME);
  });

  it('in our VLAN is an answer', () => {
    const tags = [[0x8100, 100]] as const;
    const bytes = frameOf({ to: OWN_MAC, type: 0x0806, tags, payload: arpOf(ANSWER) });
    assert.deepEqual(read(bytes, { ...VIEW, ownVlans: [100] }), answer);
    assert.equal(read(bytes).kind, 'uncounted');
  });
});

describe('other frames', () => {
  for (const [what, parts] of Object.entries(NOISE)) {
    it(`${what} is uncounted, with the judge's reason`, () => {
      const bytes = frameOf(parts);
      const verdict = classifyFrame({ bytes, vlan: undefined, outgoing: false }, VIEW);
      assert.ok(!verdict.ok, 'the judge refuses it');
      assert.deepEqual(read(bytes), { kind: 'uncounted', reason: verdict.reason });
    });
  }

  it('that count are frames', () => {
    for (const what of ['TCP', 'DHCP', 'UDP over IPv6', 'echo request'] as const) {
      assert.deepEqual(read(frameOf(EVIDENCE[what])), FRAME, what);
    }
    assert.deepEqual(read(frameOf(EVIDENCE['ARP request'])), frameOfStation('10.9.0.20'));
  });

  it('deep in VLANs count as well', () => {
    const tags = [
      [0x88a8, 7],
      [0x8100, 8],
      [0x8100, 9],
    ] as const;
    const bytes = frameOf({ ...EVIDENCE['ARP request'], tags });
    assert.deepEqual(read(bytes, { ...VIEW, ownVlans: [7, 8, 9] }), frameOfStation('10.9.0.20'));
  });

  it('the judge of frames and its reasons are part of the list of reasons', () => {
    for (const reason of Object.keys(UNCOUNTED)) {
      assert.ok(reason in WITNESS_UNCOUNTED, reason);
    }
  });
});

it('every sequence of bytes has a reading, which agrees with the judge', () => {
  const kinds = new Map<string, number>();
  const bytes = fc.oneof(
    { weight: 9, arbitrary: shapedFrames },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 120 }) },
  );
  const views = fc.record({
    macs: fc.constantFrom(new Set([OWN_MAC]), new Set<Mac>()),
    ownMacs: fc.constantFrom(new Set([OWN_MAC]), new Set([OWN_MAC, BROADCAST_MAC]), new Set<Mac>()),
    ownVlans: mostly([], fc.array(vlanIds, { maxLength: 3 })),
  });
  const vlans = mostly(undefined, vlanIds);
  fc.assert(
    fc.property(
      bytes,
      views,
      vlans,
      mostly(false, fc.constant(true)),
      (frame, view, vlan, outgoing) => {
        const witnessed = { bytes: frame, vlan, outgoing };
        const before = Uint8Array.from(frame);
        const reading = readWitnessed(witnessed, view);
        kinds.set(reading.kind, (kinds.get(reading.kind) ?? 0) + 1);
        const verdict = classifyFrame(witnessed, view);
        if (reading.kind === 'uncounted') {
          const agreed = verdict.ok
            ? reading.reason === 'arp-own-sender' || reading.reason === 'arp-no-station'
            : reading.reason === verdict.reason;
          assert.ok(agreed, reading.reason);
        } else {
          assert.ok(verdict.ok && reading.from === verdict.value.from, 'counted, from the same');
        }
        if (reading.kind === 'advert-packet') accept(reading.packet);
        assert.deepEqual(frame, before);
      },
    ),
    { numRuns: 10_000 },
  );
  for (const kind of ['advert-packet', 'arp-reply', 'frame', 'uncounted']) {
    assert.ok((kinds.get(kind) ?? 0) > 20, `${kind} was tried: ${JSON.stringify([...kinds])}`);
  }
});
