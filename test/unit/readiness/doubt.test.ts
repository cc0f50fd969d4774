// When a master's doubt ends, and which rivals raise one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds, type Micros } from '../../../src/base/time.ts';
import { Doubt, Rivals, type DoubtCause } from '../../../src/readiness/doubt.ts';
import { PEER } from '../../support/readiness-rig.ts';
import { address } from '../../support/packets.ts';

const DEAD = fromSeconds(3);
const PACE = fromSeconds(1);
const at = fromSeconds;

function begun(cause: DoubtCause = 'epoch-ended'): Doubt {
  const doubt = new Doubt();
  doubt.begin(cause, at(10));
  return doubt;
}

function look(doubt: Doubt, now: number, gateOpen: boolean, answeredAt?: Micros) {
  const times = { deadInterval: DEAD, advertInterval: PACE };
  doubt.update({ gateOpen, answeredAt, proved: gateOpen, ...times }, at(now));
  return doubt.cause;
}

const endsAt = (doubt: Doubt) => doubt.snapshot(DEAD)?.endsAt;

describe('a doubt', () => {
  it('is none before it begins, whatever is heard', () => {
    const doubt = new Doubt();
    doubt.otherMasterHeard(at(1));
    assert.equal(look(doubt, 2, true), undefined);
    assert.equal(doubt.snapshot(DEAD), undefined);
  });

  it('lasts as long as there is no proof', () => {
    const doubt = begun();
    assert.equal(look(doubt, 10_000, false), 'epoch-ended');
    assert.deepEqual(doubt.snapshot(DEAD), {
      cause: 'epoch-ended',
      since: at(10),
      endsAt: undefined,
    });
  });

  it('ends one dead interval after the proof, however long it lasted before', () => {
    const doubt = begun();
    look(doubt, 60, false);
    assert.equal(look(doubt, 61, true), 'epoch-ended');
    assert.equal(endsAt(doubt), at(64));
    assert.equal(look(doubt, 63.999999, true), 'epoch-ended');
    assert.equal(look(doubt, 64, true), undefined);
    assert.equal(doubt.snapshot(DEAD), undefined);
  });

  it('starts to count anew with every other master heard after the proof', () => {
    const doubt = begun();
    look(doubt, 11, true);
    doubt.otherMasterHeard(at(13));
    assert.equal(endsAt(doubt), at(16));
    assert.equal(look(doubt, 14, true), 'epoch-ended');
    assert.equal(look(doubt, 16, true), undefined);
  });

  it('counts from the proof where another master was heard before it', () => {
    const doubt = begun();
    doubt.otherMasterHeard(at(11));
    look(doubt, 20, true);
    assert.equal(endsAt(doubt), at(23));
  });

  it('starts again when the proof is lost', () => {
    const doubt = begun();
    look(doubt, 11, true);
    look(doubt, 12, false);
    assert.equal(endsAt(doubt), undefined);
    look(doubt, 13, true);
    assert.equal(look(doubt, 15, true), 'epoch-ended');
    assert.equal(look(doubt, 16, true), undefined);
  });

  it('starts again when the epoch ends again', () => {
    const doubt = begun();
    look(doubt, 11, true);
    doubt.otherMasterHeard(at(12));
    doubt.begin('epoch-ended', at(13));
    assert.deepEqual(doubt.snapshot(DEAD), {
      cause: 'epoch-ended',
      since: at(13),
      endsAt: undefined,
    });
    look(doubt, 13, true);
    assert.equal(endsAt(doubt), at(16));
  });

  it('about our sending side is dispelled by an answer only, and by a new one', () => {
    const doubt = begun('rival-unanswered');
    look(doubt, 11, true);
    assert.equal(endsAt(doubt), undefined);
    look(doubt, 11, true, at(9));
    look(doubt, 11, true, at(10));
    assert.equal(endsAt(doubt), undefined);
    look(doubt, 12, true, at(12));
    assert.equal(endsAt(doubt), at(15));
    assert.equal(look(doubt, 15, true, at(12)), undefined);
  });

  it('about our sending side outlives the epoch', () => {
    const doubt = begun('rival-unanswered');
    doubt.begin('epoch-ended', at(11));
    assert.equal(look(doubt, 12, true), 'rival-unanswered');
    assert.equal(endsAt(doubt), undefined);
    look(doubt, 12, true, at(12));
    assert.equal(endsAt(doubt), at(15));
  });

  it('that has ended is forgotten whole', () => {
    const doubt = begun('rival-unanswered');
    doubt.end();
    doubt.begin('epoch-ended', at(20));
    look(doubt, 20, true);
    assert.equal(endsAt(doubt), at(23));
  });
});

