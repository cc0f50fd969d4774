// ucarp's carp.c, rule by rule: transitions, timers and ties. "Deviation" marks what carpd does
// otherwise on purpose; the rules on sending, leaving and the gate are in the spec-* files beside.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { address } from '../../support/packets.ts';
import { backup, HIGHER, LOWER, master, OWN, Rig } from '../../support/rig.ts';

const READY = { kind: 'interface-ready', source: OWN } as const;
const UP = { kind: 'carrier-changed', up: true } as const;
const OPEN = { kind: 'gate-changed', open: true } as const;

describe('start (carp_setrun: INIT to BACKUP at once, down script first)', () => {
  it('runs the down hook at once, before anything else, and not again', () => {
    const rig = new Rig();
    assert.deepEqual(rig.feed({ kind: 'started' }), ['hook down 0']);
    assert.deepEqual(rig.feed(READY), ['INIT -> HELD interface-ready']);
  });

  it('runs no down hook when neutral (-n)', () => {
    assert.deepEqual(new Rig({ neutral: true }).feed({ kind: 'started' }), []);
  });

  it('deviation: INIT until the interface is ready, HELD until carrier and gate allow it', () => {
    const rig = new Rig();
    assert.equal(rig.state, 'INIT');
    rig.feed(READY);
    assert.deepEqual(rig.election.snapshot().holdReasons, ['gate-closed', 'carrier-lost']);
    assert.deepEqual(rig.feed(UP), []);
    assert.deepEqual(rig.feed(OPEN), ['HELD -> BACKUP gate-opened']);
    assert.deepEqual(rig.election.snapshot().holdReasons, []);
  });

  it('goes to BACKUP at once where carrier and gate were known first', () => {
    assert.deepEqual(new Rig().feed(UP, OPEN, READY), ['INIT -> BACKUP interface-ready']);
  });

  it('ignores adverts in INIT', () => {
    const rig = new Rig();
    assert.deepEqual(rig.hear(LOWER, 1, 0), []);
    assert.equal(rig.election.snapshot().master, undefined);
    assert.equal(rig.deadlineMs, undefined);
  });
});

describe('BACKUP, the master-down timer expires', () => {
  it('promotes exactly at the formula (deviation: ucarp polls and is up to 3 s late)', () => {
    const rig = backup({ advskew: 100 });
    assert.equal(rig.election.deadline(), 3_390_625);
    rig.runTo(3_390.624);
    assert.equal(rig.state, 'BACKUP');
    rig.runTo(3_390.625);
    assert.equal(rig.state, 'MASTER');
  });

  it('deviation: advert, address, ARP, up hook 50 ms later (ucarp: script, ARP, advert)', () => {
    const rig = backup();
    rig.runTo(3_500);
    assert.deepEqual(rig.timeline(), [
      '3000 advert regular 1/0',
      '3000 BACKUP -> MASTER master-down',
      '3000 claim-vip 1',
      '3005 announce promotion burst',
      '3055 hook up 1',
    ]);
  });

  it('names the master that fell silent', () => {
    const rig = backup();
    rig.hear(HIGHER, 1, 5);
    assert.ok(
      rig.runFor(3_000).includes('BACKUP -> MASTER master-down peer 10.77.0.9'),
      'rig.runFor(3_000).includes(BACKUP -> MASTER master-down p...',
    );
    assert.equal(rig.election.snapshot().master, undefined);
  });

  it('deviation: does not wait for the hook, however long (ucarp stops advertising)', () => {
    const rig = backup();
    rig.answers.hookMs = undefined;
    const adverts = rig.runTo(9_000).filter((text) => text === 'advert regular 1/0');
    assert.equal(adverts.length, 7);
  });
});

