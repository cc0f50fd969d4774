// The kernel filter only spares work: nothing that counts may be lost in it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readWitnessed } from '../../src/daemon/witness-reader.ts';
import { witnessFilter } from '../../src/linux/frame-filter.ts';
import { classifyFrame, type WitnessView } from '../../src/readiness/frame.ts';
import { runFilter } from '../support/bpf.ts';
import { arpBody, frame, hopByHop, icmp, ipv4, ipv6, word } from '../support/frames.ts';
import { OWN_MAC, PEER_MAC } from '../support/readiness-rig.ts';

const RUNS = 5_000;

const macs = fc.constantFrom(OWN_MAC, PEER_MAC, PEER_MAC, '01:80:c2:00:00:02', '01:00:5e:00:00:12');
const tags = fc.constantFrom<readonly number[]>(
  [],
  [0x8100, 7],
  [0x8100, 0],
  [0x88a8, 5, 0x8100, 7],
);
const sound = fc.constantFrom<readonly [number, readonly number[]]>(
  [0x0806, arpBody(1)],
  [0x0806, arpBody(2)],
  [0x0800, ipv4(112)],
  [0x0800, [...ipv4(112), ...Array<number>(60).fill(0)]],
  [0x0800, ipv4(2)],
  [0x0800, ipv4(6)],
  [0x86dd, ipv6(17, icmp(0))],
  [0x86dd, ipv6(0, [...hopByHop(58), ...icmp(143)])],
);
const types = fc.constantFrom(0x0806, 0x0800, 0x86dd, 0x9000, 0x88cc, 38, 0x8809);
const odd = fc.tuple(types, fc.array(fc.nat({ max: 255 }), { maxLength: 80 }));
const shaped = fc
  .record({ to: macs, from: macs, tags, content: fc.oneof(sound, sound, odd), keep: fc.nat(100) })
  .map(({ content: [type, body], keep, ...header }) => {
    const whole = frame({ ...header, type }, body);
    return keep < 20 ? whole.subarray(0, keep * 3) : whole;
  });
const frames = fc.oneof(shaped, shaped, shaped, fc.uint8Array({ maxLength: 100 }));
const views: fc.Arbitrary<WitnessView> = fc.record({
  ownMacs: fc.constant(new Set([OWN_MAC])),
  ownVlans: fc.constantFrom<readonly number[]>([], [7], [5, 7]),
});
const vlans = fc.constantFrom(undefined, 0, 5, 7);

describe('any frame', () => {
  it('that counts passes the filter for any frame', () => {
    let counted = 0;
    const property = fc.property(frames, views, vlans, (bytes, view, vlan) => {
      const verdict = classifyFrame({ bytes, vlan, outgoing: false }, view);
      if (!verdict.ok) return;
      counted += 1;
      assert.ok(runFilter(witnessFilter('any-frame'), bytes) > 0, 'it is let through');
    });
    fc.assert(property, { numRuns: RUNS });
    assert.ok(counted > RUNS / 100, `only ${String(counted)} of the frames counted`);
  });

  it('that is an advert or an answer passes the narrower filters too', () => {
    const seen = { advert: 0, answer: 0 };
    const property = fc.property(frames, views, vlans, (bytes, view, vlan) => {
      const { kind } = readWitnessed({ bytes, vlan, outgoing: false }, view);
      if (kind !== 'advert-packet' && kind !== 'arp-reply') return;
      seen[kind === 'arp-reply' ? 'answer' : 'advert'] += 1;
      assert.ok(runFilter(witnessFilter('adverts'), bytes) > 0, 'it is let through');
      const answersOnly = runFilter(witnessFilter('arp-replies'), bytes) > 0;
      assert.equal(answersOnly, kind === 'arp-reply');
    });
    fc.assert(property, { numRuns: RUNS });
    assert.ok(seen.advert > 0 && seen.answer > 0, JSON.stringify(seen));
  });

  it('is read without an exception, from any place in a buffer', () => {
    const property = fc.property(frames, views, vlans, (bytes, view, vlan) => {
      const buffer = Uint8Array.from([...word(0xffff), ...bytes, 0xff]);
      const moved = buffer.subarray(2, 2 + bytes.length);
      const here = { vlan, outgoing: false };
      assert.deepEqual(
        readWitnessed({ bytes: moved, ...here }, view),
        readWitnessed({ bytes, ...here }, view),
      );
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});
