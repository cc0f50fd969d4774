// What stands for LACP where a switch passes frames without it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ipv4 } from '../../../src/base/addresses.ts';
import { fromSeconds } from '../../../src/base/time.ts';
import {
  GATEWAY,
  HOLD,
  LACP,
  LACP_MISSING,
  LinkRig,
  on,
  PEER,
  PEER_MAC,
  VIP,
} from '../../support/readiness-rig.ts';
import { mac } from '../../support/packets.ts';

describe('LACP in fallback', () => {
  const asking = (rig: LinkRig, upTo: number) => {
    while (rig.now < fromSeconds(upTo)) {
      rig.pass(1_000);
      rig.advert();
      rig.answer(PEER);
    }
  };

  it('is made good by a heard master that answers for 10 s, with a warning', () => {
    const rig = LinkRig.waiting({}, on(LACP_MISSING));
    rig.advert();
    asking(rig, 10);
    assert.equal(rig.open, false);
    assert.equal(rig.snapshot.fallback.answeredSince, fromSeconds(1));
    asking(rig, 11);
    assert.equal(rig.open, true);
    assert.equal(rig.snapshot.conditions.lacp.status, 'met');
    assert.deepEqual(rig.snapshot.warnings, ['lacp-by-fallback']);
    rig.pass(600_000);
    assert.equal(rig.open, true);
  });

  it('is not made good for the next epoch', () => {
    const rig = LinkRig.waiting({}, on(LACP_MISSING));
    rig.advert();
    asking(rig, 12);
    rig.facts({ ...on(LACP_MISSING), mac: mac('02:00:00:00:00:09') });
    assert.equal(rig.open, false);
    assert.deepEqual(rig.snapshot.fallback, { met: false, answeredSince: undefined });
    rig.advert({ epoch: 1 });
    asking(rig, 13);
    assert.deepEqual(rig.snapshot.fallback, { met: false, answeredSince: fromSeconds(13) });
  });

  /** So many seconds in which `who` answers; `also` happens in each of them. */
  function answering(rig: LinkRig, who: Ipv4, seconds: number, also?: () => void): void {
    for (let second = 0; second < seconds; second += 1) {
      also?.();
      rig.answer(who);
      rig.pass(1_000);
    }
  }

  it('is made good by a target where no master is heard and nobody has the address', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] }, on(LACP_MISSING));
    answering(rig, GATEWAY, 10);
    assert.deepEqual(rig.instance.gate.reasons, ['no-partner', 'no-ready-port']);
    answering(rig, GATEWAY, 1);
    assert.equal(rig.open, true);
    assert.deepEqual(rig.snapshot.warnings, ['lacp-by-fallback']);
  });

  it('is not made good by a target while a heard master does not answer', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] }, on(LACP_MISSING));
    answering(rig, GATEWAY, 20, () => rig.advert());
    assert.deepEqual(rig.instance.gate.reasons, ['no-partner', 'no-ready-port']);
  });

  it('is not made good by a target while another host answers for the address', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] }, on(LACP_MISSING));
    answering(rig, GATEWAY, 20, () => rig.answer(VIP));
    assert.equal(rig.open, false);
    assert.equal(rig.snapshot.fallback.met, false);
  });

  it('has to begin anew three seconds after another host has answered for the address', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] }, on(LACP_MISSING));
    answering(rig, GATEWAY, 5);
    rig.answer(VIP);
    answering(rig, GATEWAY, 14);
    assert.equal(rig.snapshot.fallback.met, false);
    answering(rig, GATEWAY, 1);
    assert.equal(rig.snapshot.fallback.met, true);
  });

  it('has to begin anew after a hole of more than three seconds', () => {
    for (const [hole, met] of [
      [2_000, true],
      [2_100, false],
    ] as const) {
      const rig = LinkRig.waiting({ targets: [GATEWAY] }, on(LACP_MISSING));
      answering(rig, GATEWAY, 5);
      rig.pass(hole);
      answering(rig, GATEWAY, 5);
      assert.equal(rig.snapshot.fallback.met, met, `${String(hole)} ms`);
    }
  });

  it('is made good by a station that has asked for something, or that the kernel knows', () => {
    for (const known of ['frame', 'kernel'] as const) {
      const rig = LinkRig.waiting({ probeInterval: fromSeconds(60) }, on(LACP_MISSING));
      assert.equal(rig.times('find-neighbours').length, 1);
      if (known === 'kernel') {
        rig.give({ kind: 'neighbours-found', addresses: [GATEWAY] });
        rig.frame();
      } else {
        const { epoch } = rig.link;
        rig.give({ kind: 'frame-heard', from: PEER_MAC, epoch, station: GATEWAY });
      }
      assert.ok(rig.snapshot.probing.includes(GATEWAY));
      answering(rig, GATEWAY, 11);
      assert.equal(rig.open, true);
    }
  });

  it('is waited for with questions that bear our address, so that others can ask us', () => {
    const rig = LinkRig.waiting({}, on(LACP_MISSING));
    const probes = rig.trace.flatMap(({ effect }) => (effect.kind === 'probe' ? [effect] : []));
    assert.deepEqual(probes.at(-1), { kind: 'probe', addresses: [VIP], vips: [] });
  });

  it('is asked for every second, also where probes are seldom or nobody else wants them', () => {
    const seldom = LinkRig.waiting({ probeInterval: fromSeconds(60) }, on(LACP_MISSING));
    seldom.advert();
    seldom.pass(3_000);
    assert.deepEqual(seldom.times('probe'), [0, 0, 1_000, 2_000, 3_000]);
    const gate = { ...HOLD, policy: 'promote-after' as const, promoteAfter: fromSeconds(0) };
    const open = LinkRig.waiting({ gate }, on(LACP_MISSING));
    open.advert();
    assert.equal(open.open, true);
    assert.deepEqual(open.snapshot.probing, [PEER]);
    open.role('inactive');
    assert.deepEqual(open.snapshot.probing, []);
  });

  it('is not asked for where LACP is there, or the gate is off', () => {
    const formed = LinkRig.waiting({}, on(LACP));
    formed.advert();
    assert.deepEqual(formed.snapshot.probing, []);
    const off = LinkRig.waiting({ gate: { ...HOLD, policy: 'off' } }, on(LACP_MISSING));
    off.advert();
    assert.deepEqual(off.snapshot.probing, []);
  });
});
