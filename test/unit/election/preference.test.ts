// Ties as x86 ucarp settles them: last octet first, then the third, the second, the first.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { winsTie } from '../../../src/election/preference.ts';
import { address } from '../../support/packets.ts';

describe('winsTie', () => {
  const winnersAndLosers = [
    ['10.0.0.1', '10.0.0.2'],
    ['10.0.1.1', '10.0.0.2'],
    ['192.168.2.3', '192.168.1.250'],
    ['10.1.0.1', '10.0.255.1'],
    ['10.0.0.10', '10.0.1.10'],
    ['10.77.1.1', '10.77.0.9'],
    ['10.0.0.127', '10.0.0.128'],
    ['255.0.0.1', '1.0.0.2'],
    ['1.0.0.1', '200.0.0.1'],
  ] as const;
  for (const [winner, loser] of winnersAndLosers) {
    it(`${winner} beats ${loser}, and not the other way round`, () => {
      assert.equal(winsTie(address(winner), address(loser)), true);
      assert.equal(winsTie(address(loser), address(winner)), false);
    });
  }

  it('nobody beats itself', () => {
    assert.equal(winsTie(address('10.0.0.1'), address('10.0.0.1')), false);
  });
});
