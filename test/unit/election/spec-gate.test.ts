// What ucarp does not have: HELD, the carrier's grace, doubt about the own path, and an address
// that can't be added.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvariantError } from '../../../src/base/assert.ts';
import type { Input } from '../../../src/election/inputs.ts';
import { backup, HIGHER, LOWER, master, OWN, Rig } from '../../support/rig.ts';

const DOWN = { kind: 'carrier-changed', up: false } as const;
const UP = { kind: 'carrier-changed', up: true } as const;
const CLOSED = { kind: 'gate-changed', open: false } as const;
const OPEN = { kind: 'gate-changed', open: true } as const;
const DOUBT = { kind: 'doubt-changed', inDoubt: true } as const;
const CLEAR = { kind: 'doubt-changed', inDoubt: false } as const;

describe('HELD', () => {
  it('never promotes, however long nobody is heard', () => {
    const rig = backup();
    assert.deepEqual(rig.feed(CLOSED), ['BACKUP -> HELD gate-closed']);
    assert.deepEqual(rig.runTo(3_600_000), []);
    assert.equal(rig.deadlineMs, undefined);
  });

  it('knows who is master, and promotes for nothing that a backup would promote for', () => {
    const rig = backup({ preempt: true });
    rig.feed(CLOSED);
    rig.runTo(20_000);
    assert.deepEqual(rig.hear(LOWER, 1, 0), []);
    assert.equal(rig.election.snapshot().master?.address, LOWER);
    assert.deepEqual(rig.hear(LOWER, 100, 0), []);
    assert.deepEqual(rig.hear(LOWER, 1, 0, { demote: 255 }), []);
    assert.deepEqual(rig.hear(HIGHER, 255, 255), []);
    assert.equal(rig.election.snapshot().master?.address, LOWER);
    assert.deepEqual(rig.hear(LOWER, 255, 255), []);
    assert.equal(rig.election.snapshot().master, undefined);
    assert.equal(rig.state, 'HELD');
  });

  it('waits the full dead interval once the gate opens', () => {
    const rig = backup({ advskew: 10 });
    rig.feed(CLOSED);
    rig.runTo(50_000);
    assert.deepEqual(rig.feed(OPEN), ['HELD -> BACKUP gate-opened']);
    assert.equal(rig.election.deadline(), 53_039_062);
  });

  it('lasts while any reason is left', () => {
    const rig = backup();
    rig.feed(CLOSED, DOWN, { kind: 'maintenance-changed', on: true });
    assert.deepEqual(rig.feed(OPEN, UP), []);
    assert.deepEqual(rig.election.snapshot().holdReasons, ['maintenance']);
    assert.deepEqual(rig.feed({ kind: 'maintenance-changed', on: false }), [
      'HELD -> BACKUP gate-opened',
    ]);
  });

  it('a gate that closes leaves a master alone, and holds it once it has stepped down', () => {
    const rig = master();
    assert.deepEqual(rig.feed(CLOSED), []);
    rig.runFor(5_000);
    assert.equal(rig.state, 'MASTER');
    assert.ok(
      rig.hear(LOWER, 1, 0).includes('MASTER -> HELD tie-lost peer 10.77.0.1'),
      'rig.hear(LOWER, 1, 0).includes(MASTER -> HELD tie-lost pe...',
    );
  });

  it('a carrier that is lost holds a backup at once', () => {
    const rig = backup();
    assert.deepEqual(rig.feed(DOWN), ['BACKUP -> HELD carrier-lost']);
    assert.deepEqual(rig.feed(UP), ['HELD -> BACKUP gate-opened']);
  });
});

