// Stepping down: who bows out and when, in which order the address, the bow-out and the down hook
// come.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INTERFACE_FAULTS } from '../../support/interface-faults.ts';
import { backup, HIGHER, LOWER, master, OWN, Rig } from '../../support/rig.ts';

const HANDOVER = { kind: 'handover-requested' } as const;
const MAINTENANCE = { kind: 'maintenance-changed', on: true } as const;
const SOURCE_LOST = { kind: 'interface-lost', cause: 'no-source-address' } as const;
const GONE = { kind: 'interface-lost', cause: 'interface-missing' } as const;
const CARRIER_LOST = { kind: 'carrier-changed', up: false } as const;

/** Takes over at 3 s and has its up hook running, and nothing answers by itself from then on. */
function silentMaster(manageAddress: boolean): Rig {
  const rig = master({ manageAddress });
  rig.answers.vipMs = undefined;
  rig.answers.hookMs = undefined;
  return rig;
}

describe('a handover where carpd manages the address', () => {
  it('takes the address off, then bows out, then runs the down hook', () => {
    const rig = silentMaster(true);
    assert.deepEqual(rig.feed(HANDOVER), ['stop-announcing', 'release-vip 1']);
    assert.equal(rig.election.snapshot().leaving, 'handover');
    assert.deepEqual(rig.feed({ kind: 'vip-released', term: 1 }), [
      'advert bow-out 255/255',
      'MASTER -> BACKUP handover',
      'hook down 1',
    ]);
    assert.equal(rig.election.snapshot().leaving, undefined);
  });

  it('goes on advertising until the address is off', () => {
    const rig = silentMaster(true);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.runFor(2_000), ['advert regular 1/0', 'advert regular 1/0']);
  });

  it('waits for the release of this term', () => {
    const rig = silentMaster(true);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.feed({ kind: 'vip-released', term: 0 }), []);
    assert.equal(rig.state, 'MASTER');
  });

  it('runs no down hook if the up hook had not begun', () => {
    const rig = backup();
    rig.runTo(3_040);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.runFor(100), ['advert bow-out 255/255', 'MASTER -> BACKUP handover']);
  });

  it('does not begin the up hook while it leaves, even if both are due at once', () => {
    const rig = backup();
    rig.runTo(3_010);
    rig.answers.vipMs = undefined;
    rig.feed(CARRIER_LOST);
    rig.now = (rig.now + 1_500_000) as typeof rig.now;
    assert.deepEqual(rig.feed({ kind: 'woken' }), [
      'advert regular 1/0',
      'stop-announcing',
      'release-vip 1',
    ]);
  });

  it('a claim that succeeds too late is not announced', () => {
    const rig = backup();
    rig.answers.vipMs = undefined;
    rig.runTo(3_001);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.feed({ kind: 'vip-claimed', term: 1, ok: true }), []);
    assert.deepEqual(rig.feed({ kind: 'vip-claimed', term: 1, ok: false }), []);
    assert.equal(rig.election.snapshot().holdReasons.length, 0);
  });
});

describe('a handover where hooks manage the address', () => {
  it('runs the down hook while it advertises, then bows out', () => {
    const rig = silentMaster(false);
    assert.deepEqual(rig.feed(HANDOVER), ['stop-announcing', 'hook down 1']);
    assert.deepEqual(rig.runFor(1_000), ['advert regular 1/0']);
    assert.deepEqual(rig.feed({ kind: 'hook-finished', hook: 'up', term: 1 }), []);
    assert.deepEqual(rig.feed({ kind: 'hook-finished', hook: 'down', term: 0 }), []);
    assert.deepEqual(rig.feed({ kind: 'hook-finished', hook: 'down', term: 1 }), [
      'advert bow-out 255/255',
      'MASTER -> BACKUP handover',
    ]);
  });

  it('bows out at once if the up hook had not begun', () => {
    const rig = backup({ manageAddress: false });
    rig.runTo(3_049);
    assert.deepEqual(rig.feed(HANDOVER), [
      'stop-announcing',
      'advert bow-out 255/255',
      'MASTER -> BACKUP handover',
    ]);
  });

  it('an up hook that ends when all is over announces nothing', () => {
    const rig = backup({ manageAddress: false });
    rig.answers.hookMs = undefined;
    rig.runTo(3_060);
    rig.hear(LOWER, 1, 0);
    assert.deepEqual(rig.feed({ kind: 'hook-finished', hook: 'up', term: 1 }), []);
    assert.deepEqual(rig.feed({ kind: 'hook-finished', hook: 'down', term: 1 }), []);
  });
});

