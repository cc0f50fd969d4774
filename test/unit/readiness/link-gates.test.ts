// What single instances make of a link: required answers, time limits, LACP fallback, a virtual IP
// in use, preemption; and what all of it looks like from outside.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds } from '../../../src/base/time.ts';
import {
  GATEWAY,
  HOLD,
  INSTANCE,
  LACP,
  LinkRig,
  on,
  PEER,
  PEER_MAC,
  PLAIN,
  READY_PORT,
  VIP,
} from '../../support/readiness-rig.ts';
import { address } from '../../support/packets.ts';

describe('where an answer is required', () => {
  const strict = { gate: { ...HOLD, requireProbe: true }, targets: [GATEWAY] };

  it('frames and adverts do not open the gate, an answer does', () => {
    const rig = LinkRig.waiting(strict);
    rig.frame();
    rig.advert();
    assert.equal(rig.snapshot.verdict.state, 'ready');
    assert.deepEqual(rig.instance.gate.reasons, ['no-probe-answer']);
    assert.deepEqual(rig.instance.conditions.frames.status, 'not-met');
    rig.answer(GATEWAY);
    assert.equal(rig.open, true);
  });

  it('adverts do not close it again', () => {
    const rig = LinkRig.waiting(strict);
    rig.answer(GATEWAY);
    for (let second = 0; second < 10; second += 1) {
      rig.advert();
      rig.pass(1_000);
    }
    assert.deepEqual(
      rig.times('gate-changed').filter((at) => at > 0),
      [],
    );
  });

  it('it closes at the moment of promotion where nobody answered since the last advert', () => {
    const rig = LinkRig.waiting(strict);
    rig.answer(GATEWAY);
    rig.pass(10_000);
    rig.advert();
    rig.pass(2_999);
    assert.equal(rig.open, true);
    rig.pass(1);
    assert.deepEqual(rig.instance.gate.reasons, ['no-answer-since-advert']);
    rig.answer(GATEWAY);
    assert.equal(rig.open, true);
  });

  it('it stays open where somebody answered since the last advert', () => {
    const rig = LinkRig.waiting(strict);
    rig.answer(GATEWAY);
    rig.pass(10_000);
    rig.advert();
    rig.pass(1_700);
    assert.deepEqual(rig.times('probe').slice(-1), [11_500]);
    rig.answer(GATEWAY);
    rig.pass(60_000);
    assert.equal(rig.open, true);
  });

  it('it is open for a bow-out that comes while all is well', () => {
    const rig = LinkRig.waiting(strict);
    rig.answer(GATEWAY);
    rig.pass(10_000);
    rig.advert();
    rig.pass(500);
    rig.advert({ leaving: true });
    assert.equal(rig.open, true);
  });

  it('a master is not asked for answers since the adverts of others', () => {
    const rig = LinkRig.waiting(strict);
    rig.answer(GATEWAY);
    rig.role('master');
    rig.pass(10);
    rig.advert();
    rig.pass(60_000);
    assert.equal(rig.open, true);
  });
});

describe('a time limit', () => {
  const late = {
    gate: { ...HOLD, policy: 'promote-after' as const, promoteAfter: fromSeconds(60) },
  };

  it('opens the gate without proof, with a warning, and says before when it will', () => {
    const rig = LinkRig.waiting(late);
    assert.equal(rig.instance.gate.opensAt, fromSeconds(60));
    rig.pass(59_999);
    assert.equal(rig.open, false);
    rig.pass(1);
    assert.equal(rig.instance.gate.by, 'promote-after');
    assert.deepEqual(rig.instance.warnings, ['opened-without-proof']);
    assert.deepEqual(rig.instance.gate.reasons, ['no-frames']);
    assert.equal(rig.snapshot.verdict.state, 'not-ready');
    rig.frame();
    assert.equal(rig.instance.gate.by, 'proof');
    assert.deepEqual(rig.instance.warnings, []);
  });

  it('starts again in each epoch, when the carrier comes', () => {
    const rig = LinkRig.waiting(late);
    rig.pass(59_000);
    rig.facts({ ...PLAIN, carrier: false });
    rig.pass(600_000);
    assert.equal(rig.open, false);
    rig.facts(PLAIN);
    rig.pass(59_999);
    assert.equal(rig.open, false);
    rig.pass(1);
    assert.equal(rig.open, true);
  });
});

