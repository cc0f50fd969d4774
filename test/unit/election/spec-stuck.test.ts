// A step down whose address can't be taken off: who may stay master, and who has to leave.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backup, HIGHER, LOWER, master, OWN, type Rig } from '../../support/rig.ts';

const HANDOVER = { kind: 'handover-requested' } as const;
const MAINTENANCE = { kind: 'maintenance-changed', on: true } as const;
const RETIRE = { kind: 'retire-requested' } as const;
const STOP = { kind: 'stop-requested' } as const;
const CARRIER_LOST = { kind: 'carrier-changed', up: false } as const;
const NO_SOURCE = { kind: 'interface-lost', cause: 'no-source-address' } as const;
const STUCK = { kind: 'vip-stuck', term: 1, shown: true } as const;
const UNSHOWN = { kind: 'vip-stuck', term: 1, shown: false } as const;
const RELEASED = { kind: 'vip-released', term: 1 } as const;

/** Nothing answers by itself. */
function silentMaster(settings: Parameters<typeof master>[0] = {}): Rig {
  const rig = master(settings);
  rig.answers.vipMs = undefined;
  rig.answers.hookMs = undefined;
  return rig;
}

const isNoAdvert = (text: string): boolean => !text.startsWith('advert regular');

describe('who was only asked to leave', () => {
  for (const order of [HANDOVER, MAINTENANCE, RETIRE]) {
    it(`waits for its address, and stays after 10 s (${order.kind})`, () => {
      const rig = silentMaster();
      rig.feed(order);
      assert.deepEqual(rig.feed(STUCK), []);
      assert.deepEqual(rig.runFor(9_999).filter(isNoAdvert), []);
      const cause = rig.election.snapshot().leaving ?? '';
      assert.deepEqual(rig.runFor(1).filter(isNoAdvert), [`stuck ${cause} stays`, 'claim-vip 1']);
      const { state, leaving, effectiveAdvskew } = rig.election.snapshot();
      assert.deepEqual([state, leaving, effectiveAdvskew], ['MASTER', undefined, 0]);
    });
  }

  it('has run its up hook, and goes on announcing', () => {
    const rig = silentMaster();
    rig.feed(HANDOVER, STUCK);
    rig.runFor(10_000);
    assert.deepEqual(rig.feed({ kind: 'vip-claimed', term: 1, ok: true }), [
      'announce promotion burst',
    ]);
    assert.deepEqual(rig.runFor(500).filter(isNoAdvert), []);
  });

  it('runs its up hook after all where it had not begun', () => {
    const rig = backup();
    rig.runTo(3_010);
    rig.answers.vipMs = undefined;
    rig.feed(HANDOVER, STUCK);
    rig.runFor(10_000);
    rig.feed({ kind: 'vip-claimed', term: 1, ok: true });
    assert.ok(rig.runFor(60).includes('hook up 1'), 'the up hook is still owed');
  });

  it('takes no notice of a release that the later claim has overtaken', () => {
    const rig = silentMaster();
    rig.feed(HANDOVER, STUCK);
    rig.runFor(10_000);
    assert.deepEqual(rig.feed(RELEASED), []);
    assert.equal(rig.state, 'MASTER');
  });

  for (const [lost, back] of [
    [CARRIER_LOST, { kind: 'carrier-changed', up: true }],
    [NO_SOURCE, { kind: 'interface-ready', source: OWN }],
  ] as const) {
    it(`stays as well where what it lost meanwhile is back (${lost.kind})`, () => {
      const rig = silentMaster();
      rig.feed(HANDOVER, STUCK, lost);
      rig.runFor(2_000);
      rig.feed(back);
      assert.ok(rig.runFor(8_000).includes('stuck handover stays'));
      assert.equal(rig.state, 'MASTER');
    });

    it(`leaves where that is still away (${lost.kind})`, () => {
      const rig = silentMaster();
      rig.feed(HANDOVER, STUCK, lost);
      assert.ok(rig.runFor(10_000).includes('stuck handover leaves'));
    });
  }

  it('has not handed over, and may preempt and be asked again', () => {
    const rig = silentMaster({ preempt: true });
    rig.feed(HANDOVER, STUCK);
    rig.runFor(10_000);
    assert.deepEqual(rig.feed(HANDOVER), ['stop-announcing', 'release-vip 1']);
    rig.hear(LOWER, 1, 0);
    assert.equal(rig.state, 'BACKUP');
  });

  it('can be told of it long after: then it stays at once', () => {
    const rig = silentMaster();
    rig.feed(HANDOVER);
    rig.runFor(12_000);
    rig.feed(STUCK);
    assert.ok(rig.runFor(0).includes('stuck handover stays'), 'ten seconds are over');
  });

  it('waits also where the interface does not show the address: it may come up yet', () => {
    const rig = silentMaster();
    rig.feed(HANDOVER);
    assert.deepEqual(rig.feed(UNSHOWN), []);
    assert.equal(rig.state, 'MASTER');
  });

  it('leaves where it has to meanwhile', () => {
    const rig = silentMaster();
    rig.feed(HANDOVER, STUCK, NO_SOURCE);
    assert.deepEqual(rig.runFor(10_000).filter(isNoAdvert), [
      'stuck handover leaves',
      'advert bow-out 255/255',
      'MASTER -> INIT handover',
      'hook down 1',
    ]);
  });

  it('yields to a better master without delay', () => {
    const rig = silentMaster();
    rig.feed(HANDOVER, STUCK);
    assert.deepEqual(rig.hear(LOWER, 1, 0), ['MASTER -> BACKUP tie-lost peer 10.77.0.1']);
    assert.deepEqual(rig.feed(STUCK), ['hook down 1']);
    assert.equal(rig.hear(HIGHER, 1, 0).length, 0);
  });
});

