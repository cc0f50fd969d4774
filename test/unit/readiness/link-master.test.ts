// A master and its path: when it doubts, and when it trusts itself again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { samePrefix } from '../../../src/base/addresses.ts';
import { fromSeconds } from '../../../src/base/time.ts';
import type { ReadinessEffect } from '../../../src/readiness/effects.ts';
import {
  ACTIVE_BACKUP,
  GATEWAY,
  HOLD,
  INSTANCE,
  LACP,
  LinkRig,
  on,
  PEER,
  PLAIN,
  READY_PORT,
} from '../../support/readiness-rig.ts';
import { address, mac } from '../../support/packets.ts';

const DARK = on({ ...LACP, ports: [{ ...READY_PORT, actorState: 135 }] });

const doubts = (rig: LinkRig) =>
  rig.trace.flatMap(({ at, effect }) =>
    effect.kind === 'doubt-changed' ? [`${at} ${effect.cause ?? 'over'}`] : [],
  );

describe('a master whose epoch ends', () => {
  it('is in doubt at once, until proof has come and a dead interval has passed', () => {
    const rig = LinkRig.master({}, on(LACP));
    rig.pass(10_000);
    rig.facts(DARK);
    assert.equal(rig.snapshot.epoch.cause, 'last-port-lost');
    rig.pass(8_000);
    rig.facts(on(LACP));
    rig.pass(1_000);
    rig.frame();
    rig.pass(60_000);
    assert.deepEqual(doubts(rig), ['10000 epoch-ended', '22000 over']);
  });

  it('probes and witnesses while in doubt, and no longer', () => {
    const rig = LinkRig.master({ targets: [GATEWAY] }, on(LACP));
    rig.passBusy(3_000);
    assert.equal(rig.snapshot.witnessOpen, false);
    rig.facts(DARK);
    assert.equal(rig.snapshot.witnessOpen, true);
    rig.facts(on(LACP));
    assert.ok(rig.snapshot.probing.includes(GATEWAY));
    rig.frame();
    assert.equal(rig.open, true);
    rig.passBusy(3_000);
    assert.deepEqual(rig.snapshot.probing, []);
    assert.equal(rig.snapshot.witnessOpen, false);
  });

  it('waits a dead interval from the last that is heard of another master', () => {
    const rig = LinkRig.master();
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.pass(1_000);
    rig.advert();
    rig.answer(PEER);
    rig.pass(1_000);
    rig.advert();
    rig.pass(10_000);
    assert.deepEqual(doubts(rig), ['0 epoch-ended', '5000 over']);
  });

  it('does not take the bow-out of another for a master', () => {
    const rig = LinkRig.master();
    rig.pass(10_000);
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.frame();
    rig.pass(2_000);
    rig.advert({ leaving: true });
    rig.pass(10_000);
    assert.deepEqual(doubts(rig), ['10000 epoch-ended', '13000 over']);
  });

  it('that yields has no doubt any more, and a waiting node never has one', () => {
    const rig = LinkRig.master();
    rig.facts({ ...PLAIN, ifindex: 3 });
    assert.deepEqual(rig.instance.doubt, { cause: 'epoch-ended', since: 0, endsAt: undefined });
    rig.pass(1_000);
    rig.advert();
    rig.role('waiting');
    assert.deepEqual(doubts(rig), ['0 epoch-ended', '1000 over']);
    rig.facts({ ...PLAIN, ifindex: 4 });
    assert.equal(doubts(rig).length, 2);
  });

  it('goes on serving in doubt on a segment where nobody answers', () => {
    const rig = LinkRig.master();
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.pass(3_600_000);
    assert.deepEqual(doubts(rig), ['0 epoch-ended']);
  });

  it('doubts after the failover of an active-backup bond', () => {
    const rig = LinkRig.master({}, on(ACTIVE_BACKUP));
    rig.facts(on({ ...ACTIVE_BACKUP, activePort: 11 }));
    assert.deepEqual(doubts(rig), ['0 epoch-ended']);
  });

  it('does not doubt when a bond and its ports get new names, in whatever order', () => {
    for (const bond of [LACP, ACTIVE_BACKUP, { ...LACP, mode: 'balance-xor' } as const]) {
      const rig = LinkRig.master({}, on(bond));
      const [first = READY_PORT, ...others] = bond.ports;
      rig.facts(on({ ...bond, ports: [{ ...first, name: 'lan0' }, ...others] }));
      rig.facts(on({ ...bond, name: 'wan0', ports: [{ ...first, name: 'lan0' }, ...others] }));
      rig.facts({ ...on(bond), lower: { ...bond, name: 'wan0' } });
      assert.equal(rig.link.epoch, 1);
      assert.deepEqual(doubts(rig), []);
    }
  });

  it('does not doubt when one port of several is lost, or comes back', () => {
    const rig = LinkRig.master({}, on(LACP));
    rig.frame(rig.link.epoch, 10);
    rig.facts(on({ ...LACP, ports: [READY_PORT] }));
    rig.facts(on(LACP));
    assert.deepEqual(doubts(rig), []);
  });

  it('doubts when the port is lost that proved its path, until another has passed a frame', () => {
    const rig = LinkRig.master({}, on(LACP));
    rig.frame(rig.link.epoch, 11);
    rig.pass(60_000);
    rig.facts(
      on({
        ...LACP,
        ports: [READY_PORT, { ...READY_PORT, name: 'eth1', ifindex: 11, linkUp: false }],
      }),
    );
    assert.equal(rig.snapshot.epoch.cause, 'port-lost');
    rig.pass(900);
    rig.frame(rig.link.epoch, 10);
    rig.pass(60_000);
    assert.deepEqual(
      doubts(rig),
      ['60000 epoch-ended', '60900 over'],
      'nobody can have taken over',
    );
  });

  it('doubts for a dead interval where the proof is later than an advert, or LACP was lost', () => {
    const unplugged = { ...READY_PORT, name: 'eth1', ifindex: 11, linkUp: false };
    const expired = { ...READY_PORT, name: 'eth1', ifindex: 11, actorState: 135 };
    for (const [lost, proofAfterMs] of [[unplugged, 1_100] as const, [expired, 100] as const]) {
      const rig = LinkRig.master({}, on(LACP));
      rig.frame(rig.link.epoch, 11);
      rig.pass(60_000);
      rig.facts(on({ ...LACP, ports: [READY_PORT, lost] }));
      rig.pass(proofAfterMs);
      rig.frame();
      rig.pass(60_000);
      const end = 63_000 + proofAfterMs;
      assert.deepEqual(doubts(rig), ['60000 epoch-ended', `${end} over`]);
    }
  });

  it('looks for the port of the first frame, where several are ready', () => {
    const rig = LinkRig.waiting({}, on(LACP));
    rig.advert();
    assert.equal(rig.open, true);
    assert.deepEqual(rig.wanted, 'one-frame', 'an advert does not tell by which port it came');
    rig.frame(rig.link.epoch, 10);
    assert.equal(rig.snapshot.witnessOpen, false);
  });

  it('doubts after a late wake, and not after one that is a little late', () => {
    const rig = LinkRig.master();
    rig.give({ kind: 'woken-late', lateBy: fromSeconds(3) });
    assert.deepEqual(doubts(rig), []);
    rig.give({ kind: 'woken-late', lateBy: fromSeconds(4) });
    assert.deepEqual(doubts(rig), ['0 epoch-ended']);
  });

  it('is in the same doubt still when its epoch ends again, and proof counts anew', () => {
    const rig = LinkRig.master();
    rig.pass(10_000);
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.frame();
    rig.pass(2_000);
    rig.facts({ ...PLAIN, ifindex: 4 });
    rig.pass(2_000);
    rig.frame();
    rig.pass(10_000);
    assert.deepEqual(doubts(rig), ['10000 epoch-ended', '17000 over']);
  });

  it('with the gate off doubts after a late wake only, and for one dead interval', () => {
    const rig = LinkRig.master({ gate: { ...HOLD, policy: 'off' } });
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.facts({ ...PLAIN, ifindex: 3, carrier: false });
    rig.facts({ ...PLAIN, ifindex: 3 });
    assert.deepEqual(doubts(rig), []);
    rig.give({ kind: 'woken-late', lateBy: fromSeconds(4) });
    rig.pass(10_000);
    assert.deepEqual(doubts(rig), ['0 epoch-ended', '3000 over']);
    assert.deepEqual(rig.times('probe'), []);
  });

  it('needs an answer where answers are required', () => {
    const rig = LinkRig.master({ gate: { ...HOLD, requireProbe: true }, targets: [GATEWAY] });
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.frame();
    rig.pass(5_000);
    rig.answer(GATEWAY);
    rig.pass(5_000);
    assert.deepEqual(doubts(rig), ['0 epoch-ended', '8000 over']);
  });
});

