// Whom a node follows, and whose bow-out it takes for that master's.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromSeconds } from '../../../src/base/time.ts';
import { BOW_OUT } from '../../../src/carp/advert.ts';
import type { HeardAdvert } from '../../../src/election/inputs.ts';
import { Following } from '../../../src/election/following.ts';
import { address } from '../../support/packets.ts';
import { HIGHER, LOWER } from '../../support/rig.ts';

const MASTER = address('10.77.0.20');
const ELSEWHERE = address('10.77.0.21');

const regular = (counter: bigint): HeardAdvert => ({ advbase: 1, advskew: 0, demote: 0, counter });
const bowOut = (counter: bigint): HeardAdvert => ({
  advbase: BOW_OUT,
  advskew: BOW_OUT,
  demote: 0,
  counter,
});

function following(counter: bigint): Following {
  const made = new Following();
  made.advertised(MASTER);
  made.follow(MASTER, regular(counter), fromSeconds(1));
  return made;
}

describe('a bow-out', () => {
  it('of anybody counts where no master is followed', () => {
    const made = new Following();
    assert.equal(made.isOfMaster(LOWER, bowOut(7n)), true);
    assert.equal(made.master, undefined);
  });

  it('of the followed master counts whatever its counter is', () => {
    for (const counter of [0n, 50n, 51n, 99n]) {
      assert.equal(following(50n).isOfMaster(MASTER, bowOut(counter)), true, String(counter));
    }
  });

  const last = 2n ** 64n - 2n;
  const table = [
    [50n, 49n, false, 'older than what was heard last'],
    [50n, 50n, false, 'what was heard last, sent again as a bow-out'],
    [50n, 51n, true, 'the next one'],
    [50n, 54n, true, 'the next one after three that were lost'],
    [50n, 55n, false, 'too far ahead'],
    [last, 1n, true, 'the next ones after the counter has turned over'],
    [last, last - 1n, false, 'older, near the end of the counter'],
    [0n, 2n ** 64n - 1n, false, 'older, from before the counter turned over'],
  ] as const;
  for (const [heard, counter, counts, what] of table) {
    it(`from another address ${counts ? 'counts' : 'does not count'}: ${what}`, () => {
      assert.equal(following(heard).isOfMaster(ELSEWHERE, bowOut(counter)), counts);
    });
  }

  it('of a node that was heard advertising is its own, and not the master’s', () => {
    const made = following(50n);
    made.advertised(HIGHER);
    assert.equal(made.isOfMaster(HIGHER, bowOut(51n)), false);
  });

  it('is weighed against the master’s last advert, and no advert of others', () => {
    const made = following(50n);
    made.advertised(HIGHER);
    made.follow(MASTER, regular(60n), fromSeconds(2));
    assert.equal(made.isOfMaster(ELSEWHERE, bowOut(54n)), false);
    assert.equal(made.isOfMaster(ELSEWHERE, bowOut(61n)), true);
    made.forget();
    assert.equal(made.isOfMaster(ELSEWHERE, bowOut(54n)), true);
  });

  it('is told from an advert: no other sender speaks for the master', () => {
    assert.equal(following(50n).isOfMaster(ELSEWHERE, regular(51n)), false);
  });
});

describe('the senders that advertised', () => {
  it('are the 32 heard last', () => {
    const made = following(50n);
    made.advertised(HIGHER);
    for (let last = 100; last < 131; last += 1) made.advertised(address(`10.77.0.${last}`));
    assert.equal(made.isOfMaster(HIGHER, bowOut(51n)), false);
    made.advertised(address('10.77.0.131'));
    assert.equal(made.isOfMaster(HIGHER, bowOut(51n)), true);
  });
});