describe('who has to leave', () => {
  it('waits 10 s for an address that is shown, then bows out all the same', () => {
    for (const [input, cause, state] of [
      [STOP, 'stopped', 'INIT'],
      [NO_SOURCE, 'no-source-address', 'INIT'],
      [CARRIER_LOST, 'carrier-lost', 'HELD'],
    ] as const) {
      const rig = silentMaster({ deadRatio: 2 });
      rig.feed(input, STUCK);
      assert.deepEqual(rig.runFor(9_999).filter(isNoAdvert), []);
      assert.deepEqual(rig.runFor(1).filter(isNoAdvert), [
        `stuck ${cause} leaves`,
        'advert bow-out 255/255',
        `MASTER -> ${state} ${cause}`,
        ...(cause === 'stopped' ? ['stopped'] : []),
        'hook down 1',
      ]);
    }
  });

  it('leaves at once where the interface does not show the address', () => {
    const rig = silentMaster();
    assert.deepEqual(rig.feed(STOP, UNSHOWN).slice(2), [
      'advert bow-out 255/255',
      'MASTER -> INIT stopped',
      'stopped',
      'hook down 1',
    ]);
  });

  it('counts from the stop where the address was stuck before', () => {
    const rig = silentMaster();
    rig.feed(RETIRE, STUCK);
    rig.runFor(9_000);
    rig.feed(STOP);
    assert.deepEqual(rig.runFor(9_999).filter(isNoAdvert), []);
    assert.equal(rig.runFor(1).filter(isNoAdvert)[0], 'stuck stopped leaves');
  });

  it('a claim that failed: held only when its retry is due, and the address gone', () => {
    const rig = silentMaster();
    rig.feed({ kind: 'vip-claimed', term: 1, ok: false }, STUCK);
    assert.deepEqual(rig.runFor(10_000).filter(isNoAdvert), [
      'stuck vip-failed leaves',
      'advert bow-out 255/255',
      'MASTER -> BACKUP vip-failed',
      'hook down 1',
    ]);
  });

  it('where hooks manage the address there is nothing to be told of', () => {
    const rig = silentMaster({ manageAddress: false });
    rig.feed(HANDOVER);
    assert.deepEqual(rig.feed(STUCK), []);
    assert.deepEqual(rig.runFor(11_000).filter(isNoAdvert), []);
  });
});
