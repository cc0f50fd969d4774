// What ends a link epoch, and what must not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds, micros } from '../../../src/base/time.ts';
import { EPOCH_END_CAUSES, EpochTracker, isTooLate } from '../../../src/readiness/epoch.ts';
import type { BondFacts, LinkFacts } from '../../../src/readiness/facts.ts';
import { ACTIVE_BACKUP, LACP, on, PLAIN, READY_PORT } from '../../support/readiness-rig.ts';
import { mac } from '../../support/packets.ts';

const DOWN: LinkFacts = { ...PLAIN, carrier: false };
const UNREAD: LinkFacts = {
  ...PLAIN,
  mac: undefined,
  carrier: undefined,
  carrierLosses: undefined,
  lower: { kind: 'unseen' },
};
const lacp = (changes: Partial<BondFacts>): LinkFacts => on({ ...LACP, ...changes });
const backup = (changes: Partial<BondFacts>): LinkFacts => on({ ...ACTIVE_BACKUP, ...changes });
const WAITING_PORT = { ...READY_PORT, actorState: 7 };
const UNPLUGGED_PORT = { ...READY_PORT, name: 'eth1', ifindex: 11, linkUp: false };
const THIRD_PORT = { ...READY_PORT, name: 'eth2', ifindex: 12 };
const UNREAD_PORT = { ...READY_PORT, actorState: undefined };
const UNREAD_LACP = lacp({
  partnerMac: undefined,
  activeAggregatorId: undefined,
  ports: [UNREAD_PORT, { ...UNREAD_PORT, name: 'eth1', ifindex: 11 }],
});

const RENAMED = {
  ...PLAIN,
  lower: {
    ...LACP,
    name: 'wan0',
    ports: LACP.ports.map((port) => ({ ...port, name: `lan${String(port.ifindex)}` })),
  },
};

/** By these uplinks: an index, or an index and VLANs. */
function by(...uplinks: readonly (number | readonly [number, ...number[]])[]): LinkFacts {
  const read = uplinks.map((uplink) => (typeof uplink === 'number' ? [uplink] : uplink));
  return { ...PLAIN, uplinks: read.map(([ifindex = 0, ...vlans]) => ({ ifindex, vlans })) };
}

/** By a port of a bridge whose table can't be read. */
const TOLD_ABOVE: LinkFacts = { ...PLAIN, uplinks: [{ ifindex: 2, vlans: [], above: 9 }] };

function both(other: LinkFacts): LinkFacts {
  return { ...PLAIN, uplinks: [...TOLD_ABOVE.uplinks, ...other.uplinks] };
}

function observe(
  tracker: EpochTracker,
  facts: LinkFacts | undefined,
  second: number,
  ...proved: readonly number[]
) {
  return tracker.observe(facts, fromSeconds(second), new Set(proved));
}

/** The causes that a row of reports, one a second, gives. */
function causes(...reports: readonly (LinkFacts | undefined)[]): readonly (string | undefined)[] {
  const tracker = new EpochTracker(micros(0));
  return reports.map((facts, index) => observe(tracker, facts, index));
}

