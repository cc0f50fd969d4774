// Stopping in every state, a step down that is under way included.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backup, HIGHER, LOWER, master, OWN, Rig } from '../../support/rig.ts';

const HANDOVER = { kind: 'handover-requested' } as const;
const STOP = { kind: 'stop-requested' } as const;
const MAINTENANCE = { kind: 'maintenance-changed', on: true } as const;
const GONE = { kind: 'interface-lost', cause: 'interface-missing' } as const;
const CARRIER_LOST = { kind: 'carrier-changed', up: false } as const;

/** A master that nothing answers any more. */
function silentMaster(): Rig {
  const rig = master();
  rig.answers.vipMs = undefined;
  rig.answers.hookMs = undefined;
  return rig;
}

describe('stop (ucarp: down script if not BACKUP, no bow-out)', () => {
  const ends = (rig: Rig) => {
    assert.equal(rig.state, 'INIT');
    assert.equal(rig.deadlineMs, undefined);
    assert.deepEqual(rig.hear(LOWER, 1, 0), []);
    const late = { kind: 'interface-ready', source: OWN } as const;
    assert.deepEqual(rig.feed(late, STOP, { kind: 'woken' }), []);
  };

  it('in INIT', () => {
    const rig = new Rig();
    assert.deepEqual(rig.feed(STOP), ['stopped']);
    ends(rig);
  });

  it('in HELD and in BACKUP', () => {
    const held = backup();
    held.feed({ kind: 'gate-changed', open: false });
    assert.deepEqual(held.feed(STOP), ['HELD -> INIT stopped', 'stopped']);
    ends(held);
    const waiting = backup();
    assert.deepEqual(waiting.feed(STOP), ['BACKUP -> INIT stopped', 'stopped']);
    ends(waiting);
  });

  it('in MASTER: address off, bow-out, stopped, down hook', () => {
    const rig = master();
    assert.deepEqual(rig.feed(STOP), ['stop-announcing', 'release-vip 1']);
    assert.deepEqual(rig.runFor(10), [
      'advert bow-out 255/255',
      'MASTER -> INIT stopped',
      'stopped',
      'hook down 1',
    ]);
    rig.runFor(10);
    ends(rig);
  });

  it('in MASTER where hooks manage the address: down hook, bow-out, stopped', () => {
    const rig = master({ manageAddress: false });
    assert.deepEqual(rig.feed(STOP), ['stop-announcing', 'hook down 1']);
    assert.deepEqual(rig.runFor(20), [
      'advert bow-out 255/255',
      'MASTER -> INIT stopped',
      'stopped',
    ]);
    ends(rig);
  });

  it('between the promotion and the up hook', () => {
    const rig = backup({ manageAddress: false });
    rig.runTo(3_010);
    assert.deepEqual(rig.feed(STOP), [
      'stop-announcing',
      'advert bow-out 255/255',
      'MASTER -> INIT stopped',
      'stopped',
    ]);
    ends(rig);
  });

  it('while leaving for another reason: that step down becomes the last', () => {
    for (const input of [HANDOVER, MAINTENANCE]) {
      const rig = silentMaster();
      rig.feed(input);
      assert.deepEqual(rig.feed(STOP), []);
      const effects = rig.feed({ kind: 'vip-released', term: 1 });
      assert.ok(
        effects.includes('MASTER -> INIT stopped'),
        'effects.includes(MASTER -> INIT stopped)',
      );
      assert.ok(effects.includes('stopped'), 'effects.includes(stopped)');
      ends(rig);
    }
  });

  it('while stopping, what happens around it does not cut the step down short', () => {
    const rig = silentMaster();
    rig.feed(STOP);
    const around = rig.feed(
      { kind: 'gate-changed', open: false },
      CARRIER_LOST,
      { kind: 'carrier-changed', up: true },
      { kind: 'gate-changed', open: true },
      { kind: 'interface-ready', source: OWN },
      MAINTENANCE,
      HANDOVER,
      STOP,
    );
    assert.deepEqual([around, rig.state], [[], 'MASTER']);
    assert.ok(
      rig.feed({ kind: 'vip-released', term: 1 }).includes('advert bow-out 255/255'),
      'rig.feed({ kind: vip-released, term: 1 }).includes(advert...',
    );
    ends(rig);
  });

  it('while stopping, a better master is yielded to, and that is the end', () => {
    const rig = silentMaster();
    rig.feed(STOP);
    assert.deepEqual(rig.hear(HIGHER, 0, 1), [
      'MASTER -> INIT better-advert peer 10.77.0.9',
      'stopped',
    ]);
    assert.deepEqual(rig.feed({ kind: 'vip-released', term: 1 }), ['hook down 1']);
    ends(rig);
  });

  it('while stopping, a vanished interface ends it', () => {
    const rig = silentMaster();
    rig.feed(STOP);
    assert.deepEqual(rig.feed(GONE), ['MASTER -> INIT interface-missing', 'stopped']);
    ends(rig);
  });
});