describe('MASTER without carrier (ucarp: down at once, then deaf for 10 s)', () => {
  it('steps down after one advertisement interval', () => {
    const rig = master({ advskew: 64 });
    rig.feed(DOWN);
    rig.trace.length = 0;
    const lostAt = rig.now;
    rig.runFor(20_000);
    const downAt = rig.trace.find(
      (entry) => 'effect' in entry && entry.effect.kind === 'release-vip',
    );
    assert.equal((downAt?.at ?? 0) - lostAt, 1_250_000);
    assert.equal(rig.state, 'HELD');
    assert.deepEqual(
      rig
        .timeline()
        .slice(-3)
        .map((text) => text.replace(/^\S+ /, '')),
      ['advert bow-out 255/255', 'MASTER -> HELD carrier-lost', 'hook down 1'],
    );
  });

  it('takes no notice of a blip', () => {
    const rig = master();
    rig.feed(DOWN);
    rig.runFor(999);
    rig.feed(UP);
    rig.trace.length = 0;
    rig.runFor(10_000);
    assert.equal(rig.state, 'MASTER');
    assert.deepEqual(rig.election.snapshot().holdReasons, []);
    assert.equal(rig.timeline('send-advert', 'announce', 'ask-for-vip').length, 0);
  });

  it('counts the interval from the loss, however often the loss is reported', () => {
    const rig = master();
    rig.feed(DOWN);
    rig.runFor(600);
    rig.feed(DOWN);
    assert.ok(rig.runFor(400).includes('release-vip 1'), 'rig.runFor(400).includes(release-vip 1)');
  });

  it('counts the configured interval, not the longer one of a demoted node', () => {
    const rig = master();
    rig.feed(DOUBT, DOWN);
    assert.ok(
      !rig.runFor(999.999).includes('release-vip 1'),
      '!rig.runFor(999.999).includes(release-vip 1)',
    );
    assert.ok(
      rig.runFor(0.001).includes('release-vip 1'),
      'rig.runFor(0.001).includes(release-vip 1)',
    );
  });

  it('steps down at once where two missed adverts are enough for the others', () => {
    for (const deadRatio of [1, 2]) {
      assert.deepEqual(master({ deadRatio }).feed(DOWN), ['stop-announcing', 'release-vip 1']);
    }
  });

  it('a carrier that returns during the step down does not undo it', () => {
    const rig = master({ deadRatio: 2 });
    rig.feed(DOWN, UP);
    assert.ok(
      rig.runFor(10).includes('MASTER -> BACKUP carrier-lost'),
      'rig.runFor(10).includes(MASTER -> BACKUP carrier-lost)',
    );
  });

  it('is stopped at once (ucarp: TERM waits for the carrier)', () => {
    const rig = master();
    rig.feed(DOWN, { kind: 'stop-requested' });
    assert.ok(rig.runFor(10).includes('stopped'), 'rig.runFor(10).includes(stopped)');
  });
});

describe('MASTER in doubt', () => {
  it('keeps the address, bids with 240, and announces nothing', () => {
    const rig = master({ advskew: 10 });
    assert.deepEqual(rig.feed(DOUBT), ['stop-announcing']);
    assert.deepEqual(rig.hear(HIGHER, 2, 0), ['conflict 10.77.0.9']);
    assert.deepEqual(rig.feed({ kind: 'vip-restored', term: 1 }), []);
    const effects = rig.runFor(6_000);
    assert.deepEqual([...new Set(effects)], ['advert regular 1/240']);
    assert.equal(rig.state, 'MASTER');
  });

  it('advertises at its own pace, so that no peer gives it up for its low bid', () => {
    const rig = master({ advskew: 0 });
    rig.feed(DOUBT);
    const count = rig.runFor(10_000).filter((text) => text === 'advert regular 1/240').length;
    assert.equal(count, 10);
  });

  it('yields to a node that it would beat otherwise', () => {
    const rig = master();
    rig.feed(DOUBT);
    assert.ok(
      rig.hear(HIGHER, 1, 239).includes('MASTER -> BACKUP better-advert peer 10.77.0.9'),
      'rig.hear(HIGHER, 1, 239).includes(MASTER -> BACKUP better...',
    );
  });

  it('gives way to one on a dark path, and that one to one that took over unheard', () => {
    const low = [DOUBT, { kind: 'path-changed', trust: 'dark' }] as const;
    for (const [place, input] of low.entries()) {
      const rig = master();
      rig.feed(input);
      const own = 240 - place;
      rig.hear(HIGHER, 1, own);
      assert.equal(rig.state, 'MASTER');
      rig.hear(HIGHER, 1, own - 1);
      assert.equal(rig.state, 'BACKUP');
    }
  });

  it('settles an equal doubt by the addresses', () => {
    const rig = master();
    rig.feed(DOUBT);
    assert.ok(
      rig.hear(LOWER, 1, 240).includes('MASTER -> BACKUP tie-lost peer 10.77.0.1'),
      'rig.hear(LOWER, 1, 240).includes(MASTER -> BACKUP tie-los...',
    );
  });

  it('announces when the doubt is cleared, once', () => {
    const rig = master();
    rig.feed(DOUBT, DOUBT);
    assert.deepEqual(rig.feed(CLEAR), ['announce doubt-cleared burst']);
    assert.deepEqual(rig.feed(CLEAR), []);
    assert.equal(rig.election.snapshot().effectiveAdvskew, 0);
  });

  it('announces when a path that may have been dark is trusted again, but not in doubt', () => {
    const rig = master();
    rig.feed({ kind: 'path-changed', trust: 'unheard' });
    const sure = { kind: 'path-changed', trust: 'trusted' } as const;
    assert.deepEqual(rig.feed(sure), ['announce path-trusted burst']);
    rig.feed({ kind: 'path-changed', trust: 'unconfirmed' });
    assert.deepEqual(
      rig.feed(DOUBT, sure).filter((text) => text.includes('announce ')),
      [],
    );
    const waiting = backup();
    waiting.feed({ kind: 'path-changed', trust: 'unheard' });
    assert.deepEqual(waiting.feed(sure), []);
  });

  it('begun before the address was up: it is announced when the doubt is cleared', () => {
    for (const manageAddress of [true, false]) {
      const rig = backup({ manageAddress });
      rig.runTo(3_000);
      rig.feed(DOUBT);
      assert.deepEqual(
        rig.runTo(3_500).filter((text) => text.includes('announce')),
        [],
      );
      assert.deepEqual(rig.feed(CLEAR), ['announce doubt-cleared burst']);
    }
  });

  it('announces nothing when the doubt ends with the mastership', () => {
    const rig = master();
    rig.feed(DOUBT);
    rig.hear(LOWER, 1, 0);
    assert.deepEqual(rig.feed(CLEAR), []);
    const leaving = master();
    leaving.feed(DOUBT, { kind: 'handover-requested' });
    assert.deepEqual(leaving.feed(CLEAR), []);
  });
});

