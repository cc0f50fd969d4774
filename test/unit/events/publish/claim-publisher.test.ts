// When the claims of others are told of, and as whose.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromSeconds } from '../../../../src/base/time.ts';
import { parseMac, type Mac } from '../../../../src/base/addresses.ts';
import type { ForeignClaim } from '../../../../src/carp/claim.ts';
import { ClaimPublisher } from '../../../../src/events/publish/claim-publisher.ts';
import type { Claimant } from '../../../../src/election/claimant.ts';
import { electionSnapshot, ip } from '../../../support/reports.ts';
import { FakeTime } from '../../vip/fakes.ts';

const MASTER = electionSnapshot({ state: 'MASTER' });
const DOUBTFUL = electionSnapshot({ state: 'MASTER', inDoubt: true });
const RIVAL: Claimant = { kind: 'rival', address: ip('10.9.0.20') };
const STRANGER: Claimant = { kind: 'stranger' };

class Rig {
  readonly time = new FakeTime();
  readonly told: string[] = [];
  claimant: Claimant = STRANGER;
  readonly teller = new ClaimPublisher({
    startTimer: this.time.startTimer,
    interval: () => fromSeconds(1),
    judge: () => this.claimant,
    publish: ({ form, frames }, { kind }, answered) =>
      this.told.push(`${form} x${frames} ${kind} ${answered ? 'answered' : 'left'}`),
  });

  hear(changes: Partial<ForeignClaim> = {}, election = MASTER): void {
    const claim = { form: 'announcement', mac: mac(0x66), frames: 1, ...changes } as const;
    this.teller.heard(claim, election);
  }
}

function mac(last: number): Mac {
  const parsed = parseMac(`02:00:00:00:00:${last.toString(16).padStart(2, '0')}`);
  assert.ok(parsed);
  return parsed;
}

describe('a claim', () => {
  test("of another master that is heard is told at once as that one's", () => {
    const rig = new Rig();
    rig.claimant = RIVAL;
    rig.hear();
    assert.deepEqual(rig.told, ['announcement x1 rival answered']);
  });

  test('that comes before the advert of its master is told when that was heard', async () => {
    const rig = new Rig();
    rig.hear();
    rig.hear({ frames: 2 });
    await rig.time.advance(400);
    rig.claimant = RIVAL;
    assert.deepEqual(rig.told, []);
    await rig.time.advance(1_100);
    assert.deepEqual(rig.told, ['announcement x3 rival answered']);
  });

  test('of a stranger is told after an interval and a half, and as it was answered', async () => {
    const rig = new Rig();
    rig.hear();
    rig.hear({}, DOUBTFUL);
    await rig.time.advance(1_499);
    assert.deepEqual(rig.told, []);
    await rig.time.advance(1);
    assert.deepEqual(rig.told, [
      'announcement x1 stranger answered',
      'announcement x1 stranger left',
    ]);
  });

  test('that is but a probe is told at once, and never answered', () => {
    const rig = new Rig();
    rig.hear({ form: 'probe' });
    assert.deepEqual(rig.told, ['probe x1 stranger left']);
  });

  test('does not wait where many do, nor beyond the end', () => {
    const rig = new Rig();
    for (let last = 1; last <= 17; last += 1) rig.hear({ mac: mac(last) });
    assert.deepEqual(rig.told, ['announcement x1 stranger answered']);
    rig.teller.close();
    assert.equal(rig.told.length, 17);
    assert.equal(rig.time.pending, 0);
  });
});