describe('after a handover', () => {
  it('takes over again only when nobody else did', () => {
    const rig = master();
    rig.feed(HANDOVER);
    rig.runFor(10);
    const { masterDownAt } = rig.election.snapshot();
    assert.ok(
      rig.runUntil(masterDownAt ?? rig.now).includes('BACKUP -> MASTER master-down'),
      'rig.runUntil(masterDownAt ?? rig.now).includes(BACKUP -> ...',
    );
  });

  it('does not preempt, until the master-down timer expires', () => {
    const rig = master({ preempt: true });
    rig.feed(HANDOVER);
    for (let count = 0; count < 6; count += 1) {
      rig.runFor(1_000);
      assert.deepEqual(rig.hear(HIGHER, 1, 100), []);
    }
    rig.runFor(3_100);
    rig.hear(LOWER, 0, 255);
    assert.equal(rig.state, 'BACKUP');
    rig.runFor(2_900);
    rig.hear(LOWER, 0, 255);
    rig.runFor(1_000);
    assert.ok(
      rig.hear(HIGHER, 1, 100).includes('BACKUP -> MASTER preempt peer 10.77.0.9'),
      'rig.hear(HIGHER, 1, 100).includes(BACKUP -> MASTER preemp...',
    );
  });

  it('does not preempt either where a better advert ended the handover early', () => {
    const rig = master({ preempt: true, advskew: 10 });
    rig.answers.vipMs = undefined;
    rig.feed(HANDOVER);
    rig.hear(HIGHER, 1, 0);
    assert.equal(rig.state, 'BACKUP');
    for (let count = 0; count < 6; count += 1) {
      rig.runFor(1_000);
      assert.deepEqual(rig.hear(HIGHER, 1, 100), []);
    }
  });

  it('is asked in vain of a node that is no master', () => {
    assert.deepEqual(backup().feed(HANDOVER), []);
    assert.deepEqual(new Rig().feed(HANDOVER), []);
  });

  it('asked twice is asked once', () => {
    const rig = silentMaster(true);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.feed(HANDOVER), []);
  });
});

describe('yielding', () => {
  it('sends no bow-out: the peer is master already', () => {
    for (const skew of [0, 10]) {
      const rig = master({ advskew: 10 });
      rig.hear(LOWER, 1, skew);
      rig.runFor(2_000);
      assert.deepEqual(
        rig.timeline().filter((text) => text.includes('bow-out')),
        [],
      );
      assert.equal(rig.state, 'BACKUP');
    }
  });

  it('cancels what is left of a promotion: no announcement, no hook', () => {
    for (const [at, manageAddress] of [
      [3_002, true],
      [3_040, true],
      [3_040, false],
    ] as const) {
      const rig = backup({ manageAddress });
      rig.runTo(at);
      rig.trace.length = 0;
      rig.hear(LOWER, 1, 0);
      rig.runFor(2_000);
      const kinds = rig.trace.flatMap((entry) => ('effect' in entry ? entry.effect.kind : []));
      const release = manageAddress ? ['release-vip'] : [];
      assert.deepEqual(kinds, ['state-changed', 'stop-announcing', ...release]);
    }
  });

  it('ends a step down that was under way, without farewell or a second release', () => {
    const rig = silentMaster(true);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.hear(HIGHER, 0, 1), ['MASTER -> BACKUP better-advert peer 10.77.0.9']);
    assert.deepEqual(rig.feed({ kind: 'vip-released', term: 1 }), ['hook down 1']);
  });

  it('hears a worse master while leaving, and says so, but announces nothing', () => {
    const rig = silentMaster(true);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.hear(HIGHER, 1, 1), ['conflict 10.77.0.9']);
  });

  it('runs the down hook before the next up hook, even if the release was never reported', () => {
    const rig = silentMaster(true);
    rig.hear(LOWER, 1, 0);
    rig.answers.vipMs = 5;
    rig.runFor(3_100);
    assert.deepEqual(
      rig.timeline().filter((text) => text.includes('hook')),
      ['6155 hook down 1', '6155 hook up 2'],
    );
    assert.deepEqual(rig.feed({ kind: 'vip-released', term: 1 }), []);
  });
});

describe('maintenance', () => {
  it('puts a master down in good order and keeps it HELD', () => {
    const rig = master();
    assert.deepEqual(rig.feed(MAINTENANCE), ['stop-announcing', 'release-vip 1']);
    assert.deepEqual(rig.runFor(60_000), [
      'advert bow-out 255/255',
      'MASTER -> HELD maintenance',
      'hook down 1',
    ]);
    assert.deepEqual(rig.election.snapshot().holdReasons, ['maintenance']);
  });

  it('holds a backup at once, and lets it wait in full when it ends', () => {
    const rig = backup();
    rig.runTo(2_000);
    assert.deepEqual(rig.feed(MAINTENANCE), ['BACKUP -> HELD maintenance']);
    rig.runTo(20_000);
    const off = { kind: 'maintenance-changed', on: false } as const;
    assert.deepEqual(rig.feed(off), ['HELD -> BACKUP gate-opened']);
    assert.equal(rig.deadlineMs, 23_000);
  });

  it('ended before the step down was: the node is BACKUP after it', () => {
    const rig = master();
    rig.feed(MAINTENANCE, { kind: 'maintenance-changed', on: false });
    assert.ok(
      rig.runFor(10).includes('MASTER -> BACKUP maintenance'),
      'rig.runFor(10).includes(MASTER -> BACKUP maintenance)',
    );
  });
});

