// What a link wants of the world while it waits for proof: witness, probes and multicast reports.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { samePrefix } from '../../../src/base/addresses.ts';
import { fromMillis } from '../../../src/base/time.ts';
import {
  GATEWAY,
  INSTANCE,
  LinkRig,
  NO_CARRIER,
  only,
  OWN_MAC,
  PEER,
  PEER_MAC,
  PLAIN,
  VIP,
} from '../../support/readiness-rig.ts';
import { address } from '../../support/packets.ts';

describe('the witness', () => {
  const witness = (rig: LinkRig) =>
    rig.trace.flatMap(({ at, effect }) => {
      if (effect.kind === 'close-witness') return [`${at} closed`];
      return effect.kind === 'open-witness' ? [`${at} ${effect.wanted}`] : [];
    });

  it('is closed while a master is heard, the gate being open, and opens at its first miss', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(1_000);
    rig.advert();
    rig.pass(1_499);
    assert.equal(rig.snapshot.witnessOpen, false);
    rig.pass(1);
    assert.equal(rig.snapshot.witnessOpen, true);
    rig.advert();
    assert.deepEqual(witness(rig), ['0 any-frame', '0 closed', '2500 any-frame', '2500 closed']);
  });

  it('is open while nobody was heard yet, though the gate is open', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.pass(1_499);
    assert.deepEqual(witness(rig), ['0 any-frame', '0 adverts']);
    rig.pass(58_501);
    // A master that lives would have been heard by then, so a frame says something of this path.
    assert.deepEqual(witness(rig), ['0 any-frame', '0 adverts', '1500 any-frame']);
    rig.advert();
    rig.role('master');
    assert.equal(witness(rig).at(-1), '60000 closed');
  });

  it('is open for a dead interval now and then where a master knows of no open firewall', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.role('master');
    rig.passBusy(70_000);
    const opened = ['0 any-frame', '0 adverts', '3000 closed', '63000 adverts', '66000 closed'];
    assert.deepEqual(witness(rig), opened);
    assert.deepEqual(rig.times('probe'), [0], 'it listens and asks nobody');
    rig.advert({ heardBy: 'socket' });
    rig.passBusy(200_000);
    assert.equal(rig.snapshot.witnessOpen, false, 'the socket hears');
    assert.deepEqual(witness(rig).slice(opened.length), ['70000 adverts', '76000 closed']);
  });

  it('is open for a dead interval after the process of such a master stood still', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.role('master');
    rig.passBusy(10_000);
    rig.give({ kind: 'woken-late', lateBy: fromMillis(1_000) });
    rig.passBusy(10_000);
    const opened = ['0 any-frame', '0 adverts', '3000 closed'];
    assert.deepEqual(witness(rig), [...opened, '10000 adverts', '13000 closed']);
  });

  it('lets a master hear a second one that its firewall hides, and stays open for it', () => {
    const rig = LinkRig.waiting();
    rig.frame();
    rig.role('master');
    rig.pass(1_000);
    rig.advert({ heardBy: 'witness' });
    rig.pass(10_000);
    assert.equal(rig.snapshot.witnessOpen, true);
    rig.facts({ ...PLAIN, ifindex: 3 });
    rig.frame();
    rig.pass(10_000);
    assert.equal(rig.snapshot.witnessOpen, true, 'a new epoch proves no socket');
  });

  it('is open from a bow-out on', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.advert({ leaving: true });
    assert.equal(rig.snapshot.witnessOpen, true);
    assert.equal(rig.instance.silent, true);
  });

  it('stays open for adverts that only it sees, with a warning', () => {
    const rig = LinkRig.waiting();
    rig.advert({ heardBy: 'witness' });
    assert.equal(rig.open, true);
    assert.deepEqual(rig.instance.warnings, ['adverts-only-by-witness']);
    assert.equal(rig.snapshot.witnessOpen, true);
    assert.deepEqual(rig.snapshot.probing, []);
    rig.role('master');
    assert.equal(rig.snapshot.witnessOpen, true);
    rig.role('waiting');
    rig.advert({ heardBy: 'socket' });
    assert.deepEqual(rig.instance.warnings, []);
    assert.equal(rig.snapshot.witnessOpen, false);
    rig.advert({ heardBy: 'witness' });
    rig.role('inactive');
    assert.equal(rig.snapshot.witnessOpen, false);
  });

  it('is never opened for a gate that is off, nor is anybody probed', () => {
    const rig = LinkRig.waiting({ gate: { ...INSTANCE.gate, policy: 'off' }, preempt: true });
    rig.pass(5_000);
    rig.advert();
    rig.pass(60_000);
    assert.deepEqual(witness(rig), []);
    assert.deepEqual(rig.times('probe'), []);
  });
});

