// A link from boot to proof and through its epochs: gate, witness, probes and multicast reports.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromMillis, fromSeconds } from '../../../src/base/time.ts';
import type { ReadinessEffect } from '../../../src/readiness/effects.ts';
import {
  GATEWAY,
  INSTANCE,
  LACP,
  LACP_MISSING,
  LinkRig,
  NO_CARRIER,
  on,
  only,
  PEER,
  PEER_MAC,
  PLAIN,
  READY_PORT,
  VIP,
} from '../../support/readiness-rig.ts';
import { address, mac } from '../../support/packets.ts';

const kinds = (effects: readonly ReadinessEffect[]) => effects.map(({ kind }) => kind);

describe('a link at boot', () => {
  it('is unknown, and its gate closed, before anything was read', () => {
    const rig = new LinkRig();
    assert.equal(rig.snapshot.verdict.state, 'not-ready');
    assert.deepEqual(rig.snapshot.verdict.reasons, ['carrier-unknown', 'no-frames']);
    assert.equal(rig.link.deadline(), undefined);
    const effects = rig.give({ kind: 'instances-changed', instances: [INSTANCE] });
    const { name, gate, warnings } = only(effects, 'gate-changed');
    assert.deepEqual([name, gate.open, warnings], ['db', false, []]);
    assert.deepEqual(kinds(effects), ['gate-changed']);
  });

  it('says what it means to one instance, and of nobody else', () => {
    const rig = LinkRig.waiting();
    assert.deepEqual(rig.link.snapshotOf(INSTANCE.name), rig.instance);
    assert.equal(rig.link.snapshotOf('nobody'), undefined);
  });

  it('wants proof as soon as an instance takes part', () => {
    const rig = new LinkRig();
    rig.give({ kind: 'instances-changed', instances: [{ ...INSTANCE, targets: [GATEWAY] }] });
    assert.deepEqual(kinds(rig.facts(PLAIN)), ['verdict-changed', 'gate-changed']);
    const effects = rig.role('waiting');
    assert.deepEqual(effects, [
      { kind: 'open-witness', epoch: 1, wanted: 'any-frame' },
      { kind: 'probe', addresses: [GATEWAY], vips: [VIP] },
    ]);
  });

  for (const how of ['a frame', 'an advert', 'an answer'] as const) {
    it(`opens with ${how}`, () => {
      const rig = LinkRig.waiting({ targets: [GATEWAY] });
      rig.pass(4_000);
      assert.equal(rig.open, false);
      assert.deepEqual(rig.instance.gate.reasons, ['no-frames']);
      const proof = {
        'a frame': () => rig.frame(),
        'an advert': () => rig.advert(),
        'an answer': () => rig.answer(GATEWAY),
      }[how];
      const effects = proof();
      assert.equal(only(effects, 'gate-changed').gate.by, 'proof');
      const { verdict, heldFor, conditions } = only(effects, 'verdict-changed');
      assert.deepEqual(verdict, { state: 'ready', reasons: [] });
      assert.equal(conditions.frames.status, 'met');
      assert.equal(heldFor, fromSeconds(4));
    });
  }

  it('opens by nothing else, however much time passes', () => {
    const rig = LinkRig.waiting();
    rig.pass(3_600_000);
    assert.equal(rig.open, false);
  });

  it('stays closed while LACP is not there, whatever frames come', () => {
    const rig = LinkRig.waiting({}, on(LACP_MISSING));
    rig.frame();
    assert.deepEqual(rig.instance.gate.reasons, ['no-partner', 'no-ready-port']);
    rig.facts(on(LACP));
    assert.equal(rig.snapshot.epoch.cause, 'partner-changed');
    assert.deepEqual(rig.instance.gate.reasons, ['no-frames']);
    rig.frame();
    assert.equal(rig.open, true);
  });

  it('opens when LACP forms on a partner that was there, with proof since', () => {
    const waiting = on({ ...LACP, ports: [{ ...READY_PORT, actorState: 7 }] });
    const rig = LinkRig.waiting({}, waiting);
    rig.frame();
    assert.equal(rig.open, false);
    rig.facts(on(LACP));
    assert.equal(rig.open, true);
    assert.equal(rig.link.epoch, 1);
  });

  it('stays closed while anything is unknown', () => {
    for (const facts of [
      { ...PLAIN, carrier: undefined },
      on({ ...LACP, partnerMac: undefined }),
      on({ ...LACP, mode: undefined }),
    ]) {
      const rig = LinkRig.waiting({}, facts);
      rig.frame();
      rig.advert();
      assert.equal(rig.open, false);
      assert.equal(rig.snapshot.verdict.state, 'unknown');
    }
  });

  it('warns of what is out of sight, and goes by carrier and frames', () => {
    for (const [lower, warning] of [
      [{ kind: 'unseen' }, 'bond-unseen'],
      [{ kind: 'team', name: 'team0', ifindex: 5 }, 'team-carrier-only'],
    ] as const) {
      const rig = LinkRig.waiting({}, { ...PLAIN, lower });
      assert.deepEqual(rig.snapshot.warnings, [warning]);
      assert.equal(rig.times('link-warnings-changed').length, 1);
      rig.frame();
      assert.equal(rig.open, true);
      rig.facts({ ...PLAIN, lower });
      assert.equal(rig.times('link-warnings-changed').length, 1);
    }
  });

  it('warns where the tags of an uplink can not be read, and a frame of it opens', () => {
    const uplinks = [{ ifindex: 5, vlans: [], above: 2 }];
    const rig = LinkRig.waiting({}, { ...PLAIN, uplinks });
    assert.deepEqual(rig.snapshot.warnings, ['vlans-unread']);
    rig.frame();
    assert.equal(rig.open, true);
    const { epoch } = rig.link;
    rig.facts({ ...PLAIN, uplinks: [{ ifindex: 5, vlans: [100] }] });
    assert.deepEqual([rig.open, rig.link.epoch, rig.snapshot.warnings], [true, epoch, []]);
  });

  it('has no proof from before an instance came, unless it came in this epoch', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    const second = { ...INSTANCE, name: 'web', vip: address('10.9.0.101') };
    const effects = rig.give({ kind: 'instances-changed', instances: [INSTANCE, second] });
    const { name, gate } = only(effects, 'gate-changed');
    assert.deepEqual([name, gate.open], ['web', true]);
  });

  it('forgets an instance that was removed, and takes a new policy at once', () => {
    const rig = LinkRig.waiting();
    const off = { ...INSTANCE, gate: { ...INSTANCE.gate, policy: 'off' as const } };
    const effects = rig.give({ kind: 'instances-changed', instances: [off] });
    assert.equal(only(effects, 'gate-changed').gate.by, 'off');
    assert.deepEqual(kinds(effects), ['gate-changed', 'close-witness']);
    rig.give({ kind: 'instances-changed', instances: [] });
    assert.deepEqual(rig.snapshot.instances, []);
    assert.equal(rig.link.deadline(), undefined);
  });

  it('takes inputs for instances it does not know', () => {
    const rig = LinkRig.waiting();
    rig.role('master', 'nobody');
    rig.advert({ name: 'nobody' });
    assert.equal(rig.open, true);
    assert.equal(rig.link.mayPreempt('nobody', PEER, rig.now), false);
  });

  it('refuses an input of a kind that it does not know', () => {
    const strange = Object.assign({ kind: 'woken' as const }, { kind: 'no-such-input' });
    assert.throws(() => new LinkRig().give(strange), /unexpected variant/);
  });

  it('refuses two instances of one name and probes without an interval', () => {
    const rig = new LinkRig();
    const twice = { kind: 'instances-changed', instances: [INSTANCE, INSTANCE] } as const;
    assert.throws(() => rig.give(twice), /unique/);
    const never = { ...INSTANCE, probeInterval: fromSeconds(0) };
    assert.throws(() => rig.give({ kind: 'instances-changed', instances: [never] }), /interval/);
  });
});

