// The two formulas, in whole microseconds.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { advertInterval, masterDownInterval } from '../../../src/election/cadence.ts';

describe('advertInterval', () => {
  const table = [
    [1, 0, 1_000_000],
    [1, 1, 1_003_906],
    [1, 50, 1_195_312],
    [1, 100, 1_390_625],
    [1, 240, 1_937_500],
    [1, 255, 1_996_093],
    [0, 1, 3_906],
    [0, 255, 996_093],
    [255, 255, 255_996_093],
  ] as const;
  for (const [advbase, advskew, expected] of table) {
    it(`${String(advbase)}/${String(advskew)} is ${String(expected)} us`, () => {
      assert.equal(advertInterval({ advbase, advskew }), expected);
    });
  }
});

describe('masterDownInterval', () => {
  const table = [
    [1, 0, 3, 3_000_000],
    [1, 50, 3, 3_195_312],
    [1, 100, 3, 3_390_625],
    [1, 200, 3, 3_781_250],
    [1, 255, 3, 3_996_093],
    [1, 0, 1, 1_000_000],
    [5, 1, 4, 20_003_906],
    [0, 1, 3, 11_718],
    [0, 128, 3, 1_500_000],
    [0, 255, 1, 996_093],
    [1, 0, 4_294_967_295, 4_294_967_295_000_000],
  ] as const;
  for (const [advbase, advskew, deadRatio, expected] of table) {
    const name = `${String(advbase)}/${String(advskew)} x ${String(deadRatio)}`;
    it(`${name} is ${String(expected)} us`, () => {
      assert.equal(masterDownInterval({ advbase, advskew, deadRatio }), expected);
    });
  }
});
