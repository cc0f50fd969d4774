// The order in which a segment acts: the gate before the election, the link before the instances,
// what was heard before what is due; and what of its two machines is told to whom.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvariantError } from '../../../src/base/assert.ts';
import { fromMillis, fromSeconds, micros } from '../../../src/base/time.ts';
import { BOW_OUT } from '../../../src/carp/advert.ts';
import { UNHEARD_ADVSKEW } from '../../../src/election/bid.ts';
import { Election } from '../../../src/election/machine.ts';
import { LinkReadiness } from '../../../src/readiness/link.ts';
import type { LinkEffect } from '../../../src/segment/effects.ts';
import type { SegmentInput } from '../../../src/segment/inputs.ts';
import { isLateWake } from '../../../src/segment/late-wake.ts';
import { Segment } from '../../../src/segment/segment.ts';
import {
  INSTANCE,
  LACP,
  NO_CARRIER,
  on,
  PEER,
  PEER_MAC,
  PLAIN,
} from '../../support/readiness-rig.ts';
import { DEFAULTS, LOWER, OWN } from '../../support/rig.ts';
import { SegmentRig } from '../../support/segment-rig.ts';
import { address, mac } from '../../support/packets.ts';

const ELECTED = /^\w+: (?!gate|doubt|heard)/;

/** Those of the effects that the election of an instance has. */
function elected(effects: readonly string[]): readonly string[] {
  return effects.filter((text) => ELECTED.test(text));
}

describe('an advert', () => {
  test('is judged by the gate first, and heard by an election whose gate it has opened', () => {
    const rig = SegmentRig.waiting();
    assert.equal(rig.state(), 'HELD');
    const effects = rig.hear();
    assert.equal(effects[0], 'db: heard by socket');
    assert.ok(effects.indexOf('db: gate open') < effects.indexOf('db: HELD -> BACKUP gate-opened'));
    assert.equal(rig.state(), 'BACKUP');
    assert.equal(rig.segment.election('db')?.master?.heardAt, rig.now);
    assert.equal(rig.segment.election('db')?.masterDownAt, fromSeconds(3));
  });

  test('a bow-out that opens the gate is obeyed at once', () => {
    const rig = SegmentRig.waiting();
    rig.hear({ advbase: BOW_OUT, advskew: BOW_OUT });
    assert.equal(rig.state(), 'MASTER');
  });

  test('a worse master is preempted only where the link has proved itself towards it', () => {
    const rig = SegmentRig.waiting({ preempt: true }, { election: { preempt: true } });
    const hear = (): void => void rig.hear({ advskew: 100 }, { from: LOWER });
    for (let second = 0; second < 5; second += 1) {
      hear();
      rig.pass(1_000);
    }
    hear();
    assert.equal(rig.state(), 'BACKUP');
    rig.pass(500);
    const { epoch } = rig.segment.link;
    rig.give({ kind: 'probe-answered', address: address('10.77.0.1'), mac: PEER_MAC, epoch });
    hear();
    assert.equal(rig.state(), 'MASTER');
  });

  test('of a guest of this host proves nothing, as long as nobody saw it come in', () => {
    const rig = SegmentRig.waiting();
    rig.give({ kind: 'facts-read', facts: PLAIN, hasGuests: true });
    rig.hear();
    assert.equal(rig.state(), 'HELD');
    rig.witness({ counter: 2n });
    rig.hear({ counter: 2n });
    assert.equal(rig.state(), 'BACKUP');
  });

  test('that waited in the socket as the epoch ended proves nothing', () => {
    const rig = SegmentRig.waiting();
    rig.frame();
    const epoch = rig.segment.link.epoch;
    rig.give({ kind: 'facts-read', facts: NO_CARRIER, hasGuests: false });
    rig.give({ kind: 'facts-read', facts: PLAIN, hasGuests: false });
    rig.hear();
    assert.equal(rig.state(), 'HELD');
    assert.ok(rig.segment.link.epoch > epoch);
    rig.give({ kind: 'socket-emptied', epoch: rig.segment.link.epoch });
    rig.hear({ counter: 2n });
    assert.equal(rig.state(), 'BACKUP');
  });

  test('that only the witness sees is heard after a moment, and what keeps it is told', () => {
    const rig = SegmentRig.waiting();
    rig.witness();
    assert.equal(rig.segment.readsSocket(rig.now), false);
    rig.now = fromMillis(50);
    assert.equal(rig.segment.readsSocket(rig.now), true);
    const said = rig.wake().flat();
    assert.ok(said.includes('db: heard by witness, looking'));
    rig.give({ kind: 'obstacle-found', obstacle: 'reverse-path' });
    rig.witness({ counter: 2n });
    const flushed = rig.give({ kind: 'sockets-read' });
    assert.equal(flushed[0], 'db: heard by witness, reverse-path');
    assert.deepEqual(rig.segment.link.snapshotOf('db')?.warnings, ['adverts-kept-by-rp-filter']);
    rig.hear({ counter: 3n });
    rig.witness({ counter: 4n });
    // What is in the way next time may be another thing.
    assert.equal(rig.give({ kind: 'sockets-read' })[0], 'db: heard by witness, looking');
  });

  test('that only the witness sees in a flood is heard as if the socket had got it', () => {
    const rig = SegmentRig.waiting();
    rig.give({ kind: 'flood-changed', flooded: true });
    rig.witness();
    assert.equal(rig.give({ kind: 'sockets-read' })[0], 'db: heard by socket');
  });

  test('of an instance that has gone is of no effect', () => {
    const rig = SegmentRig.waiting();
    rig.give({ kind: 'instance-removed', name: 'db' });
    assert.deepEqual(rig.hear(), []);
    assert.deepEqual(rig.tell({ kind: 'handover-requested' }), []);
  });

  test('that nobody believes is told of once', () => {
    const rig = SegmentRig.waiting();
    const dropped = { reason: 'bad-digest', from: undefined, vhid: 7 } as const;
    rig.give({ kind: 'packet-refused', heardBy: 'witness', dropped });
    const told = rig.give({ kind: 'packet-refused', heardBy: 'socket', dropped });
    assert.deepEqual(told, ['refused bad-digest']);
    rig.pass(11_000);
    rig.give({ kind: 'packet-refused', heardBy: 'witness', dropped });
    rig.pass(100);
    assert.equal(rig.times('packet-refused').length, 2);
  });
});