describe('BACKUP, an advert slower than its own is heard (R > L)', () => {
  it('with preempt: promotes, one skew unit being enough', () => {
    const rig = backup({ preempt: true, advskew: 10 });
    rig.runTo(2_000);
    rig.hear(HIGHER, 1, 9);
    rig.runTo(4_500);
    const effects = rig.hear(HIGHER, 1, 11);
    assert.deepEqual(effects, [
      'advert regular 1/10',
      'BACKUP -> MASTER preempt peer 10.77.0.9',
      'claim-vip 1',
    ]);
  });

  it('deviation: preempts only a master towards whom the link has proved itself', () => {
    const rig = backup({ preempt: true, advskew: 10 });
    rig.hear(HIGHER, 1, 11);
    rig.runTo(2_999);
    rig.hear(HIGHER, 1, 11);
    rig.runTo(5_000);
    rig.proved = false;
    assert.deepEqual(rig.hear(HIGHER, 1, 11), []);
    rig.proved = true;
    assert.ok(
      rig.hear(HIGHER, 1, 11).includes('BACKUP -> MASTER preempt peer 10.77.0.9'),
      'as soon as it has',
    );
  });

  it('with preempt: not on equality, whoever would win the tie', () => {
    const rig = backup({ preempt: true, advskew: 10 });
    for (const at of [2_000, 4_000, 6_000]) {
      rig.runTo(at);
      assert.deepEqual(rig.hear(HIGHER, 1, 10), []);
    }
  });

  it('deviation: preempts only after one dead interval as BACKUP, to the microsecond', () => {
    const early = backup({ preempt: true });
    for (const at of [1_000, 2_000, 2_999.999]) {
      early.runTo(at);
      assert.deepEqual(early.hear(HIGHER, 1, 1), []);
    }
    early.runTo(3_000);
    assert.ok(
      early.hear(HIGHER, 1, 1).includes('BACKUP -> MASTER preempt peer 10.77.0.9'),
      'early.hear(HIGHER, 1, 1).includes(BACKUP -> MASTER preemp...',
    );
  });

  it('deviation: that interval starts anew with the gate', () => {
    const rig = backup({ preempt: true });
    rig.runTo(2_000);
    rig.feed({ kind: 'gate-changed', open: false }, OPEN);
    for (const at of [2_500, 4_999]) {
      rig.runTo(at);
      assert.deepEqual(rig.hear(HIGHER, 1, 1), []);
    }
    rig.runTo(5_000);
    rig.hear(HIGHER, 1, 1);
    assert.equal(rig.state, 'MASTER');
  });

  it('without preempt: accepts the slower master and restarts the timer', () => {
    const rig = backup();
    for (const at of [1_000, 3_999, 6_998]) {
      rig.runTo(at);
      assert.deepEqual(rig.hear(HIGHER, 1, 200), []);
      assert.equal(rig.deadlineMs, at + 3_000);
    }
  });

  it('with preempt on a silent segment: waits for the timer like everybody', () => {
    const rig = backup({ preempt: true });
    assert.deepEqual(rig.runTo(2_999.999), []);
    assert.ok(
      rig.runTo(3_000).includes('BACKUP -> MASTER master-down'),
      'rig.runTo(3_000).includes(BACKUP -> MASTER master-down)',
    );
  });
});

describe('BACKUP, an advert slower than its dead interval is heard', () => {
  it('promotes at once, preempt or not ("Putting MASTER DOWN")', () => {
    assert.deepEqual(backup({ advskew: 4 }).hear(HIGHER, 4, 0), [
      'advert regular 1/4',
      'BACKUP -> MASTER peer-slow peer 10.77.0.9',
      'claim-vip 1',
    ]);
  });

  it('compares strictly: an interval equal to the dead interval is followed', () => {
    const rig = backup({ advskew: 4 });
    assert.deepEqual(rig.hear(HIGHER, 3, 4), []);
    assert.ok(
      rig.hear(HIGHER, 3, 5).includes('BACKUP -> MASTER peer-slow peer 10.77.0.9'),
      'rig.hear(HIGHER, 3, 5).includes(BACKUP -> MASTER peer-slo...',
    );
  });

  it('deviation: only of the master last heard; a third node says nothing of that one', () => {
    const rig = backup();
    rig.hear(LOWER, 1, 0);
    assert.deepEqual(rig.hear(HIGHER, 200, 0), []);
    assert.equal(rig.state, 'BACKUP');
  });

  it('deviation: not with advbase 0, where every ordinary peer would be slow (OpenBSD)', () => {
    assert.deepEqual(backup({ advbase: 0, advskew: 10 }).hear(HIGHER, 1, 0), []);
  });
});

describe('BACKUP, the bow-out 255/255 is heard', () => {
  it('promotes at once when it is from the master last heard', () => {
    const rig = backup();
    rig.runTo(1_000);
    rig.hear(HIGHER, 1, 0);
    assert.deepEqual(rig.hear(HIGHER, 255, 255), [
      'advert regular 1/0',
      'BACKUP -> MASTER bow-out peer 10.77.0.9',
      'claim-vip 1',
    ]);
  });

  it('promotes at once when no master was heard', () => {
    assert.ok(
      backup().hear(HIGHER, 255, 255).includes('BACKUP -> MASTER bow-out peer 10.77.0.9'),
      'backup().hear(HIGHER, 255, 255).includes(BACKUP -> MASTER...',
    );
  });

  it('deviation: ignores it from anybody else, and waits for the master as before', () => {
    const rig = backup();
    rig.runTo(1_000);
    rig.hear(LOWER, 1, 0);
    rig.runTo(2_000);
    assert.deepEqual(rig.hear(HIGHER, 255, 255), []);
    assert.equal(rig.deadlineMs, 4_000);
    assert.equal(rig.election.snapshot().master?.address, LOWER);
  });

  it('is obeyed with advbase 0 as well', () => {
    const rig = backup({ advbase: 0, advskew: 10 });
    rig.hear(HIGHER, 255, 255);
    assert.equal(rig.state, 'MASTER');
  });
});

