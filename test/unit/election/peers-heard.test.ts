// The memory of the nodes that were heard.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromMillis, fromSeconds, micros, plus } from '../../../src/base/time.ts';
import { formatIpv4 } from '../../../src/base/addresses.ts';
import { PEERS_MAX, PeersHeard } from '../../../src/election/peers-heard.ts';
import { ip } from '../../support/reports.ts';

const PATIENCE = fromSeconds(3);
const A = ip('10.9.0.20');
const B = ip('10.9.0.30');
const PACE = { advbase: 1, advskew: 100 };
const BOW_OUT = { advbase: 255, advskew: 255 };
const at = (milliseconds: number): ReturnType<typeof micros> => fromMillis(milliseconds);

describe('a peer', () => {
  test('is master while it advertises, then quiet', () => {
    const peers = new PeersHeard(() => PATIENCE);
    peers.heard(A, PACE, at(1_000));
    peers.heard(A, PACE, at(2_400));
    const [one] = peers.all(plus(at(2_400), PATIENCE));
    assert.deepEqual(one, {
      address: A,
      cadence: PACE,
      role: 'master',
      lastAdvertAt: at(2_400),
      interval: at(1_400),
      adverts: 2,
    });
    assert.equal(peers.all(micros(at(2_400) + PATIENCE + 1))[0]?.role, 'quiet');
  });

  test('that bows out has left, and keeps the pace it had', () => {
    const peers = new PeersHeard(() => PATIENCE);
    peers.heard(A, PACE, at(0));
    peers.heard(A, PACE, at(1_000));
    peers.heard(A, BOW_OUT, at(1_200));
    const [left] = peers.all(at(60_000));
    assert.ok(left, 'it is remembered');
    assert.deepEqual(left.cadence, PACE);
    assert.deepEqual([left.role, left.interval, left.adverts], ['left', at(1_000), 3]);
    peers.heard(A, { advbase: 2, advskew: 0 }, at(61_000));
    const [back] = peers.all(at(61_000));
    assert.ok(back, 'it is remembered');
    assert.deepEqual(back.cadence, { advbase: 2, advskew: 0 });
    assert.deepEqual([back.role, back.interval], ['master', undefined], 'a pause is no interval');
  });

  test('that is slower than the dead interval is master between its adverts', () => {
    const peers = new PeersHeard(() => PATIENCE);
    const slow = { advbase: 10, advskew: 0 };
    peers.heard(A, slow, at(0));
    assert.equal(peers.all(at(9_900))[0]?.role, 'master');
    peers.heard(A, slow, at(10_000));
    assert.equal(peers.all(at(10_000))[0]?.interval, at(10_000));
    assert.equal(peers.all(at(30_001))[0]?.role, 'quiet');
  });

  test('of which only a bow-out was heard has no pace', () => {
    const peers = new PeersHeard(() => PATIENCE);
    peers.heard(A, BOW_OUT, at(0));
    assert.deepEqual(peers.all(at(1))[0]?.cadence, undefined);
  });

  test('that fell silent and comes back has no interval yet', () => {
    const peers = new PeersHeard(() => PATIENCE);
    peers.heard(A, PACE, at(0));
    peers.heard(A, PACE, at(10_000));
    assert.equal(peers.all(at(10_000))[0]?.interval, undefined);
  });
});

describe('many peers', () => {
  test('stand in the order in which they were heard, the last one first', () => {
    const peers = new PeersHeard(() => PATIENCE);
    peers.heard(A, PACE, at(0));
    peers.heard(B, PACE, at(1));
    peers.heard(A, PACE, at(2));
    assert.deepEqual(
      peers.all(at(3)).map(({ address }) => address),
      [A, B],
    );
  });

  test('push out the one that was not heard for the longest', () => {
    const peers = new PeersHeard(() => PATIENCE);
    peers.heard(B, PACE, at(0));
    for (let n = 1; n <= PEERS_MAX; n += 1) {
      // One of them is heard again and again, and stays.
      peers.heard(A, PACE, at(n));
      peers.heard(ip(`10.9.1.${n}`), PACE, at(n));
    }
    const known = peers.all(at(100)).map(({ address }) => formatIpv4(address));
    assert.equal(known.length, 16);
    assert.equal(known[0], '10.9.1.16');
    assert.ok(known.includes('10.9.0.20'), 'the one that is heard stays');
    assert.ok(!known.includes('10.9.0.30'), 'the oldest is out');
  });
});