describe('proof', () => {
  it('is good for the whole epoch, without age', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.pass(24 * 3_600_000);
    assert.equal(rig.open, true);
    assert.deepEqual(rig.times('gate-changed'), [0, 0, 0]);
  });

  it('of an earlier epoch is worthless, however late it comes', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.facts({ ...PLAIN, mac: mac('02:00:00:00:00:09') });
    assert.equal(rig.open, false);
    rig.frame(1);
    rig.advert({ epoch: 1 });
    rig.give({ kind: 'probe-answered', address: VIP, mac: PEER_MAC, epoch: 1 });
    assert.equal(rig.open, false);
    assert.deepEqual(rig.snapshot.evidence, []);
    rig.frame(2);
    assert.equal(rig.open, true);
  });

  it('is needed anew after each end of an epoch, in which everything is opened anew', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] });
    rig.frame();
    rig.pass(5_000);
    const effects = rig.facts({ ...PLAIN, ifindex: 3 });
    assert.deepEqual(kinds(effects), [
      'epoch-began',
      'rejoin-multicast',
      'verdict-changed',
      'gate-changed',
      'path-changed',
      'open-witness',
      'probe',
    ]);
    assert.deepEqual(only(effects, 'epoch-began').epoch, {
      number: 2,
      since: fromSeconds(5),
      cause: 'ifindex-changed',
      carrierUpAt: fromSeconds(5),
    });
    assert.deepEqual(only(effects, 'open-witness'), {
      kind: 'open-witness',
      epoch: 2,
      wanted: 'any-frame',
    });
    assert.deepEqual(only(effects, 'verdict-changed').verdict.reasons, ['no-frames']);
    assert.equal(only(effects, 'verdict-changed').heldFor, undefined);
    rig.pass(2_000);
    assert.equal(only(rig.frame(), 'verdict-changed').heldFor, fromSeconds(2));
  });

  it('survives a second report of the same', () => {
    const rig = LinkRig.waiting({}, on(LACP));
    rig.frame();
    assert.deepEqual(rig.facts(on(structuredClone(LACP))), []);
    assert.equal(rig.open, true);
  });

  it('survives a bond that cannot be read for a moment, which closes the gate meanwhile', () => {
    const rig = LinkRig.waiting({}, on(LACP));
    rig.frame();
    rig.facts(on({ ...LACP, activeAggregatorId: undefined }));
    assert.equal(rig.open, false);
    rig.facts(on(LACP));
    assert.equal(rig.open, true);
  });

  it('counts the carrier that was lost and came back', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.facts(NO_CARRIER);
    assert.deepEqual(rig.instance.gate.reasons, ['no-carrier', 'no-frames']);
    rig.facts(undefined);
    assert.deepEqual(rig.instance.gate.reasons, ['interface-missing', 'no-frames']);
    rig.facts(PLAIN);
    assert.deepEqual(rig.instance.gate.reasons, ['no-frames']);
    rig.frame();
    assert.equal(rig.open, true);
  });

  it('takes nothing for proof while there is no uplink', () => {
    const rig = LinkRig.waiting({}, { ...NO_CARRIER, uplinkFault: 'no-uplink', uplinks: [] });
    rig.frame();
    rig.answer(PEER, PEER_MAC);
    rig.advert();
    assert.deepEqual(rig.instance.gate.reasons, ['no-uplink', 'no-frames']);
    assert.deepEqual(rig.link.evidence, []);
    rig.facts(PLAIN);
    assert.deepEqual(rig.instance.gate.reasons, ['no-frames']);
    rig.frame();
    assert.equal(rig.open, true);
  });

  it('is no advert that came from this host, though a master is heard by it', () => {
    const rig = LinkRig.waiting();
    rig.advert({ throughUplink: false });
    assert.deepEqual(rig.instance.gate.reasons, ['no-frames']);
    assert.equal(rig.instance.lastAdvert?.from, PEER);
    rig.advert();
    assert.equal(rig.open, true);
  });

  it('goes with an uplink, and not when one joins', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    const two = { ...PLAIN, uplinks: [...PLAIN.uplinks, { ifindex: 7, vlans: [] }] };
    rig.facts(two);
    assert.equal(rig.open, true);
    const effects = rig.facts({ ...two, uplinks: two.uplinks.slice(1) });
    assert.equal(only(effects, 'epoch-began').epoch.cause, 'uplink-changed');
    assert.equal(rig.open, false);
  });

  it('is lost when the process was late by more than the shortest dead interval', () => {
    const slow = {
      ...INSTANCE,
      name: 'slow',
      vip: address('10.9.0.101'),
      deadInterval: fromSeconds(30),
    };
    const rig = LinkRig.waiting();
    rig.give({ kind: 'instances-changed', instances: [slow, INSTANCE] });
    rig.frame();
    assert.deepEqual(rig.give({ kind: 'woken-late', lateBy: fromSeconds(3) }), []);
    assert.equal(rig.open, true);
    const effects = rig.give({ kind: 'woken-late', lateBy: fromMillis(3_001) });
    assert.equal(only(effects, 'epoch-began').epoch.cause, 'late-wake');
    assert.equal(rig.open, false);
  });

  it('is lost by a late wake without instances, too', () => {
    const rig = new LinkRig();
    assert.deepEqual(rig.give({ kind: 'woken-late', lateBy: fromSeconds(1) }), []);
    assert.equal(rig.give({ kind: 'woken-late', lateBy: fromMillis(1_001) }).length, 1);
  });
});
