// How far a node trusts its path, by what it hears and whether anybody answers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds } from '../../../src/base/time.ts';
import { PathTrust } from '../../../src/readiness/path-trust.ts';
import { GATEWAY, INSTANCE, LinkRig, PEER, PLAIN } from '../../support/readiness-rig.ts';

const trusts = (rig: LinkRig): readonly string[] =>
  rig.trace.flatMap(({ at, effect }) =>
    effect.kind === 'path-changed' ? [`${at} ${effect.trust}`] : [],
  );

describe('a backup whose master falls silent', () => {
  it('distrusts its path from the first miss until anybody is heard', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(2_000);
    rig.frame();
    assert.deepEqual(trusts(rig), ['1500 unheard', '2000 trusted']);
  });

  it('is not reassured by what came before an advert was missing, of whatever master', () => {
    const rig = new LinkRig();
    const web = { ...INSTANCE, name: 'web', vip: '10.9.0.101' };
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
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(1_600);
    rig.frame();
    rig.pass(1_400);
    rig.role('master');
    rig.pass(1_000);
    assert.deepEqual(trusts(rig), ['1500 unheard', '1600 trusted', '2600 unheard']);
  });

  it('waits for the answer to one question, however seldom it asks', () => {
    const rig = LinkRig.waiting({ probeInterval: fromSeconds(2) });
    rig.advert();
    rig.pass(1_600);
    rig.frame();
    rig.pass(1_400);
    assert.deepEqual(trusts(rig), ['1500 unheard', '1600 trusted']);
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
    rig.pass(2_900);
    rig.frame();
    rig.pass(100);
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
    rig.pass(2_900);
    rig.answer(GATEWAY);
    rig.pass(100);
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
    const view = { hadAnswer: true, deadInterval: fromSeconds(3), advertInterval: fromSeconds(1) };
    path.update({ ...view, heardAt: fromSeconds(1) }, fromSeconds(4));
    assert.equal(path.trust, 'dark');
    path.update({ ...view, heardAt: fromSeconds(5) }, fromSeconds(5));
    path.otherMasterHeard(fromSeconds(6));
    path.update({ ...view, heardAt: fromSeconds(8) }, fromSeconds(8));
    assert.equal(path.trust, 'dark');
    path.update({ ...view, heardAt: fromSeconds(9) }, fromSeconds(9));
    assert.equal(path.trust, 'trusted');
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
        mac: '02:00:00:00:00:01',
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