describe('probes', () => {
  it('go to targets, to all who advertise and for the virtual IP, once per interval', () => {
    const web = {
      ...INSTANCE,
      name: 'web',
      vip: address('10.9.0.101'),
      source: address('10.9.0.11'),
    };
    const rig = LinkRig.waiting(
      { targets: [GATEWAY, address('10.9.0.11'), address('10.9.0.10')] },
      NO_CARRIER,
    );
    rig.give({ kind: 'instances-changed', instances: [rigSettings(rig), web] });
    rig.role('waiting', 'web');
    rig.advert({ epoch: 0 });
    rig.advert({ name: 'web', from: address('10.9.0.21'), epoch: 0 });
    const before = rig.times('probe').length;
    assert.equal(before, 0);
    const effects = rig.facts(PLAIN);
    assert.deepEqual(only(effects, 'probe'), {
      kind: 'probe',
      addresses: [GATEWAY, PEER, address('10.9.0.21')],
      vips: [VIP, address('10.9.0.101')],
    });
    rig.pass(1_499);
    assert.deepEqual(rig.times('probe'), [0, 500, 1_000]);
    rig.pass(1);
    assert.deepEqual(rig.times('probe'), [0, 500, 1_000, 1_500]);
  });

  it('are not sent without carrier, unless the link state is ignored', () => {
    assert.deepEqual(LinkRig.waiting({}, NO_CARRIER).times('probe'), []);
    const gate = { ...INSTANCE.gate, ignoreLinkState: true };
    assert.deepEqual(LinkRig.waiting({ gate }, NO_CARRIER).times('probe'), [0]);
    assert.deepEqual(LinkRig.waiting({}, { ...PLAIN, carrier: undefined }).times('probe'), [0]);
  });

  it('end with the proof, and start with the first missed advert', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(1_000);
    rig.advert();
    rig.pass(2_500);
    assert.deepEqual(rig.times('probe'), [0, 2_500, 3_000, 3_500]);
  });

  it('go to the 32 masters heard last', () => {
    const rig = LinkRig.waiting({}, { ...PLAIN, carrier: undefined });
    for (let host = 1; host <= 33; host += 1) rig.advert({ from: address(`10.9.1.${host}`) });
    rig.advert({ from: address('10.9.1.2') });
    rig.advert({ from: address('10.9.1.34') });
    rig.pass(500);
    const heard = rig.snapshot.probing.filter((one) => samePrefix(one, address('10.9.1.0'), 24));
    assert.equal(heard.length, 32);
    assert.ok(heard.includes(address('10.9.1.2')) && heard.includes(address('10.9.1.34')));
    assert.ok(!heard.includes(address('10.9.1.1')) && !heard.includes(address('10.9.1.3')));
  });

  it('that were not sent have no answers: those count as frames', () => {
    const rig = LinkRig.waiting();
    rig.answer(GATEWAY);
    assert.deepEqual(
      rig.snapshot.evidence.map(({ kind, latest }) => [kind, latest.from]),
      [['frame', PEER_MAC]],
    );
    assert.equal(rig.open, true);
  });

  it('that our own card answers prove nothing', () => {
    const rig = LinkRig.waiting({ targets: [GATEWAY] });
    rig.answer(GATEWAY, OWN_MAC);
    assert.deepEqual(rig.snapshot.evidence, []);
    const gone = LinkRig.waiting({ targets: [GATEWAY] });
    gone.facts(undefined);
    gone.answer(GATEWAY, OWN_MAC);
    assert.equal(gone.open, false);
  });

  function rigSettings(rig: LinkRig) {
    assert.equal(rig.instance.name, 'db');
    return { ...INSTANCE, targets: [GATEWAY, address('10.9.0.11'), address('10.9.0.10')] };
  }
});