describe('a wake-up', () => {
  test('does one thing at a time: the look at the link, the link, then each instance', () => {
    const rig = SegmentRig.waiting();
    rig.add('web');
    rig.frame();
    rig.now = fromSeconds(3);
    const order = rig.wake().map((effects) => effects.filter((text) => !text.startsWith('ask')));
    const promoted = order.map((effects) => elected(effects).map((text) => text.slice(0, 3)));
    assert.deepEqual(order[0], ['look-again']);
    assert.deepEqual(
      promoted.filter((names) => names.length > 0).map(([name]) => name),
      ['db:', 'web'],
    );
  });

  test('a gate that closes for silence does so before its instance is promoted by it', () => {
    const gate = { ...INSTANCE.gate, requireProbe: true };
    const rig = SegmentRig.waiting({ gate, targets: [PEER] });
    rig.pass(1);
    const { epoch } = rig.segment.link;
    rig.give({ kind: 'probe-answered', address: PEER, mac: PEER_MAC, epoch });
    rig.hear();
    assert.equal(rig.state(), 'BACKUP');
    // Both are due at this instant.
    assert.equal(rig.segment.election('db')?.masterDownAt, fromMillis(3_001));
    rig.now = fromMillis(3_001);
    rig.wake();
    assert.equal(rig.state(), 'HELD');
    assert.deepEqual(rig.segment.link.snapshotOf('db')?.gate.reasons, ['no-answer-since-advert']);
  });

  test('before its time changes nothing', () => {
    const rig = SegmentRig.waiting();
    rig.wake();
    assert.deepEqual(rig.give({ kind: 'woken' }), []);
  });

  test('that could make it master waits for the sockets, that of a master does not', () => {
    const rig = SegmentRig.waiting();
    rig.frame();
    assert.equal(rig.segment.awaitsSilence(fromMillis(2_999)), false);
    assert.equal(rig.segment.awaitsSilence(fromMillis(3_000)), true);
    rig.pass(3_000);
    assert.equal(rig.state(), 'MASTER');
    assert.equal(rig.segment.awaitsSilence(fromSeconds(10)), false);
  });

  test('after a flood the silence of a master counts from its end', () => {
    const rig = SegmentRig.waiting();
    rig.hear();
    rig.now = fromSeconds(3);
    while ((rig.segment.deadline() ?? Infinity) <= rig.now) {
      rig.give({ kind: 'woken', unheardUntil: fromSeconds(2) });
    }
    assert.equal(rig.state(), 'BACKUP');
    assert.equal(rig.segment.election('db')?.masterDownAt, fromSeconds(5));
  });

  test('leaves what has become due since the sockets were read', () => {
    const rig = SegmentRig.waiting();
    rig.frame();
    rig.now = fromMillis(3_100);
    const dueBy = fromMillis(2_999);
    while ((rig.segment.deadline() ?? Infinity) <= dueBy) rig.give({ kind: 'woken', dueBy });
    assert.equal(rig.state(), 'BACKUP');
    assert.deepEqual(rig.give({ kind: 'woken', dueBy }), []);
    rig.wake();
    assert.equal(rig.state(), 'MASTER');
  });

  test('a bond is looked at more often', () => {
    const looks = (facts: typeof PLAIN): number => {
      const rig = SegmentRig.waiting({}, { facts });
      rig.pass(1_999);
      return rig.times('look-again').length;
    };
    assert.deepEqual([looks(PLAIN), looks(on(LACP))], [2, 8]);
  });

  test('nobody is on the interface: nothing is due', () => {
    const rig = new SegmentRig();
    assert.equal(rig.segment.deadline(), undefined);
    rig.add('db');
    rig.give({ kind: 'instance-removed', name: 'db' });
    rig.configure([]);
    rig.pass(60_000);
    assert.deepEqual(rig.times('look-again'), []);
    rig.add('db');
    assert.equal(rig.segment.deadline(), rig.now);
  });
});