describe('BACKUP, any other advert', () => {
  it('restarts the timer from the moment it is heard, with the own skew', () => {
    const rig = backup({ advskew: 50 });
    for (const at of [0.001, 1_234.567, 4_000]) {
      rig.runTo(at);
      assert.deepEqual(rig.hear(LOWER, 1, 0), []);
      assert.equal(rig.election.deadline(), Math.round(at * 1_000) + 3_195_312);
    }
  });

  it('follows whoever spoke last', () => {
    const rig = backup();
    rig.hear(LOWER, 1, 0);
    rig.runTo(1_500);
    rig.hear(HIGHER, 2, 7);
    assert.deepEqual(rig.election.snapshot().master, {
      address: HIGHER,
      advbase: 2,
      advskew: 7,
      heardAt: 1_500_000,
    });
  });

  it('follows a peer with a constant counter (OpenBSD) and one that counts backwards', () => {
    const rig = backup();
    for (const [index, counter] of [7n, 7n, 7n, 7n, 6n, 0n].entries()) {
      rig.runTo((index + 1) * 2_000);
      assert.deepEqual(rig.hear(LOWER, 1, 0, { counter }), []);
    }
    assert.equal(rig.state, 'BACKUP');
  });
});

describe('MASTER, a faster advert is heard (R < L)', () => {
  it('sends one farewell, steps down, and waits a full dead interval', () => {
    const rig = master({ advskew: 10 });
    const { now } = rig;
    assert.deepEqual(rig.hear(HIGHER, 1, 9), [
      'advert farewell 1/10',
      'MASTER -> BACKUP better-advert peer 10.77.0.9',
      'stop-announcing',
      'release-vip 1',
    ]);
    assert.equal(rig.election.snapshot().masterDownAt, now + 3_039_062);
    assert.deepEqual(rig.runFor(3_000), ['hook down 1']);
  });

  it('deviation: leaves out the delayed ARP, which would claim the address given up', () => {
    const rig = master();
    rig.hear(HIGHER, 2, 0);
    rig.hear(HIGHER, 0, 1);
    assert.deepEqual(
      rig.runFor(2_900).filter((text) => text.startsWith('announce')),
      [],
    );
  });
});

describe('MASTER, an equally fast advert is heard (R == L)', () => {
  it('deviation: steps down without a farewell if the sender is lower', () => {
    assert.deepEqual(master().hear(LOWER, 1, 0), [
      'MASTER -> BACKUP tie-lost peer 10.77.0.1',
      'stop-announcing',
      'release-vip 1',
    ]);
  });

  it('stays and announces if the sender is not lower', () => {
    assert.deepEqual(master().hear(HIGHER, 1, 0), [
      'conflict 10.77.0.9 equal',
      'announce conflict',
    ]);
  });

  it('compares addresses as x86 does: 10.77.0.9 yields to 10.77.1.1, and not the reverse', () => {
    const [last9, last1] = [address('10.77.0.9'), address('10.77.1.1')];
    for (const [own, peer, state] of [
      [last9, last1, 'BACKUP'],
      [last1, last9, 'MASTER'],
    ] as const) {
      const rig = master();
      rig.feed({ kind: 'interface-ready', source: own });
      rig.hear(peer, 1, 0);
      assert.equal(rig.state, state);
    }
  });
});

describe('MASTER, a slower advert is heard (R > L)', () => {
  it('announces now and after the second advert from now, stays, and sends no extra advert', () => {
    const rig = master();
    rig.runTo(6_500);
    rig.trace.length = 0;
    rig.hear(HIGHER, 1, 1);
    rig.runTo(9_500);
    assert.deepEqual(rig.timeline(), [
      '6500 conflict 10.77.0.9',
      '6500 announce conflict',
      '7000 advert regular 1/0',
      '8000 advert regular 1/0',
      '8000 announce delayed',
      '9000 advert regular 1/0',
    ]);
  });

  it('says so for each such advert, and counts the two adverts from the last', () => {
    const rig = master();
    rig.runTo(6_500);
    rig.hear(HIGHER, 1, 1);
    rig.runTo(7_500);
    rig.trace.length = 0;
    assert.deepEqual(rig.hear(HIGHER, 1, 1), ['conflict 10.77.0.9', 'announce conflict']);
    rig.runTo(9_500);
    assert.ok(
      !rig.timeline().includes('8000 announce delayed'),
      '!rig.timeline().includes(8000 announce delayed)',
    );
    assert.ok(
      rig.timeline().includes('9000 announce delayed'),
      'rig.timeline().includes(9000 announce delayed)',
    );
  });

  it('takes a bow-out for no better master', () => {
    const rig = master();
    rig.hear(LOWER, 255, 255);
    assert.equal(rig.state, 'MASTER');
  });
});
