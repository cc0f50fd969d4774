// How wide the frame witness is wanted: for the gate, for answers to questions, and in a flood.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LACP, on, PEER, PLAIN } from '../../support/readiness-rig.ts';
import { SegmentRig } from '../../support/segment-rig.ts';

describe('the witness', () => {
  test('is open as the gate wants it, and for answers a while longer', () => {
    const rig = SegmentRig.waiting();
    assert.equal(rig.watch, 'watch any-frame');
    rig.hear();
    // A question has left: its answer is waited for though the gate is open.
    assert.equal(rig.watch, 'watch arp-replies');
    rig.pass(1_400);
    rig.hear({ counter: 2n });
    assert.equal(rig.watch, 'watch arp-replies');
    rig.pass(600);
    assert.equal(rig.watch, 'watch nothing');
  });

  test('hears the masters that a flood keeps from the socket', () => {
    const rig = SegmentRig.waiting();
    rig.give({ kind: 'flood-changed', flooded: true });
    assert.equal(rig.watch, 'watch any-frame');
    rig.hear();
    assert.equal(rig.watch, 'watch adverts masters');
    rig.give({ kind: 'flood-changed', flooded: false });
    assert.equal(rig.watch, 'watch arp-replies');
  });

  test('is open once for a single frame, unless it is open for something else', () => {
    const rig = SegmentRig.waiting({}, { facts: on(LACP) });
    rig.hear();
    // The proof came by the socket: by which port of the bond one frame tells.
    assert.equal(rig.watch, 'watch any-frame then arp-replies');
    rig.give({ kind: 'flood-changed', flooded: true });
    assert.equal(rig.watch, 'watch any-frame then adverts');
    rig.give({ kind: 'flood-changed', flooded: false });
    rig.pass(1_400);
    rig.hear({ counter: 2n });
    rig.pass(600);
    assert.equal(rig.watch, 'watch any-frame once');
    rig.frame();
    assert.equal(rig.watch, 'watch nothing');
  });

  test('is opened anew for a new epoch', () => {
    const rig = SegmentRig.waiting();
    const before = rig.times('watch-frames').length;
    const facts = { ...PLAIN, ifindex: 7 };
    rig.give({ kind: 'facts-read', facts, hasGuests: false });
    assert.equal(rig.times('watch-frames').length, before + 1);
    const last = rig.trace.at(-1)?.effect;
    assert.ok(last?.kind === 'watch-frames' && last.wish?.epoch === rig.segment.link.epoch);
  });

  test('sees the answers that somebody asks for', () => {
    const rig = SegmentRig.waiting();
    rig.hear();
    rig.pass(1_000);
    rig.hear({ counter: 2n });
    rig.pass(1_000);
    const said = rig.give({ kind: 'hosts-asked', addresses: [PEER] });
    assert.deepEqual(said, [`ask ${PEER}`, 'watch arp-replies']);
  });
});