describe('an epoch ends', () => {
  const table: readonly (readonly [string, readonly (LinkFacts | undefined)[], string])[] = [
    ['when the carrier is lost', [PLAIN, DOWN], 'carrier-lost'],
    ['when the interface is deleted', [PLAIN, undefined], 'carrier-lost'],
    ['when the carrier was lost unseen', [PLAIN, { ...PLAIN, carrierLosses: 1 }], 'carrier-lost'],
    [
      'when the carrier came and went unseen',
      [DOWN, { ...DOWN, carrierLosses: 1 }],
      'carrier-lost',
    ],
    ['when carrier is lost after a report without it', [PLAIN, UNREAD, DOWN], 'carrier-lost'],
    ['when the MAC changes', [PLAIN, { ...PLAIN, mac: mac('02:00:00:00:00:09') }], 'mac-changed'],
    ['when the ifindex changes', [PLAIN, { ...PLAIN, ifindex: 3 }], 'ifindex-changed'],
    [
      'when a deleted interface comes again',
      [DOWN, undefined, { ...DOWN, ifindex: 3 }],
      'ifindex-changed',
    ],
    [
      'when the last ready port is lost',
      [on(LACP), lacp({ ports: [WAITING_PORT] })],
      'last-port-lost',
    ],
    ['when the last port leaves the bond', [on(LACP), lacp({ ports: [] })], 'last-port-lost'],
    [
      'when the last ready port is lost after reports without it',
      [on(LACP), UNREAD_LACP, lacp({ ports: [WAITING_PORT] })],
      'last-port-lost',
    ],
    [
      'when the last link of an active-backup bond is lost',
      [on(ACTIVE_BACKUP), backup({ ports: [{ ...READY_PORT, linkUp: false }] })],
      'last-port-lost',
    ],
    [
      'when the active aggregator changes',
      [on(LACP), lacp({ activeAggregatorId: 2, ports: [{ ...READY_PORT, aggregatorId: 2 }] })],
      'aggregator-changed',
    ],
    [
      'when the partner changes',
      [on(LACP), lacp({ partnerMac: mac('02:00:00:00:0a:0b') })],
      'partner-changed',
    ],
    [
      'when the first LACPDU names a partner',
      [lacp({ partnerMac: mac('00:00:00:00:00:00') }), on(LACP)],
      'partner-changed',
    ],
    [
      'when the active slave changes',
      [on(ACTIVE_BACKUP), backup({ activePort: 11 })],
      'active-port-changed',
    ],
    [
      'when there is no active slave any more',
      [on(ACTIVE_BACKUP), backup({ activePort: 0 })],
      'active-port-changed',
    ],
    ...(['balance-tlb', 'balance-alb'] as const).map(
      (mode) =>
        [
          `when the active slave changes, ${mode}`,
          [backup({ mode }), backup({ mode, activePort: 11 })],
          'active-port-changed',
        ] as const,
    ),
    ...(['802.3ad', 'balance-xor', 'balance-rr', 'broadcast', 'balance-alb'] as const).flatMap(
      (mode) =>
        [
          [
            `when a ready port leaves, ${mode}`,
            [lacp({ mode }), lacp({ mode, ports: [READY_PORT] })],
            'port-lost',
          ],
          [
            `when a ready port loses its link, ${mode}`,
            [lacp({ mode }), lacp({ mode, ports: [READY_PORT, UNPLUGGED_PORT] })],
            'port-lost',
          ],
        ] as const,
    ),
    [
      'when a port is no longer in step',
      [on(LACP), lacp({ ports: [READY_PORT, { ...WAITING_PORT, name: 'eth1', ifindex: 11 }] })],
      'port-lost',
    ],
    [
      'when a ready port leaves that could not be read before',
      [on(LACP), UNREAD_LACP, lacp({ ports: [READY_PORT] })],
      'port-lost',
    ],
    [
      'when the ready port is another one at once',
      [lacp({ ports: [READY_PORT] }), lacp({ ports: [WAITING_PORT, THIRD_PORT] })],
      'port-lost',
    ],
    ['when the interface moves onto a bond', [PLAIN, on(LACP)], 'uplink-changed'],
    ['when an uplink is exchanged', [PLAIN, by(3)], 'uplink-changed'],
    ['when its VLAN is another one', [by([2, 5]), by([2, 6])], 'uplink-changed'],
    ['when its tags are not known any more', [by([2, 5]), TOLD_ABOVE], 'uplink-changed'],
    ['when one whose tags are not known goes', [TOLD_ABOVE, by(3)], 'uplink-changed'],
    [
      'when a carrier is lost while its tags become known',
      [TOLD_ABOVE, { ...by([2, 5]), carrierLosses: 1 }],
      'carrier-lost',
    ],
    ['when the only uplink goes', [PLAIN, { ...by(), carrier: false }], 'carrier-lost'],
    [
      'when the only port of the bridge leaves it',
      [PLAIN, { ...by(), carrier: false, uplinkFault: 'no-uplink' }],
      'uplink-changed',
    ],
    [
      'when the bridge stops forwarding',
      [PLAIN, { ...by(), carrier: false, uplinkFault: 'uplink-blocked' }],
      'uplink-changed',
    ],
    ['when one of two uplinks goes', [by(2, 3), by(2)], 'uplink-changed'],
    ['when one goes while another comes', [by(2), by(2, 3), by(3, 4)], 'uplink-changed'],
    [
      'when the interface moves to another bond',
      [on(LACP), lacp({ name: 'bond1', ifindex: 9 })],
      'uplink-changed',
    ],
    ['when a bond is made anew under its name', [on(LACP), lacp({ ifindex: 9 })], 'uplink-changed'],
    [
      'when a team is replaced',
      [
        { ...PLAIN, lower: { kind: 'team', name: 'team0', ifindex: 5 } },
        { ...PLAIN, lower: { kind: 'team', name: 'team1', ifindex: 6 } },
      ],
      'uplink-changed',
    ],
  ];
  for (const [what, reports, cause] of table) {
    it(`${what}: ${cause}`, () => {
      const seen = causes(...reports);
      assert.deepEqual(
        seen,
        seen.map((_, index) => (index === seen.length - 1 ? cause : undefined)),
      );
    });
  }

  it('once, by the first cause of several', () => {
    const other = { ...lacp({ partnerMac: mac('02:00:00:00:0a:0b'), ports: [] }), carrier: false };
    assert.deepEqual(causes(on(LACP), other, other), [undefined, 'carrier-lost', undefined]);
    const replaced = { ...other, ifindex: 7, mac: mac('02:00:00:00:00:07') };
    assert.deepEqual(causes(on(LACP), replaced), [undefined, 'ifindex-changed']);
  });

  it('for one of the causes of the list', () => {
    const seen = new Set([...table.map(([, , cause]) => cause), 'late-wake']);
    assert.deepEqual([...seen].sort(), Object.keys(EPOCH_END_CAUSES).sort());
  });
});