describe('a doubt that is dispelled in time', () => {
  /** Begun at 10 s, when frames had surely passed until `sure`. */
  function sureUntil(sure?: number): Doubt {
    const doubt = new Doubt();
    doubt.begin('epoch-ended', at(10), sure === undefined ? undefined : at(sure));
    return doubt;
  }

  it('ends at once where nobody can have taken over since frames surely passed', () => {
    assert.equal(look(sureUntil(10), 11, true), undefined);
    assert.equal(look(sureUntil(9.1), 11, true), undefined);
    assert.equal(look(sureUntil(9.1), 10, true), undefined);
  });

  it('lasts where the proof is too late for that, or nobody knows until when they passed', () => {
    assert.equal(look(sureUntil(10), 11.1, true), 'epoch-ended');
    assert.equal(look(sureUntil(8.9), 11, true), 'epoch-ended');
    assert.equal(look(sureUntil(), 10, true), 'epoch-ended');
  });

  it('lasts where another master was heard, or a policy opened the gate and no proof', () => {
    const doubt = sureUntil(10);
    doubt.otherMasterHeard(at(10.1));
    assert.equal(look(doubt, 10.2, true), 'epoch-ended');
    const impatient = sureUntil(10);
    const times = { deadInterval: DEAD, advertInterval: PACE };
    const view = { gateOpen: true, answeredAt: undefined, proved: false, ...times };
    impatient.update(view, at(10.1));
    assert.equal(impatient.cause, 'epoch-ended');
  });

  it('counts from its first beginning, and from what was sure then', () => {
    const again = sureUntil(10);
    again.begin('epoch-ended', at(10.8), at(10.8));
    assert.equal(look(again, 11.1, true), 'epoch-ended');
    const soon = sureUntil(10);
    soon.begin('epoch-ended', at(10.2));
    assert.equal(look(soon, 10.9, true), undefined);
    const heard = sureUntil(10);
    heard.otherMasterHeard(at(10.1));
    heard.begin('epoch-ended', at(10.2), at(10.2));
    assert.equal(look(heard, 10.3, true), 'epoch-ended');
  });

  it('is never one about our sending side', () => {
    const doubt = new Doubt();
    doubt.begin('rival-unanswered', at(10), at(10));
    assert.equal(look(doubt, 10.5, true, at(10.5)), 'rival-unanswered');
  });
});

describe('a rival', () => {
  it('is suspected after a dead interval without an answer', () => {
    const rivals = new Rivals();
    const heard = [10, 11, 12, 12.9, 13].map((second) =>
      rivals.heard(PEER, PACE, DEAD, at(second)),
    );
    assert.deepEqual(heard, [false, false, false, false, true]);
  });

  it('gets more time with every answer', () => {
    const rivals = new Rivals();
    rivals.heard(PEER, PACE, DEAD, at(10));
    rivals.answered(at(12));
    assert.equal(rivals.heard(PEER, PACE, DEAD, at(14)), false);
    assert.equal(rivals.heard(PEER, PACE, DEAD, at(15)), true);
  });

  it('gets more time with the others, whoever answers', () => {
    const rivals = new Rivals();
    rivals.heard(PEER, PACE, DEAD, at(10));
    rivals.heard(address('10.9.0.21'), PACE, DEAD, at(11));
    rivals.answered(at(12));
    assert.equal(rivals.heard(PEER, PACE, DEAD, at(14)), false);
    assert.equal(rivals.heard(address('10.9.0.21'), PACE, DEAD, at(14.9)), false);
    assert.equal(rivals.heard(PEER, PACE, DEAD, at(15)), true);
  });

  it('is forgotten after two dead intervals of silence', () => {
    const rivals = new Rivals();
    assert.equal(rivals.presentUntil(DEAD), undefined);
    rivals.heard(PEER, PACE, DEAD, at(10));
    rivals.heard(address('10.9.0.21'), PACE, DEAD, at(9));
    assert.equal(rivals.presentUntil(DEAD), at(16));
    assert.equal(rivals.heard(PEER, PACE, DEAD, at(16)), false);
    assert.equal(rivals.heard(PEER, PACE, DEAD, at(19)), true);
    rivals.clear();
    assert.equal(rivals.presentUntil(DEAD), undefined);
  });

  for (const pace of [6, 6.5, 10, 60, 254]) {
    it(`is suspected at its second advert where one comes every ${pace} s`, () => {
      const rivals = new Rivals();
      assert.equal(rivals.heard(PEER, fromSeconds(pace), DEAD, at(10)), false);
      assert.ok((rivals.presentUntil(DEAD) ?? 0) > at(10 + 2 * pace), 'it is asked until then');
      assert.equal(rivals.heard(PEER, fromSeconds(pace), DEAD, at(10 + pace)), true);
    });
  }

  it('that is slow is still one when two of its adverts are lost', () => {
    const rivals = new Rivals();
    rivals.heard(PEER, fromSeconds(10), DEAD, at(10));
    assert.equal(rivals.heard(PEER, fromSeconds(10), DEAD, at(39.9)), true);
    assert.equal(rivals.heard(PEER, fromSeconds(10), DEAD, at(69.9)), false, 'not for ever');
  });

  it('is one of sixteen at most, those that were heard last', () => {
    const rivals = new Rivals();
    for (let host = 1; host <= 17; host += 1)
      rivals.heard(address(`10.9.1.${host}`), PACE, DEAD, at(10));
    assert.equal(rivals.heard(address('10.9.1.17'), PACE, DEAD, at(13)), true);
    assert.equal(rivals.heard(address('10.9.1.1'), PACE, DEAD, at(13)), false);
  });
});