describe('a process that stood still', () => {
  test('hears what waited as old, and doubts its path before it acts as a master', () => {
    const rig = SegmentRig.master();
    rig.now = fromSeconds(60);
    const lateBy = fromSeconds(55);
    rig.give({ kind: 'stood-still', lateBy });
    rig.give({ kind: 'sockets-read' });
    const said = rig.give({ kind: 'caught-up', lateBy, facts: PLAIN, hasGuests: false });
    assert.ok(said.includes('db: doubt epoch-ended'));
    assert.equal(rig.segment.election('db')?.effectiveAdvskew, 240);
    const advert = rig
      .wake()
      .flat()
      .find((text) => text.includes('advert'));
    assert.equal(advert, 'db: advert regular 1/240');
  });

  test('takes no bow-out that waited for the last word', () => {
    const rig = SegmentRig.waiting();
    rig.hear();
    rig.give({ kind: 'stood-still', lateBy: fromMillis(100) });
    rig.hear({ advbase: BOW_OUT, advskew: BOW_OUT, counter: 2n });
    assert.equal(rig.state(), 'BACKUP');
    const caughtUp = { facts: PLAIN, hasGuests: false, lateBy: fromMillis(100) };
    rig.give({ kind: 'caught-up', ...caughtUp });
    rig.wake();
    assert.equal(rig.state(), 'MASTER');
  });

  test('takes what it hears from then on for new', () => {
    const rig = SegmentRig.waiting();
    rig.hear();
    rig.give({ kind: 'stood-still', lateBy: fromMillis(100) });
    const caughtUp = { facts: PLAIN, hasGuests: false, lateBy: fromMillis(100) };
    rig.give({ kind: 'caught-up', ...caughtUp });
    rig.hear({ advbase: BOW_OUT, advskew: BOW_OUT, counter: 2n });
    assert.equal(rig.state(), 'MASTER');
  });
});

