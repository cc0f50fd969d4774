// How far a node trusts its path, by what it hears and whether anybody answers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromMillis, fromSeconds, toMillis } from '../../../src/base/time.ts';
import { PathTrust } from '../../../src/readiness/path-trust.ts';
import { GATEWAY, INSTANCE, LinkRig, PEER, PLAIN } from '../../support/readiness-rig.ts';
import { address, mac } from '../../support/packets.ts';

const trusts = (rig: LinkRig): readonly string[] =>
  rig.trace.flatMap(({ at, effect }) =>
    effect.kind === 'path-changed' ? [`${at} ${effect.trust}`] : [],
  );

describe('a backup whose master falls silent', () => {
  it('distrusts its path until frames have come for the time of one advert', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(2_000);
    rig.frame();
    rig.passBusy(2_000);
    assert.deepEqual(trusts(rig), ['1500 unheard', '3000 trusted']);
  });

  it('does so as well where it has heard no master since its gate opened', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.pass(2_900);
    rig.frame();
    rig.pass(100);
    rig.role('master');
    assert.deepEqual(trusts(rig), ['1500 unheard']);
    const busy = LinkRig.waiting();
    busy.frame();
    busy.passBusy(4_000);
    assert.deepEqual(trusts(busy), ['1500 unheard', '2500 trusted']);
  });

  it('is not reassured by one frame of somebody else just before its promotion', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(2_900);
    rig.frame();
    rig.pass(100);
    rig.role('master');
    assert.equal(rig.instance.trust, 'unheard');
  });

  it('takes the time from the adverts of that master, however fast it is itself', () => {
    const rig = LinkRig.waiting();
    rig.advert({ interval: fromMillis(1_800) });
    rig.passBusy(6_000);
    assert.deepEqual(trusts(rig), ['2700 unheard', '5000 trusted']);
  });

  it('begins anew after a pause in what it hears', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(1_600);
    rig.frame();
    rig.pass(1_000);
    rig.frame();
    rig.passBusy(2_000);
    assert.deepEqual(trusts(rig), ['1500 unheard', '3600 trusted']);
  });

  it('looks for a frame a few times in an interval, not for all of them', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(1_600);
    const seen: boolean[] = [];
    for (let step = 0; step < 4; step += 1) {
      rig.frame();
      seen.push(rig.snapshot.instances[0]?.awaitsFrame ?? true);
      rig.pass(250);
      seen.push(rig.snapshot.instances[0]?.awaitsFrame ?? false);
    }
    assert.deepEqual(seen, [false, true, false, true, false, true, false, true]);
  });

  it('is not reassured by what came before an advert was missing, of whatever master', () => {
    const rig = new LinkRig();
    const web = { ...INSTANCE, name: 'web', vip: address('10.9.0.101') };
    rig.give({ kind: 'instances-changed', instances: [INSTANCE, web] });
    rig.facts(PLAIN);
    for (const { name } of [INSTANCE, web]) rig.role('waiting', name);
    rig.advert();
    rig.pass(100);
    rig.advert({ name: 'web' });
    rig.pass(1_300);
    rig.frame();
    rig.pass(1_600);
    assert.deepEqual(trusts(rig), ['1500 unheard', '1600 unheard']);
  });

  it('distrusts it again where whoever was heard falls silent before the promotion', () => {
    const rig = LinkRig.waiting({ deadInterval: fromSeconds(5) });
    rig.advert();
    rig.pass(1_500);
    rig.frame();
    rig.passBusy(1_500);
    rig.pass(2_000);
    assert.deepEqual(trusts(rig), ['1500 unheard', '2500 trusted', '4000 unheard']);
  });

  it('is content with answers, on a segment where nobody speaks unasked', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] });
    rig.answer(GATEWAY);
    rig.advert();
    rig.pass(1_500);
    const since = rig.trace.length;
    for (let question = 0; question < 3; question += 1) {
      rig.answer(GATEWAY);
      rig.pass(500);
    }
    const questions = rig.trace
      .slice(since)
      .flatMap(({ at, effect }) =>
        effect.kind === 'probe' && effect.addresses.includes(GATEWAY) ? [at] : [],
      );
    assert.deepEqual(questions, [2_000, 2_500, 3_000]);
    assert.deepEqual(trusts(rig), ['1500 unheard', '2500 trusted']);
  });

  it('bears answers a little late, where it asks as seldom as masters advertise', () => {
    const rig = LinkRig.waiting({ probeInterval: fromSeconds(1) });
    rig.advert();
    rig.pass(1_510);
    rig.frame();
    rig.pass(1_010);
    rig.frame();
    assert.deepEqual(trusts(rig), ['1500 unheard', '2520 trusted']);
  });

  it('is not reassured by a path that came back for a moment only', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(1_900);
    rig.frame();
    rig.pass(400);
    rig.frame();
    rig.pass(700);
    assert.deepEqual(trusts(rig), ['1500 unheard']);
  });

  it('takes along what it knows, and bids as usual a dead interval after a frame', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(3_000);
    rig.role('master');
    rig.pass(5_000);
    rig.frame();
    rig.passBusy(10_000);
    assert.deepEqual(trusts(rig), ['1500 unheard', '11000 trusted']);
  });

  it('has nothing to fear from a farewell, or where its gate asks for no proof', () => {
    const left = LinkRig.waiting();
    left.advert({ leaving: true });
    left.pass(3_000);
    assert.deepEqual(trusts(left), []);
    const off = LinkRig.waiting({ gate: { ...INSTANCE.gate, policy: 'off' } });
    off.advert();
    off.pass(10_000);
    assert.deepEqual(trusts(off), []);
  });
});