describe('an address that cannot be added', () => {
  const failing = () => {
    const rig = backup();
    rig.answers.claimOk = false;
    rig.runTo(3_500);
    return rig;
  };

  it('bows out and is HELD, with no announcement and no hook', () => {
    assert.deepEqual(failing().timeline(), [
      '3000 advert regular 1/0',
      '3000 BACKUP -> MASTER master-down',
      '3000 claim-vip 1',
      '3005 stop-announcing',
      '3005 release-vip 1',
      '3010 advert bow-out 255/255',
      '3010 MASTER -> HELD vip-failed',
    ]);
  });

  it('is tried again ten seconds later, after a full dead interval', () => {
    const rig = failing();
    rig.trace.length = 0;
    rig.answers.claimOk = true;
    rig.runTo(17_000);
    assert.deepEqual(rig.timeline().slice(0, 5), [
      '13005 HELD -> BACKUP gate-opened',
      '16005 advert regular 1/0',
      '16005 BACKUP -> MASTER master-down',
      '16005 claim-vip 2',
      '16010 announce promotion burst',
    ]);
  });

  it('follows a master meanwhile', () => {
    const rig = failing();
    rig.hear(LOWER, 1, 0);
    assert.equal(rig.election.snapshot().master?.address, LOWER);
    assert.equal(rig.state, 'HELD');
  });
});

describe('a source address that changes', () => {
  it('does not end a term; ties are settled by the new one', () => {
    const rig = master();
    assert.deepEqual(rig.feed({ kind: 'interface-ready', source: LOWER }), []);
    assert.deepEqual(rig.hear(OWN, 1, 0), ['conflict 10.77.0.5 equal', 'announce conflict']);
  });
});

describe('wake-ups that come too early', () => {
  it('do nothing and change nothing, in every state', () => {
    const held = backup();
    held.feed(CLOSED);
    const leaving = master();
    leaving.feed({ kind: 'handover-requested' });
    for (const rig of [new Rig(), held, backup(), master(), leaving]) {
      const before = rig.election.snapshot();
      assert.deepEqual(rig.feed({ kind: 'woken' }), []);
      assert.deepEqual(rig.election.snapshot(), before);
    }
  });
});

describe('an input that does not exist', () => {
  it('is a bug of carpd, and is not passed over', () => {
    const unknown = JSON.parse('{"kind":"unheard-of"}') as Input;
    assert.throws(() => backup().give(unknown), InvariantError);
  });
});
