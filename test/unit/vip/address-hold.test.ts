// What is held of a virtual IP, from the claim that is due to the release that is known.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AddressHold } from '../../../src/vip/address-hold.ts';

describe('a hold on the address', () => {
  test('begins with the claim, not while the claim waits for its advert', () => {
    const hold = new AddressHold();
    hold.due(1);
    equal(hold.held, false);
    equal(hold.claim(1), true);
    equal(hold.held, true);
    equal(hold.released(1), 1);
    equal(hold.held, false);
  });

  test('never begins where the term is given up before its advert has left', () => {
    const hold = new AddressHold();
    hold.due(1);
    equal(hold.giveUp(), true);
    equal(hold.claim(1), false);
    equal(hold.giveUp(), false);
    hold.due(2);
    equal(hold.claim(1), false, 'the advert of another term has left');
    equal(hold.held, false);
  });

  test('lasts while a release is stuck, and ends with the term that the release was for', () => {
    const hold = new AddressHold();
    hold.due(1);
    hold.claim(1);
    hold.releaseFailed(1, 'not permitted');
    deepEqual([hold.held, hold.stuckTerm, hold.fault], [true, 1, 'not permitted']);
    equal(hold.released(7), 1);
    deepEqual([hold.held, hold.stuckTerm, hold.fault], [false, undefined, undefined]);
  });

  test('of a new term makes the old release pointless', () => {
    const hold = new AddressHold();
    hold.due(1);
    hold.claim(1);
    hold.releaseFailed(1, 'not permitted');
    hold.due(2);
    hold.claim(2);
    deepEqual([hold.stuckTerm, hold.fault], [undefined, 'not permitted']);
    equal(hold.released(1), 1);
    equal(hold.held, true, 'news of the first term ends nothing of the second');
    equal(hold.fault, undefined, 'a release has worked');
  });
});
