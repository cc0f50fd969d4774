// Epochs that end for what was over before anybody looked: only counts tell of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds, micros } from '../../../src/base/time.ts';
import { EpochTracker } from '../../../src/readiness/epoch.ts';
import type { BondFacts, LinkFacts } from '../../../src/readiness/facts.ts';
import { ACTIVE_BACKUP, LACP, LinkRig, on, PLAIN } from '../../support/readiness-rig.ts';

const MODES = ['802.3ad', 'balance-xor', 'balance-rr', 'broadcast', 'balance-alb'] as const;
const [FIRST = 0, SECOND = 0] = LACP.ports.map(({ ifindex }) => ifindex);

/** The ports of the bond, which have lost their links so often. */
function ports(...losses: readonly number[]): BondFacts['ports'] {
  return LACP.ports.map((port, at) => ({ ...port, losses: losses[at] ?? 0 }));
}

const lacp = (...losses: readonly number[]): LinkFacts => on({ ...LACP, ports: ports(...losses) });
const backup = (...losses: readonly number[]): LinkFacts =>
  on({ ...ACTIVE_BACKUP, ports: ports(...losses) });
/** The first port is known to have no link. */
const unplugged = (...losses: readonly number[]): LinkFacts =>
  on({
    ...ACTIVE_BACKUP,
    ports: ports(...losses).map((port, at) => ({ ...port, linkUp: at > 0 })),
  });
const by = (...uplinks: readonly number[]): LinkFacts => ({
  ...PLAIN,
  uplinks: uplinks.map((ifindex) => ({ ifindex, vlans: [] })),
});

function observe(tracker: EpochTracker, facts: LinkFacts, second: number, proved?: number) {
  const ways = new Set(proved === undefined ? [] : [proved]);
  return tracker.observe(facts, fromSeconds(second), ways);
}

function causes(...reports: readonly LinkFacts[]): readonly (string | undefined)[] {
  const tracker = new EpochTracker(micros(0));
  return reports.map((facts, second) => observe(tracker, facts, second));
}

describe('an uplink that left and came back', () => {
  it('ends the epoch, each time', () => {
    const once = { ...by(2), uplinkLosses: 1 };
    const seen = causes(by(2), once, once, { ...by(2), uplinkLosses: 2 });
    assert.deepEqual(seen, [undefined, 'uplink-changed', undefined, 'uplink-changed']);
  });

  it('ends nothing where it joins with what it has lost elsewhere', () => {
    assert.deepEqual(causes(by(2), { ...by(2, 3), uplinkLosses: 7 }), [undefined, undefined]);
  });

  it('nor do losses that are not all known for a while', () => {
    const all = { ...by(2, 3), carrierLosses: 4, uplinkLosses: 2 };
    const some = { ...by(2), carrier: undefined, carrierLosses: 1 };
    assert.deepEqual(causes(all, some, all), [undefined, undefined, undefined]);
    const more = { ...all, carrierLosses: 5 };
    assert.deepEqual(causes(all, some, more), [undefined, undefined, 'carrier-lost']);
  });
});

describe('a port of a bond that had no link for a moment', () => {
  it('ends the epoch where it is the active slave', () => {
    assert.deepEqual(causes(backup(0, 0), backup(1, 0)), [undefined, 'carrier-lost']);
  });

  it('ends it as well where the loss was seen, and the bond took no notice', () => {
    const seen = causes(backup(0, 0), unplugged(1, 0), backup(1, 0), backup(1, 0));
    assert.deepEqual(seen, [undefined, undefined, 'carrier-lost', undefined]);
  });

  it('ends nothing where it is idle', () => {
    assert.deepEqual(causes(backup(0, 0), backup(0, 1)), [undefined, undefined]);
  });

  it('ends nothing where its losses were not known before', () => {
    assert.deepEqual(causes(on(LACP), lacp(3, 4), lacp(3, 4)), [undefined, undefined, undefined]);
  });

  for (const mode of MODES) {
    it(`ends the epoch where it shares the traffic: ${mode}`, () => {
      const [before, after] = [ports(0, 3), ports(0, 4)].map((all) =>
        on({ ...LACP, mode, ports: all }),
      );
      assert.ok(before !== undefined && after !== undefined);
      assert.deepEqual(causes(before, after), [undefined, 'port-lost']);
    });
  }

  it('ends nothing where another one is known to have passed a frame', () => {
    const tracker = new EpochTracker(micros(0));
    observe(tracker, lacp(0, 0), 1);
    assert.equal(observe(tracker, lacp(0, 1), 2, FIRST), undefined);
    assert.equal(observe(tracker, lacp(0, 2), 3, SECOND), 'port-lost');
  });

  it('leaves a master in doubt, since nobody knows how long nothing has passed', () => {
    const rig = LinkRig.master({}, lacp(0, 0));
    rig.pass(2_900);
    rig.facts(lacp(0, 1));
    rig.frame();
    assert.equal(rig.instance.doubt?.cause, 'epoch-ended');
  });
});