describe('a virtual IP in use', () => {
  it('holds the gate closed while its master was never heard', () => {
    const rig = LinkRig.waiting();
    rig.answer(VIP);
    assert.deepEqual(rig.instance.gate.reasons, ['vip-in-use']);
    assert.equal(rig.snapshot.verdict.state, 'ready');
    assert.deepEqual(rig.instance.vipHolder, { mac: PEER_MAC, at: 0 });
    rig.pass(1_999);
    assert.equal(rig.open, false);
    rig.pass(1);
    assert.equal(rig.open, true);
    assert.equal(rig.instance.vipHolder, undefined);
  });

  it('closes a gate that is open only when a promotion is due: its master may be heard yet', () => {
    const rig = LinkRig.waiting({ probeInterval: fromSeconds(1) });
    rig.frame();
    rig.pass(100);
    rig.answer(VIP);
    assert.equal(rig.open, true);
    rig.pass(2_000);
    rig.answer(VIP);
    rig.pass(899);
    assert.equal(rig.open, true);
    rig.pass(1);
    assert.deepEqual(rig.instance.gate.reasons, ['vip-in-use']);
  });

  it('is no obstacle once its master is heard', () => {
    const rig = LinkRig.waiting();
    rig.answer(VIP);
    rig.advert();
    assert.equal(rig.open, true);
    assert.equal(rig.instance.vipHolder, undefined);
  });

  it('is taken over with a warning where the master was heard and fell silent', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(2_500);
    rig.answer(VIP);
    assert.deepEqual(rig.instance.warnings, [], 'it may be late, and no promotion is due');
    rig.pass(499);
    assert.deepEqual(rig.instance.warnings, []);
    rig.pass(1);
    assert.equal(rig.open, true);
    assert.deepEqual(rig.instance.warnings, ['vip-answered']);
    rig.role('master');
    assert.deepEqual(rig.instance.warnings, ['path-unconfirmed'], 'one frame, and that came late');
  });

  it('is no wonder to one that has just left, until the next promotion is due', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(3_000);
    rig.role('master');
    rig.pass(60_000);
    rig.role('waiting');
    rig.answer(VIP);
    assert.deepEqual(rig.instance.warnings, [], 'its successor may be heard yet');
    rig.pass(2_000);
    rig.answer(VIP);
    rig.pass(999);
    assert.deepEqual(rig.instance.warnings, []);
    rig.pass(1);
    assert.deepEqual(rig.instance.warnings, ['vip-answered']);
  });

  it('is no obstacle while a master is heard, who answers of course', () => {
    const rig = LinkRig.waiting({ gate: { ...HOLD, requireProbe: true }, vipInUse: 'always' });
    rig.advert();
    rig.answer(VIP);
    assert.equal(rig.open, true);
  });

  it('counts as unheard after the epoch has ended', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.pass(2_000);
    rig.answer(VIP);
    assert.deepEqual(rig.instance.gate.reasons, ['vip-in-use']);
    rig.facts({ ...PLAIN, ifindex: 4 });
    assert.deepEqual(rig.instance.gate.reasons, ['no-frames']);
  });

  it('is waited for in any case, or not at all, as the policy says', () => {
    const always = LinkRig.waiting({ vipInUse: 'always' });
    always.advert();
    always.pass(2_000);
    always.answer(VIP);
    assert.equal(always.open, true, 'no promotion is due');
    always.pass(1_000);
    assert.deepEqual(always.instance.gate.reasons, ['vip-in-use']);
    const off = LinkRig.waiting({ vipInUse: 'off' });
    off.answer(VIP);
    assert.equal(off.open, true);
  });

  it('concerns nobody else', () => {
    const rig = LinkRig.waiting();
    const web = { ...INSTANCE, name: 'web', vip: address('10.9.0.101') };
    rig.give({ kind: 'instances-changed', instances: [web, INSTANCE] });
    rig.role('waiting', 'web');
    rig.answer(address('10.9.0.101'));
    const open = rig.snapshot.instances.map(({ name, gate }) => [name, gate.open]);
    assert.deepEqual(open, [
      ['db', true],
      ['web', false],
    ]);
  });
});

