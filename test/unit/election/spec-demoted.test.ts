// What the demote byte of other nodes means, and of which nodes it means anything.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backup, HIGHER, LOWER, master, type Rig } from '../../support/rig.ts';

/** A backup that has heard one master, LOWER, for a dead interval. */
function following(): Rig {
  const rig = backup();
  for (let second = 0; second < 3; second += 1) {
    rig.hear(LOWER, 1, 0);
    rig.runFor(1_000);
  }
  return rig;
}

describe('BACKUP, the demote byte is heard (deviation: ucarp ignores it, OpenBSD does not)', () => {
  it('promotes over a demoted master, without preempt and whatever its timers', () => {
    assert.deepEqual(following().hear(LOWER, 0, 1, { demote: 1 }), [
      'advert regular 1/0',
      'BACKUP -> MASTER peer-demoted peer 10.77.0.1',
      'claim-vip 1',
    ]);
  });

  it('lets a demoted node be that is not the master, however often it is heard', () => {
    const rig = following();
    for (let second = 0; second < 6; second += 1) {
      assert.deepEqual(rig.hear(LOWER, 1, 0), []);
      for (let times = 0; times < 10; times += 1) {
        rig.runFor(100);
        assert.deepEqual(rig.hear(HIGHER, 1, 0, { demote: 1 }), []);
      }
    }
    assert.equal(rig.state, 'BACKUP');
  });

  it('waits a dead interval for a healthy one beside the demoted one that it heard first', () => {
    const rig = backup();
    const promotesAfter: number[] = [];
    for (let ms = 0; ms <= 4_000; ms += 500) {
      rig.hear(LOWER, 1, 0, { demote: 1 });
      if (rig.state === 'MASTER') promotesAfter.push(ms);
      rig.runFor(500);
    }
    assert.equal(promotesAfter[0], 3_000);
  });

  it('takes over once the demoted one has been alone for a dead interval', () => {
    const rig = following();
    rig.hear(HIGHER, 1, 0, { demote: 1 });
    rig.runFor(1_000);
    rig.hear(HIGHER, 1, 0, { demote: 1 });
    rig.runFor(1_999);
    assert.deepEqual(rig.hear(HIGHER, 1, 0, { demote: 1 }), []);
    rig.runFor(1);
    rig.hear(HIGHER, 1, 0, { demote: 1 });
    assert.equal(rig.state, 'MASTER');
  });

  it('lets a demoted master be while its own sending fails', () => {
    const rig = master();
    rig.answers.sendOk = false;
    rig.runFor(5_000);
    rig.hear(LOWER, 0, 1);
    assert.deepEqual([rig.state, rig.election.snapshot().demoted], ['BACKUP', true]);
    assert.deepEqual(rig.hear(LOWER, 0, 1, { demote: 128 }), []);
  });

  it('stays MASTER against a demoted peer that is faster', () => {
    const rig = master();
    assert.deepEqual(rig.hear(LOWER, 0, 1, { demote: 1 }), [
      'conflict 10.77.0.1',
      'announce conflict',
    ]);
    assert.equal(rig.state, 'MASTER');
  });
});