describe('multicast membership', () => {
  it('is renewed every 60 s while an instance takes part', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.role('master');
    rig.pass(180_000);
    assert.deepEqual(rig.times('rejoin-multicast'), [60_000, 120_000, 180_000]);
    rig.role('inactive');
    rig.pass(180_000);
    assert.equal(rig.times('rejoin-multicast').length, 3);
    rig.facts({ ...PLAIN, ifindex: 9 });
    assert.equal(rig.times('rejoin-multicast').length, 3);
  });

  it('is renewed at the first missed advert, once, and at the start of an epoch', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.pass(10_000);
    assert.deepEqual(rig.times('rejoin-multicast'), [1_500]);
    rig.facts({ ...PLAIN, ifindex: 9 });
    assert.deepEqual(rig.times('rejoin-multicast'), [1_500, 10_000]);
    rig.pass(59_999);
    assert.equal(rig.times('rejoin-multicast').length, 2);
    rig.pass(1);
    assert.equal(rig.times('rejoin-multicast')[2], 70_000);
  });

  it('is not renewed without carrier, but when the carrier is back', () => {
    const rig = LinkRig.waiting();
    rig.advert();
    rig.facts({ ...PLAIN, carrier: false });
    rig.pass(70_000);
    assert.deepEqual(rig.times('rejoin-multicast'), []);
    rig.facts(PLAIN);
    assert.deepEqual(rig.times('rejoin-multicast'), [70_000]);
    rig.facts({ ...PLAIN, carrierLosses: 1 });
    assert.deepEqual(rig.times('rejoin-multicast'), [70_000, 70_000], 'an epoch began again');
  });

  it('is not renewed twice within a second', () => {
    const web = { ...INSTANCE, name: 'web', vip: address('10.9.0.101') };
    const rig = LinkRig.waiting();
    rig.give({ kind: 'instances-changed', instances: [INSTANCE, web] });
    rig.role('waiting', 'web');
    rig.advert();
    rig.pass(600);
    rig.advert({ name: 'web' });
    rig.pass(10_000);
    assert.deepEqual(rig.times('rejoin-multicast'), [1_500]);
  });

  it('is not renewed for a bow-out, nor by a master', () => {
    const rig = LinkRig.waiting();
    rig.pass(5_000);
    rig.advert();
    rig.advert({ leaving: true });
    rig.pass(5_000);
    rig.advert();
    rig.role('master');
    rig.pass(5_000);
    assert.deepEqual(rig.times('rejoin-multicast'), []);
  });
});

describe('a master that bids as one in doubt', () => {
  const asked = (rig: LinkRig) =>
    rig.trace.flatMap(({ at, effect }) =>
      effect.kind === 'probe' ? effect.addresses.map((address) => `${at} ${address}`) : [],
    );
  const backup = (settings = {}): LinkRig => {
    const rig = LinkRig.waiting(settings);
    rig.frame();
    rig.advert();
    rig.trace.length = 0;
    return rig;
  };

  it('is asked by ARP at each advert, so that it hears somebody, until it bids well', () => {
    const rig = backup();
    for (const doubting of [true, true, true, false, false]) {
      rig.advert({ doubting });
      rig.pass(999);
    }
    assert.deepEqual(asked(rig), [`0 ${PEER}`, `1000 ${PEER}`, `2000 ${PEER}`]);
  });

  it('is not asked by one without a gate', () => {
    const rig = backup({ gate: { ...INSTANCE.gate, policy: 'off' } });
    rig.advert({ doubting: true });
    rig.pass(1_000);
    assert.deepEqual(asked(rig), []);
  });

  it('asks in its doubt whoever has told his address', () => {
    const rig = LinkRig.master({ gate: { ...INSTANCE.gate, requireProbe: true } });
    rig.facts(NO_CARRIER);
    rig.facts(PLAIN);
    rig.trace.length = 0;
    const station = address('10.9.0.77');
    const { epoch } = rig.link;
    rig.give({ kind: 'frame-heard', from: PEER_MAC, epoch, station });
    rig.pass(500);
    assert.ok(asked(rig).includes(`500 ${station}`), asked(rig).join());
  });
});