describe('preemption', () => {
  it('needs the gate open for a dead interval and an answer of that master, who is asked', () => {
    const rig = LinkRig.waiting({ preempt: true });
    assert.equal(rig.link.mayPreempt('db', PEER, rig.now), false);
    rig.advert();
    assert.deepEqual(rig.snapshot.probing, [PEER]);
    rig.pass(1_000);
    rig.advert();
    rig.answer(PEER);
    assert.deepEqual(rig.snapshot.probing, []);
    rig.pass(1_000);
    rig.advert();
    rig.pass(999);
    assert.equal(rig.link.mayPreempt('db', PEER, rig.now), false);
    rig.pass(1);
    assert.equal(rig.link.mayPreempt('db', PEER, rig.now), true);
    assert.equal(rig.link.mayPreempt('db', address('10.9.0.30'), rig.now), false);
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.frame();
    rig.pass(5_000);
    assert.equal(rig.link.mayPreempt('db', PEER, rig.now), false);
  });

  it('asks nobody without being wanted, nor as a master', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    assert.deepEqual(rig.snapshot.probing, []);
    const master = LinkRig.master({ preempt: true });
    assert.deepEqual(master.snapshot.probing, []);
    const taken = LinkRig.waiting({ preempt: true }, PLAIN);
    taken.frame();
    assert.deepEqual(taken.snapshot.probing, [VIP]);
  });

  it('goes by the gate alone where the gate is off', () => {
    const rig = LinkRig.waiting({ preempt: true, gate: { ...HOLD, policy: 'off' } });
    rig.advert();
    rig.pass(3_000);
    assert.equal(rig.link.mayPreempt('db', PEER, rig.now), true);
  });
});

describe('a snapshot', () => {
  it('tells everything that explains a held instance', () => {
    const bad = { ...READY_PORT, name: 'eth1', ifindex: 11, actorState: 71, partnerState: 1 };
    const rig = LinkRig.waiting({}, on({ ...LACP, ports: [bad] }));
    rig.pass(2_000);
    rig.advert();
    const { epoch, verdict, conditions, evidence, ports, witnessOpen, probing } = rig.snapshot;
    assert.deepEqual(epoch, { number: 1, since: 0, cause: undefined, carrierUpAt: 0 });
    assert.deepEqual(verdict, { state: 'not-ready', reasons: ['no-ready-port'] });
    assert.deepEqual(conditions, {
      carrier: { status: 'met', reasons: [] },
      lacp: { status: 'not-met', reasons: ['no-ready-port'] },
      frames: { status: 'met', reasons: [] },
    });
    const advert = { kind: 'advert', from: PEER, at: fromSeconds(2), epoch: 1 };
    assert.deepEqual(evidence, [{ kind: 'advert', first: advert, latest: advert, count: 1 }]);
    assert.deepEqual(ports[0]?.faults, [
      'defaulted',
      'not-in-sync',
      'not-collecting',
      'not-distributing',
    ]);
    assert.equal(witnessOpen, true);
    assert.deepEqual(probing, [PEER, VIP]);
    assert.deepEqual(rig.instance, {
      name: 'db',
      role: 'waiting',
      gate: { open: false, by: undefined, reasons: ['no-ready-port'], opensAt: undefined },
      conditions,
      hasCarrier: true,
      openSince: undefined,
      warnings: [],
      silent: false,
      lastAdvert: { from: PEER, at: fromSeconds(2) },
      doubt: undefined,
      vipHolder: undefined,
      trust: 'trusted',
      awaitsFrame: false,
    });
  });

  it('tells since when the gate is open, and that there is no bond', () => {
    const rig = LinkRig.waiting();
    rig.pass(1_500);
    rig.frame();
    rig.pass(1_500);
    assert.equal(rig.instance.openSince, 1_500_000);
    assert.equal(rig.instance.lastAdvert, undefined);
    assert.deepEqual(rig.snapshot.ports, []);
    assert.deepEqual(rig.snapshot.facts, PLAIN);
  });
});