describe('a master beside a worse one', () => {
  function beside(seconds: number, answers: boolean, settings = {}): LinkRig {
    const rig = LinkRig.master(settings);
    for (let second = 0; second < seconds; second += 1) {
      rig.advert();
      if (answers) rig.answer(PEER);
      rig.pass(1_000);
    }
    return rig;
  }

  it('probes it, and does not doubt while it answers', () => {
    const rig = beside(30, true);
    assert.deepEqual(doubts(rig), []);
    assert.ok(rig.times('probe').length >= 59);
  });

  it('doubts its sending side when it does not answer for a dead interval', () => {
    const rig = beside(3, false);
    assert.deepEqual(doubts(rig), []);
    rig.advert();
    assert.deepEqual(doubts(rig), ['3000 rival-unanswered']);
    assert.equal(rig.instance.doubt?.cause, 'rival-unanswered');
  });

  it('trusts itself again after an answer and a dead interval without the other', () => {
    const rig = beside(4, false, { targets: [GATEWAY] });
    rig.frame();
    rig.pass(20_000);
    rig.answer(GATEWAY);
    rig.pass(20_000);
    assert.deepEqual(doubts(rig), ['3000 rival-unanswered', '27000 over']);
  });

  for (const [who, settings, neighbours] of [
    ['a target', { targets: [GATEWAY] }, []],
    ['a neighbour of the kernel', {}, [GATEWAY]],
  ] as const) {
    it(`does not doubt beside one that is gone while ${who} answers, which it asks`, () => {
      const rig = LinkRig.master(settings);
      for (let second = 0; second < 30; second += 1) {
        const effects = rig.advert();
        if (effects.some(({ kind }) => kind === 'find-neighbours')) {
          rig.give({ kind: 'neighbours-found', addresses: neighbours });
        }
        if (second > 0) assert.ok(rig.snapshot.probing.includes(GATEWAY));
        rig.answer(GATEWAY);
        rig.pass(1_000);
      }
      assert.deepEqual(doubts(rig), []);
      assert.deepEqual(rig.times('find-neighbours').slice(0, 3), [0, 10_000, 20_000]);
    });
  }

  it('asks again who answered in this epoch, and sixteen others at most', () => {
    const rig = LinkRig.master({ targets: [PEER] });
    rig.give({ kind: 'instances-changed', instances: [INSTANCE] });
    rig.advert({ from: address('10.9.0.30') });
    const addresses = Array.from({ length: 40 }, (_, host) => address(`10.9.1.${host}`));
    rig.give({ kind: 'neighbours-found', addresses });
    const { probing } = rig.snapshot;
    assert.ok(probing.includes(PEER));
    assert.equal(probing.filter((one) => samePrefix(one, address('10.9.1.0'), 24)).length, 15);
  });

  it('begins no second doubt while it is in one', () => {
    const rig = LinkRig.master();
    rig.facts({ ...PLAIN, ifindex: 3 });
    for (let second = 0; second < 10; second += 1) {
      rig.advert();
      rig.pass(1_000);
    }
    assert.deepEqual(doubts(rig), ['0 epoch-ended']);
    assert.equal(rig.instance.doubt?.since, 0);
  });

  it('stops probing two dead intervals after it was last heard', () => {
    const rig = LinkRig.master();
    rig.advert();
    rig.answer(PEER);
    rig.passBusy(5_999);
    assert.deepEqual(rig.snapshot.probing, [PEER, address('10.9.0.100')]);
    rig.passBusy(1);
    assert.deepEqual(rig.snapshot.probing, []);
  });

  for (const pace of [7, 20, 200]) {
    it(`doubts though the other advertises every ${pace} s only, and asks it until then`, () => {
      const slow = { interval: fromSeconds(pace) };
      const rig = LinkRig.master();
      rig.advert(slow);
      rig.pass(pace * 1_000);
      assert.deepEqual(rig.snapshot.probing, [PEER, address('10.9.0.100')]);
      rig.advert(slow);
      assert.deepEqual(doubts(rig), [`${pace * 1_000} rival-unanswered`]);
    });

    it(`does not doubt while one that advertises every ${pace} s answers`, () => {
      const rig = LinkRig.master();
      for (let advert = 0; advert < 4; advert += 1) {
        rig.advert({ interval: fromSeconds(pace) });
        rig.pass(pace * 1_000 - 500);
        rig.answer(PEER);
        rig.pass(500);
      }
      assert.deepEqual(doubts(rig), []);
    });
  }

  it('does not suspect it with the gate off, or after stepping down in between', () => {
    assert.deepEqual(doubts(beside(10, false, { gate: { ...HOLD, policy: 'off' } })), []);
    const rig = beside(2, false);
    rig.role('waiting');
    rig.role('master');
    rig.pass(500);
    rig.advert();
    rig.pass(2_900);
    rig.advert();
    assert.deepEqual(doubts(rig), []);
  });
});