describe('who takes part', () => {
  test('the readiness knows each change of state before the next input', () => {
    const rig = SegmentRig.waiting();
    const role = () => rig.segment.link.snapshotOf('db')?.role;
    assert.equal(role(), 'waiting');
    rig.frame();
    rig.pass(3_000);
    assert.equal(role(), 'master');
    rig.tell({ kind: 'interface-lost', cause: 'interface-missing' });
    assert.equal(role(), 'inactive');
  });

  test('one whose interface was usable before its gate was known takes part all the same', () => {
    const rig = new SegmentRig();
    rig.give({ kind: 'instance-added', name: 'db', settings: DEFAULTS });
    rig.tell({ kind: 'carrier-changed', up: true });
    rig.tell({ kind: 'interface-ready', source: OWN });
    rig.give({ kind: 'facts-read', facts: PLAIN, hasGuests: false });
    rig.configure([INSTANCE]);
    assert.equal(rig.segment.link.snapshotOf('db')?.role, 'waiting');
    rig.frame();
    assert.equal(rig.state(), 'BACKUP');
  });

  test('who comes under the name of one that has gone knows nothing of it', () => {
    const rig = SegmentRig.master();
    rig.give({ kind: 'instance-removed', name: 'db' });
    assert.equal(rig.state(), undefined);
    rig.give({ kind: 'instance-added', name: 'db', settings: DEFAULTS });
    assert.equal(rig.segment.link.snapshotOf('db'), undefined);
    rig.configure([INSTANCE]);
    assert.equal(rig.segment.link.snapshotOf('db')?.role, 'inactive');
  });

  test('of one that has gone nothing is told, and what was not added is not judged', () => {
    const rig = SegmentRig.waiting();
    rig.give({ kind: 'instance-removed', name: 'db' });
    assert.deepEqual(
      rig.frame().filter((text) => text.startsWith('db')),
      [],
    );
    rig.configure([{ ...INSTANCE, name: 'nobody' }]);
    assert.equal(rig.segment.link.snapshotOf('nobody'), undefined);
  });

  test('a master whose card has another MAC tells its neighbours', () => {
    const rig = SegmentRig.master();
    const facts = { ...PLAIN, mac: mac('02:00:00:00:00:09') };
    const said = rig.give({ kind: 'facts-read', facts, hasGuests: false });
    assert.ok(said.includes('db: announce mac-changed burst'));
  });

  test('who has heard nobody since the last advert takes over, and bids low', () => {
    const rig = SegmentRig.waiting();
    rig.hear();
    rig.pass(3_000);
    assert.equal(rig.state(), 'MASTER');
    assert.equal(rig.segment.election('db')?.effectiveAdvskew, UNHEARD_ADVSKEW);
  });

  test('a takeover is told with when the master was due to be replaced', () => {
    const rig = SegmentRig.waiting();
    rig.hear();
    rig.now = fromMillis(3_200);
    rig.wake();
    const changes = rig.trace.flatMap(({ effect }) =>
      effect.kind === 'elected' && effect.effect.kind === 'state-changed' ? [effect] : [],
    );
    assert.equal(changes.at(-1)?.masterDownAt, fromSeconds(3));
  });

  test('a kind of evidence is told when it is new in its epoch', () => {
    const rig = SegmentRig.waiting();
    assert.ok(rig.frame().includes('evidence frame'));
    assert.ok(!rig.frame().join().includes('evidence'));
    assert.ok(rig.hear().includes('evidence advert frame'));
  });
});

test('who wakes a little late has not stood still', () => {
  assert.deepEqual([isLateWake(fromMillis(50)), isLateWake(fromMillis(51))], [false, true]);
});

test('a segment is made of the real machines', () => {
  const segment = new Segment(micros(0));
  segment.step({ kind: 'instance-added', name: 'db', settings: DEFAULTS }, micros(0));
  assert.equal(segment.election('db')?.state, 'INIT');
  const heard = { kind: 'neighbours-found', addresses: [PEER] } as const;
  assert.deepEqual(segment.step(heard, micros(0)), []);
  segment.step({ kind: 'witness-covers', covers: true }, micros(0));
});

test('what nobody has heard of is a fault of ours', () => {
  const unknown = JSON.parse('{"kind":"unheard-of"}') as SegmentInput & LinkEffect;
  assert.throws(() => new SegmentRig().give(unknown), InvariantError);
  const link = new LinkReadiness(micros(0));
  link.step = () => [unknown];
  const election = (): Election => new Election(DEFAULTS);
  const segment = new Segment(micros(0), { link: () => link, election });
  const frame = { kind: 'frame-heard', from: PEER_MAC, epoch: 1 } as const;
  assert.throws(() => segment.step(frame, micros(0)), InvariantError);
});
