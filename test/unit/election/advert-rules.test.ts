// What one advert means, as tables: timers and demote byte against our own 1/10.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeAsBackup, judgeAsMaster, type Self } from '../../../src/election/advert-rules.ts';
import { HIGHER, LOWER, OWN } from '../../support/rig.ts';

const SELF: Self = {
  source: OWN,
  cadence: { advbase: 1, advskew: 10, deadRatio: 3 },
  effectiveAdvskew: 10,
};
const DOUBTING: Self = { ...SELF, effectiveAdvskew: 240 };
const advert = (advbase: number, advskew: number, demote = 0) => ({
  advbase,
  advskew,
  demote,
  counter: 0n,
});

describe('judgeAsMaster', () => {
  const table = [
    ['one skew unit faster', SELF, LOWER, advert(1, 9), 'yield-to-better'],
    ['faster, from a higher address', SELF, HIGHER, advert(0, 255), 'yield-to-better'],
    ['equal, from a lower address', SELF, LOWER, advert(1, 10), 'yield-to-equal'],
    ['equal, from a higher address', SELF, HIGHER, advert(1, 10), 'conflict-equal'],
    ['one skew unit slower', SELF, LOWER, advert(1, 11), 'conflict'],
    ['slower in seconds', SELF, LOWER, advert(2, 0), 'conflict'],
    ['a bow-out', SELF, LOWER, advert(255, 255), 'conflict'],
    ['faster but demoted', SELF, LOWER, advert(0, 1, 1), 'conflict'],
    ['equal but demoted', SELF, LOWER, advert(1, 10, 255), 'conflict'],
    ['slower, while we bid 240', DOUBTING, LOWER, advert(1, 239), 'yield-to-better'],
    ['equal, while we bid 240', DOUBTING, HIGHER, advert(1, 240), 'conflict-equal'],
  ] as const;
  for (const [what, self, from, heard, verdict] of table) {
    it(`${what}: ${verdict}`, () => assert.equal(judgeAsMaster(self, from, heard), verdict));
  }
});

describe('judgeAsBackup', () => {
  const FOLLOWED = { fromMaster: true, isAlone: true, mayPreempt: false, sendsWell: true };
  const STRANGER = { ...FOLLOWED, fromMaster: false };
  const PREEMPTING = { ...STRANGER, mayPreempt: true };
  const ONE_OF_TWO = { ...FOLLOWED, isAlone: false };
  const FAILING = { ...FOLLOWED, sendsWell: false };
  const BASE_0: Self = { ...SELF, cadence: { advbase: 0, advskew: 10, deadRatio: 3 } };
  const table = [
    ['an ordinary advert', SELF, FOLLOWED, advert(1, 0), 'follow'],
    ['a slower one', SELF, FOLLOWED, advert(2, 0), 'follow'],
    ['a slower one, preempting', SELF, PREEMPTING, advert(1, 11), 'promote-preempt'],
    ['an equal one, preempting', SELF, PREEMPTING, advert(1, 10), 'follow'],
    ['a slower one, preempting but bidding 240', DOUBTING, PREEMPTING, advert(1, 240), 'follow'],
    ['one as slow as the dead interval', SELF, FOLLOWED, advert(3, 10), 'follow'],
    ['one slower than the dead interval', SELF, FOLLOWED, advert(3, 11), 'promote-peer-slow'],
    [
      'the dead interval has the configured skew',
      DOUBTING,
      FOLLOWED,
      advert(3, 11),
      'promote-peer-slow',
    ],
    ['one slower than that, of a stranger', SELF, STRANGER, advert(3, 11), 'follow'],
    ['any pace, with advbase 0', BASE_0, FOLLOWED, advert(200, 0), 'follow'],
    ['a bow-out of the master', SELF, FOLLOWED, advert(255, 255), 'promote-bow-out'],
    ['a bow-out of a stranger', SELF, STRANGER, advert(255, 255), 'ignore'],
    ['a bow-out of a stranger, preempting', SELF, PREEMPTING, advert(255, 255), 'ignore'],
    ['nearly a bow-out', SELF, STRANGER, advert(255, 254), 'follow'],
    ['a demoted master', SELF, FOLLOWED, advert(0, 1, 1), 'promote-peer-demoted'],
    ['a demoted stranger', SELF, STRANGER, advert(0, 1, 255), 'follow'],
    ['a demoted stranger, preempting', SELF, PREEMPTING, advert(1, 9, 255), 'follow'],
    ['a demoted one of two masters', SELF, ONE_OF_TWO, advert(0, 1, 1), 'follow'],
    ['a demoted master, our own sends failing', SELF, FAILING, advert(0, 1, 1), 'follow'],
    ['a demoted bow-out', SELF, FOLLOWED, advert(255, 255, 1), 'promote-bow-out'],
  ] as const;
  for (const [what, self, view, heard, verdict] of table) {
    it(`${what}: ${verdict}`, () => assert.equal(judgeAsBackup(self, view, heard), verdict));
  }
});