describe('the interface goes away (ucarp exits)', () => {
  for (const cause of INTERFACE_FAULTS) {
    if (cause !== 'no-source-address') {
      it(`${cause}: a master gives the address up; nothing can be sent any more`, () => {
        assert.deepEqual(master().feed({ kind: 'interface-lost', cause }), [
          `MASTER -> INIT ${cause}`,
          'stop-announcing',
          'release-vip 1',
        ]);
      });
    }

    it(`${cause}: a backup stops waiting and forgets the master`, () => {
      const rig = backup();
      rig.hear(LOWER, 1, 0);
      assert.deepEqual(rig.feed({ kind: 'interface-lost', cause }), [`BACKUP -> INIT ${cause}`]);
      assert.equal(rig.deadlineMs, undefined);
      assert.equal(rig.election.snapshot().master, undefined);
    });
  }

  it('no-source-address: a master waits for one interval, and can still say that it leaves', () => {
    const rig = silentMaster(true);
    assert.deepEqual(rig.feed(SOURCE_LOST), []);
    assert.deepEqual(rig.runFor(999), ['advert regular 1/0']);
    assert.deepEqual(rig.runFor(1), ['stop-announcing', 'release-vip 1']);
    assert.deepEqual(rig.runFor(1_000), ['advert regular 1/0'], 'until the address is off');
    assert.deepEqual(rig.feed({ kind: 'vip-released', term: 1 }), [
      'advert bow-out 255/255',
      'MASTER -> INIT no-source-address',
      'hook down 1',
    ]);
  });

  it('no-source-address: a blink within an interval changes nothing', () => {
    const rig = silentMaster(true);
    rig.feed(SOURCE_LOST);
    rig.runFor(999);
    assert.deepEqual(rig.feed({ kind: 'interface-ready', source: OWN }), []);
    rig.runFor(5_000);
    assert.equal(rig.state, 'MASTER');
  });

  it('no-source-address: lost again, it has a whole interval once more', () => {
    const rig = silentMaster(true);
    rig.feed(SOURCE_LOST);
    rig.runFor(900);
    rig.feed({ kind: 'interface-ready', source: OWN }, SOURCE_LOST);
    rig.runFor(999);
    assert.equal(rig.election.snapshot().leaving, undefined);
    rig.runFor(1);
    assert.equal(rig.election.snapshot().leaving, 'no-source-address');
  });

  it('no-source-address: told twice, it has one interval', () => {
    const rig = silentMaster(true);
    rig.feed(SOURCE_LOST);
    rig.runFor(900);
    assert.deepEqual(rig.feed(SOURCE_LOST), []);
    rig.runFor(100);
    assert.equal(rig.election.snapshot().leaving, 'no-source-address');
  });

  for (const deadRatio of [1, 2]) {
    it(`no-source-address: leaves at once with a dead ratio of ${deadRatio}`, () => {
      const rig = master({ deadRatio });
      assert.deepEqual(rig.feed(SOURCE_LOST), ['stop-announcing', 'release-vip 1']);
    });
  }

  it('no-source-address: leaves at once where hooks manage the address', () => {
    const rig = silentMaster(false);
    assert.deepEqual(rig.feed(SOURCE_LOST), ['stop-announcing', 'hook down 1']);
    assert.equal(rig.election.snapshot().leaving, 'no-source-address');
  });

  it('no-source-address: a master that yields meanwhile is INIT, and waits no more', () => {
    const rig = master({ advskew: 10 });
    rig.feed(SOURCE_LOST);
    assert.ok(rig.hear(LOWER, 1, 0).includes('MASTER -> INIT better-advert peer 10.77.0.1'));
    rig.runFor(5_000);
    assert.equal(rig.state, 'INIT');
  });

  it('no-source-address: found again meanwhile, the node is BACKUP after the step down', () => {
    const rig = silentMaster(true);
    rig.feed(SOURCE_LOST);
    rig.runFor(1_000);
    rig.feed({ kind: 'interface-ready', source: HIGHER });
    assert.ok(
      rig.feed({ kind: 'vip-released', term: 1 }).includes('MASTER -> BACKUP no-source-address'),
      'it has a source',
    );
  });

  it('no-source-address, then altogether: nothing can be sent any more', () => {
    const rig = silentMaster(true);
    rig.feed(SOURCE_LOST);
    const released = ['stop-announcing', 'release-vip 1'];
    assert.deepEqual(rig.feed(GONE), ['MASTER -> INIT interface-missing', ...released]);
  });

  it('during a step down: the release that is under way still ends in the down hook', () => {
    const rig = silentMaster(true);
    rig.feed(HANDOVER);
    assert.deepEqual(rig.feed(GONE), ['MASTER -> INIT interface-missing']);
    assert.deepEqual(rig.feed({ kind: 'vip-released', term: 1 }), ['hook down 1']);
  });

  it('comes back with a full dead interval', () => {
    const rig = master();
    rig.feed(GONE);
    rig.runTo(20_000);
    rig.feed({ kind: 'interface-ready', source: OWN });
    assert.deepEqual([rig.state, rig.deadlineMs], ['BACKUP', 23_000]);
  });
});