describe('an epoch goes on', () => {
  const one = lacp({ ports: [READY_PORT] });
  const table: readonly (readonly [string, readonly (LinkFacts | undefined)[]])[] = [
    ['when the same is reported again', [on(LACP), on(LACP), structuredClone(on(LACP))]],
    ['when a bond and its ports get new names', [on(LACP), RENAMED]],
    [
      'when an active-backup bond and its ports get new names',
      [on(ACTIVE_BACKUP), backup({ name: 'wan0', ports: RENAMED.lower.ports })],
    ],
    [
      'when a team device gets a new name',
      [
        { ...PLAIN, lower: { kind: 'team', name: 'team0', ifindex: 5 } },
        { ...PLAIN, lower: { kind: 'team', name: 'wan0', ifindex: 5 } },
      ],
    ],
    ['when the first report comes', [PLAIN]],
    ['when the first report tells of no interface', [undefined, PLAIN]],
    ['when the carrier comes', [DOWN, PLAIN]],
    ['when a port joins', [one, on(LACP), lacp({ ports: [...LACP.ports, THIRD_PORT] })]],
    ['when a port becomes ready', [lacp({ ports: [WAITING_PORT] }), on(LACP)]],
    ['when nothing can be read for a while', [on(LACP), UNREAD_LACP, UNREAD, on(LACP)]],
    ['when an unread mode comes back', [on(LACP), lacp({ mode: undefined }), on(LACP)]],
    [
      'when the active slave cannot be read',
      [on(ACTIVE_BACKUP), backup({ activePort: undefined }), on(ACTIVE_BACKUP)],
    ],
    [
      'when a bond of another mode names an active slave',
      [backup({ mode: 'balance-xor' }), backup({ mode: 'balance-xor', activePort: 11 })],
    ],
    [
      'when an active-backup bond names a partner',
      [
        backup({ partnerMac: mac('02:00:00:00:0a:0a') }),
        backup({ partnerMac: mac('02:00:00:00:0a:0b') }),
      ],
    ],
    [
      'when a backup slave loses its link',
      [on(ACTIVE_BACKUP), backup({ ports: [READY_PORT, { ...READY_PORT, linkUp: false }] })],
    ],
    [
      'when an uplink joins, with the losses that it had',
      [by(2), { ...by(2, 3), carrierLosses: 7 }],
    ],
    ['when a bond joins as an uplink', [by(2), { ...by(2, 3), lower: LACP }]],
    ['when the first uplink comes', [by(), by(2)]],
    ['when the tags of an uplink become known', [TOLD_ABOVE, by([2, 5])]],
    ['when another uplink joins one whose tags are not known', [TOLD_ABOVE, both(by(7))]],
    ['when the count of losses goes back', [{ ...PLAIN, carrierLosses: 4 }, PLAIN]],
    [
      'when the count of losses is read at last',
      [
        { ...PLAIN, carrierLosses: undefined },
        { ...PLAIN, carrierLosses: 9 },
      ],
    ],
  ];
  for (const [what, reports] of table) {
    it(what, () =>
      assert.deepEqual(
        causes(...reports),
        reports.map(() => undefined),
      ),
    );
  }
});