describe('a new MAC address', () => {
  const MOVED = { ...PLAIN, mac: mac('02:00:00:00:00:09') };
  const moved = (effects: readonly ReadinessEffect[]): readonly string[] =>
    effects.flatMap((effect) => (effect.kind === 'master-moved' ? [effect.name] : []));

  for (const policy of ['hold', 'off'] as const) {
    it(`of a master that hears no other one is to be told of (${policy})`, () => {
      const rig = LinkRig.master({ gate: { ...HOLD, policy } });
      assert.deepEqual(moved(rig.facts(MOVED)), ['db']);
      assert.equal(rig.instance.doubt?.cause, policy === 'off' ? undefined : 'epoch-ended');
    });
  }

  it('is not told of while another master is heard, in doubt, or by a node that waits', () => {
    const rig = LinkRig.master();
    rig.advert();
    assert.deepEqual(moved(rig.facts(MOVED)), []);
    const doubting = LinkRig.master();
    doubting.facts(MOVED);
    assert.deepEqual(moved(doubting.facts(PLAIN)), []);
    assert.deepEqual(moved(LinkRig.waiting().facts(MOVED)), []);
  });

  it('is told of again when that master has fallen silent', () => {
    const rig = LinkRig.master();
    rig.advert();
    rig.pass(1_500);
    assert.deepEqual(moved(rig.facts(MOVED)), ['db']);
  });

  it('is all that is told of: an end of the epoch for another reason is none', () => {
    assert.deepEqual(moved(LinkRig.master().facts({ ...PLAIN, carrierLosses: 1 })), []);
  });
});
