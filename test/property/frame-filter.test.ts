// The packet filter of the frame witness against the judge it works for: it may let through too
// much, and never too little.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  WITNESSED_BYTES_MAX,
  witnessFilter,
  type WitnessMode,
} from '../../src/linux/sockets/frame-filter.ts';
import { readArp } from '../../src/carp/arp.ts';
import { readEthernet } from '../../src/carp/ethernet.ts';
import { readIpv4 } from '../../src/carp/ipv4.ts';
import { classifyFrame } from '../../src/carp/frame.ts';
import { runFilter } from '../support/bpf.ts';
import { shapedFrames, vlanIds } from '../support/shaped-frames.ts';
import { OWN_MAC } from '../support/readiness-rig.ts';

const MODES: readonly WitnessMode[] = ['any-frame', 'adverts', 'arp-replies'];
const RUNS = 20_000;

const filters = new Map<string, Uint8Array>();

/** Does the filter let it through? The programs of all VLANs in use are few. */
function passes(
  mode: WitnessMode,
  vlans: readonly number[] | 'any',
  bytes: Uint8Array,
  vlanTag: number | undefined,
  packetType = 1,
): boolean {
  const key = `${mode} ${vlans.toString()}`;
  const filter = filters.get(key) ?? witnessFilter(mode, vlans);
  filters.set(key, filter);
  const taken = runFilter(filter, { bytes, vlanTag, packetType });
  assert.ok(taken === 0 || taken === WITNESSED_BYTES_MAX, `all or nothing, not ${taken} bytes`);
  return taken > 0;
}

const bytes = fc.oneof(
  { weight: 9, arbitrary: shapedFrames },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
);
const vlanTags = fc.oneof(
  fc.constant(undefined),
  fc.tuple(fc.nat(15), vlanIds).map(([upper, id]) => (upper << 12) | id),
);
/** A frame, the tag taken out of it, and the VLANs asked for: often just those it bears. */
const situations = fc
  .record({
    frame: bytes,
    tag: vlanTags,
    fits: fc.boolean(),
    vlans: fc.array(fc.constantFrom(7, 100, 101, 0xfff), { maxLength: 5 }),
  })
  .map(({ frame, tag, fits, vlans }) => {
    const view = { ownMacs: new Set([OWN_MAC]), ownVlans: fits ? vlansOf(frame, tag) : vlans };
    const vlan = tag === undefined ? undefined : tag & 0xfff;
    const verdict = classifyFrame({ bytes: frame, vlan, outgoing: false }, view);
    return { frame, tag, vlans: view.ownVlans, verdict };
  });

/** The 16 bits of each tag in the bytes. */
function tagsIn(frame: Uint8Array): readonly number[] {
  const tags: number[] = [];
  for (let at = 12; at + 6 <= frame.length; at += 4) {
    const [high, low, upper = 0, lower = 0] = frame.subarray(at, at + 4);
    if (!(high === 0x81 && low === 0) && !(high === 0x88 && low === 0xa8)) break;
    tags.push(upper * 256 + lower);
  }
  return tags;
}

function vlansOf(frame: Uint8Array, tag = 0): readonly number[] {
  return [tag, ...tagsIn(frame)].map((bits) => bits & 0xfff).filter((id) => id !== 0);
}

describe('the witness filter', () => {
  it('lets through all that counts, in its mode', () => {
    const counted = { 'any-frame': 0, adverts: 0, 'arp-replies': 0, tagged: 0 };
    fc.assert(
      fc.property(situations, ({ frame, tag, vlans, verdict }) => {
        if (!verdict.ok) return;
        counted['any-frame'] += 1;
        if (vlans.length > 0) counted.tagged += 1;
        assert.ok(passes('any-frame', vlans, frame, tag), `counts as ${verdict.value.protocol}`);
        const read = readEthernet(frame);
        if (!read.ok) return;
        const arp = verdict.value.protocol === 'arp' && readArp(read.value.payload);
        if (arp && arp.ok && arp.value.operation === 'reply') {
          counted['arp-replies'] += 1;
          for (const mode of MODES) assert.ok(passes(mode, vlans, frame, tag), `reply, ${mode}`);
        }
        const ip = verdict.value.protocol === 'ipv4' && readIpv4(read.value.payload);
        if (ip && ip.ok && ip.value.protocol === 112 && !ip.value.fragment) {
          counted.adverts += 1;
          assert.ok(passes('adverts', vlans, frame, tag), 'a packet of protocol 112');
        }
      }),
      { numRuns: RUNS },
    );
    const few = Object.entries(counted).filter(([, count]) => count < RUNS / 400);
    assert.deepEqual(few, [], `too few frames counted: ${JSON.stringify(counted)}`);
  });

  it('lets nothing through that only another VLAN, this host or a wider mode would see', () => {
    fc.assert(
      fc.property(situations, ({ frame, tag, vlans }) => {
        if (!passes('any-frame', vlans, frame, tag)) {
          assert.equal(passes('arp-replies', vlans, frame, tag), false);
        }
        if (!passes('adverts', vlans, frame, tag)) {
          assert.equal(passes('arp-replies', vlans, frame, tag), false);
        }
        assert.equal(passes('any-frame', vlans, frame, tag, 4), false, 'sent by this host');
      }),
      { numRuns: RUNS / 10 },
    );
  });

  it('asked for any VLAN, lets through what that of some VLAN does, and no more', () => {
    fc.assert(
      fc.property(situations, ({ frame, tag }) => {
        if (tagsIn(frame).length > 3) return;
        for (const mode of MODES) {
          const one = passes(mode, vlansOf(frame, tag), frame, tag);
          assert.equal(passes(mode, 'any', frame, tag), one, mode);
        }
      }),
      { numRuns: RUNS / 10 },
    );
  });

  it('refuses nearly all that does not count', () => {
    const reasons = new Map<string, number>();
    fc.assert(
      fc.property(situations, ({ frame, tag, vlans, verdict }) => {
        // A fourth tag is not looked at.
        if (verdict.ok || tagsIn(frame).length > 3) return;
        if (!passes('any-frame', vlans, frame, tag)) return;
        reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
      }),
      { numRuns: RUNS },
    );
    // Extension headers behind the first one are not looked at, and our own address is not known.
    const deep = ['truncated', 'mld', 'router-solicitation', 'own-source'];
    const others = [...reasons.keys()].filter((reason) => !deep.includes(reason));
    assert.deepEqual(others, []);
    const total = [...reasons.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(total < RUNS / 100, `${total} of ${RUNS} passed in vain: ${[...reasons].join(' ')}`);
  });
});