describe('a ready port that leaves', () => {
  const left = lacp({ ports: [READY_PORT] });

  it('ends nothing where one that stays is known to have passed a frame', () => {
    const tracker = new EpochTracker(micros(0));
    observe(tracker, on(LACP), 1);
    assert.equal(tracker.readyPorts, 2);
    assert.equal(observe(tracker, left, 2, 10), undefined);
    assert.equal(tracker.readyPorts, 1);
  });

  it('ends the epoch where the only one that is known to have passed frames leaves', () => {
    const tracker = new EpochTracker(micros(0));
    observe(tracker, on(LACP), 1, 11);
    assert.equal(observe(tracker, left, 2, 11), 'port-lost');
  });

  it('ends it where the one that stays has joined only now', () => {
    const tracker = new EpochTracker(micros(0));
    observe(tracker, left, 1);
    const other = lacp({ ports: [THIRD_PORT] });
    assert.equal(observe(tracker, other, 2, 12), 'port-lost');
  });

  it('is nothing of an active-backup bond, whose other ports are idle', () => {
    const tracker = new EpochTracker(micros(0));
    observe(tracker, on(ACTIVE_BACKUP), 1);
    assert.equal(tracker.readyPorts, 0);
    assert.equal(observe(tracker, backup({ ports: [READY_PORT] }), 2), undefined);
  });
});

describe('the current epoch', () => {
  it('counts on, with its beginning and what ended the one before', () => {
    const tracker = new EpochTracker(fromSeconds(1));
    assert.deepEqual(tracker.current, {
      number: 1,
      since: fromSeconds(1),
      cause: undefined,
      carrierUpAt: undefined,
    });
    observe(tracker, PLAIN, 2);
    tracker.end('late-wake', fromSeconds(9));
    assert.deepEqual(tracker.current, {
      number: 2,
      since: fromSeconds(9),
      cause: 'late-wake',
      carrierUpAt: fromSeconds(9),
    });
  });

  it('knows since when there is carrier, also where a report lacks it', () => {
    const tracker = new EpochTracker(micros(0));
    const upAt = (facts: LinkFacts | undefined, second: number) => {
      observe(tracker, facts, second);
      return tracker.current.carrierUpAt;
    };
    assert.equal(upAt(DOWN, 1), undefined);
    assert.equal(upAt(PLAIN, 2), fromSeconds(2));
    assert.equal(upAt(UNREAD, 3), fromSeconds(2));
    assert.equal(upAt(PLAIN, 4), fromSeconds(2));
    assert.equal(upAt(DOWN, 5), undefined);
    assert.equal(tracker.current.since, fromSeconds(5));
    tracker.end('late-wake', fromSeconds(6));
    assert.equal(tracker.current.carrierUpAt, undefined);
    assert.equal(upAt(PLAIN, 7), fromSeconds(7));
    assert.equal(tracker.current.since, fromSeconds(6));
    assert.equal(upAt({ ...PLAIN, mac: mac('02:00:00:00:00:09') }, 8), fromSeconds(8));
  });
});

describe('isTooLate', () => {
  const table = [
    [3_000_000, 3, false],
    [3_000_001, 3, true],
    [1_000_000, 0.5, false],
    [1_000_001, 0.5, true],
    [900_000, 0.5, false],
  ] as const;
  for (const [lateUs, deadSeconds, tooLate] of table) {
    it(`${lateUs} us with a dead interval of ${deadSeconds} s: ${tooLate}`, () => {
      assert.equal(isTooLate(micros(lateUs), fromSeconds(deadSeconds)), tooLate);
    });
  }
});