describe('a master to which nothing comes', () => {
  it('has an unconfirmed path after a dead interval, where nobody ever answered', () => {
    const rig = LinkRig.master();
    rig.pass(2_999);
    assert.deepEqual(trusts(rig), []);
    rig.pass(1);
    assert.deepEqual(trusts(rig), ['3000 unconfirmed']);
    assert.deepEqual(rig.instance.warnings, []);
  });

  it('has a dark one where somebody answered before, and says so', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] });
    rig.answer(GATEWAY);
    rig.role('master');
    rig.pass(3_000);
    assert.deepEqual(trusts(rig), ['3000 dark']);
    assert.deepEqual(rig.instance.warnings, ['path-unconfirmed']);
  });

  it('bids better where it took over and has heard nobody since', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(1_500);
    rig.frame();
    rig.passBusy(1_500);
    rig.role('master');
    assert.equal(rig.instance.trust, 'trusted');
    rig.pass(3_000);
    assert.equal(rig.instance.trust, 'unheard');
    assert.deepEqual(rig.instance.warnings, ['path-unconfirmed']);
  });

  it('is as one that served before once it has heard anybody in its term', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] });
    rig.answer(GATEWAY);
    rig.advert();
    rig.pass(1_500);
    for (let question = 0; question < 3; question += 1) {
      rig.answer(GATEWAY);
      rig.pass(500);
    }
    rig.role('master');
    rig.pass(500);
    rig.answer(GATEWAY);
    rig.pass(3_000);
    assert.equal(rig.instance.trust, 'dark');
  });

  it('asks once in an advertisement interval, and an answer is enough', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] });
    rig.answer(GATEWAY);
    rig.role('master');
    for (let second = 0; second < 20; second += 1) {
      rig.pass(1_500);
      assert.deepEqual(rig.snapshot.probing, [GATEWAY]);
      assert.equal(rig.snapshot.witnessOpen, true);
      rig.answer(GATEWAY);
      assert.deepEqual(rig.snapshot.probing, []);
    }
    assert.deepEqual(trusts(rig), []);
  });

  it('neither asks nor looks on a busy segment', () => {
    const rig = LinkRig.master({ targets: [GATEWAY] });
    rig.advert({ heardBy: 'socket', leaving: true });
    const before = rig.times('probe').length;
    rig.passBusy(20_000);
    assert.equal(rig.times('probe').length, before);
    assert.deepEqual(trusts(rig), []);
  });

  it('waits a dead interval from the last that is heard of another master', () => {
    const path = new PathTrust();
    const view = { hadAnswer: true, deadInterval: fromSeconds(3), pace: fromSeconds(1) };
    path.update({ ...view, heardAt: fromSeconds(1) }, fromSeconds(4));
    assert.equal(path.trust, 'dark');
    path.update({ ...view, heardAt: fromSeconds(5) }, fromSeconds(5));
    path.otherMasterHeard(fromSeconds(6));
    for (const second of [6, 7, 8]) {
      path.update({ ...view, heardAt: fromSeconds(second) }, fromSeconds(second));
      assert.equal(path.trust, 'dark');
    }
    path.update({ ...view, heardAt: fromSeconds(9) }, fromSeconds(9));
    assert.equal(path.trust, 'trusted');
  });
});

describe('a master that distrusts its path', () => {
  it('goes on doing so where its path came back for a moment only', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(3_000);
    rig.role('master');
    rig.pass(100);
    rig.frame();
    rig.pass(4_000);
    assert.equal(rig.instance.trust, 'unheard');
    rig.frame();
    rig.passBusy(2_500);
    assert.equal(rig.instance.trust, 'unheard');
    rig.passBusy(500);
    assert.equal(rig.instance.trust, 'trusted');
  });

  it('is content with answers, on a segment where nobody speaks unasked', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] });
    rig.answer(GATEWAY);
    rig.advert();
    rig.pass(3_000);
    rig.role('master');
    while (rig.instance.trust !== 'trusted' && toMillis(rig.now) < 20_000) {
      if (rig.snapshot.probing.includes(GATEWAY)) rig.answer(GATEWAY);
      rig.pass(100);
    }
    assert.deepEqual(trusts(rig), ['1500 unheard', '7000 trusted']);
  });
});

describe('a doubt', () => {
  it('is not dispelled in time where the path was dark when it began', () => {
    const rig = LinkRig.waiting({ targets: [PEER] });
    rig.answer(PEER);
    rig.role('master');
    rig.pass(4_000);
    assert.equal(rig.instance.trust, 'dark');
    rig.give({
      kind: 'facts-read',
      facts: {
        ifindex: 3,
        mac: mac('02:00:00:00:00:01'),
        carrier: true,
        carrierLosses: 0,
        uplinks: [{ ifindex: 3, vlans: [] }],
        lower: { kind: 'plain' },
      },
    });
    rig.frame();
    assert.equal(rig.instance.doubt?.cause, 'epoch-ended');
  });
});
