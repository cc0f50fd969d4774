// Whole worlds of nodes, checked against what must hold whatever went wrong. A world that fails is
// built again with its number: SEED=n npm run test:sim prints what happened in it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toSeconds } from '../../src/base/time.ts';
import { CAUSES } from '../../src/election/effects.ts';
import { settledFaults, type Settled } from './invariants.ts';
import { assertMany, failing, judge, judgeAll, onlySeed, seeds } from './judge.ts';
import * as scenes from './scenes.ts';
import { World, type Report } from './world.ts';

const WORLDS = 350;

const TAME = { tame: true } as const;

describe('worlds', () => {
  it('settle within the bound, with one master for each component', (test) => {
    const reached = new Map<string, number>(Object.keys(CAUSES).map((cause) => [cause, 0]));
    let closest = 0;
    for (const seed of seeds(WORLDS)) {
      const world = new World(seed);
      const report = scenes.trouble(world);
      judge(seed, world, report);
      closest = Math.max(closest, report.settledAfter / report.bound);
      for (const { cause } of report.transitions) {
        if (cause !== undefined) reached.set(cause, (reached.get(cause) ?? 0) + 1);
      }
    }
    const counts = [...reached].map(([cause, count]) => `${cause} ${String(count)}`);
    test.diagnostic(`causes: ${counts.join(', ')}`);
    test.diagnostic(`closest to its bound: ${(closest * 100).toFixed(0)} %`);
    if (onlySeed !== undefined) return;
    const missed = [...reached].filter(([, count]) => count === 0).map(([cause]) => cause);
    assert.deepEqual(missed, [], 'the seeds reach every cause');
  });

  it('see nothing of backups that stand still, adverts being read before deadlines count', () => {
    judgeAll(scenes.stallBackups);
  });

  it('keep a running master whoever stands still, and a lone one however long it does', () => {
    judgeAll(scenes.stallAny, TAME);
  });

  it('keep a healthy master when a node boots behind a port that passes nothing', () => {
    judgeAll(scenes.bootBehindBlockedPort, TAME);
  });

  it('have a master in time where all hosts boot together on a silent segment', () => {
    judgeAll(scenes.bootTogether, { ...TAME, silent: true });
  });

  it('keep the node that served while the path of the master was dark', () => {
    judgeAll((world) => scenes.losePath(world, 'dark'), { ...TAME, uplink: 'lacp' });
    judgeAll((world) => scenes.losePath(world, 'dark'), { ...TAME, uplink: 'plain' });
  });

  it('keep the node that served while the port of the master was blocked', () => {
    judgeAll((world) => scenes.losePath(world, 'blocked'), TAME);
  });

  it('keep the node that served while the bond of the master had failed over to nothing', () => {
    const options = { ...TAME, uplink: 'active-backup' } as const;
    judgeAll((world) => scenes.losePath(world, 'failed over'), options);
  });

  it('keep the good master where a bond goes on by a leg that never passed a frame', () => {
    judgeAll(scenes.loseGoodLeg, { ...TAME, uplink: 'lacp-pair' });
    judgeAll(scenes.loseGoodLeg, { ...TAME, uplink: 'active-backup' });
  });

  it('replace a master that nobody hears', () => {
    judgeAll(scenes.muteMaster, TAME);
  });

  it('keep a master to which adverts of a worse node that is gone are sent again', () => {
    judgeAll(scenes.replayDead, TAME);
  });

  it('take over from a dead daemon whose host still answers for the address', () => {
    judgeAll(scenes.abandonVip, TAME);
  });

  it('do the same behind firewalls that keep adverts from the CARP socket', () => {
    const options = { ...TAME, firewalls: true } as const;
    judgeAll(scenes.stallBackups, options);
    judgeAll(scenes.stallAny, options);
    judgeAll(scenes.bootBehindBlockedPort, options);
    judgeAll(scenes.abandonVip, options);
    judgeAll(scenes.splitAndJoin, options);
  });

  it('are the same again from the same seed', () => {
    const log = (seed: number) => scenes.trouble(new World(seed)).log;
    for (const seed of [1, 2, 3]) assert.deepEqual(log(seed), log(seed));
    assert.notDeepEqual(log(1), log(2));
  });

  it('have a bound of seconds, not of minutes, where nothing has to heal first', () => {
    const bounds = seeds(50).map((seed) => toSeconds(scenes.trouble(new World(seed)).bound));
    assert.ok(Math.min(...bounds) < 12, String(Math.min(...bounds)));
  });
});

describe('the checks themselves', () => {
  it('find a driver that lets deadlines count before it reads', () => {
    const options = { flaw: 'wake-first' } as const;
    assertMany(failing(scenes.stallBackups, options, /whose advert had come in/), 20);
    assertMany(failing(scenes.stallBackups, options, /because backups stood still/), 20);
  });

  it('find a gate that opens on evidence of an old epoch', () => {
    // A port that flaps while the segment talks has a frame queued at the very moment of the flap.
    const options = { flaw: 'old-evidence' } as const;
    const blocked = (world: World): Report => scenes.losePath(world, 'blocked');
    assertMany(failing(blocked, options, /nothing has come in/), 10);
    assertMany(failing(blocked, options, /was a good master/), 20);
  });

  it('find an isolated master that does not doubt its path', () => {
    const options = { ...TAME, flaw: 'no-doubt' } as const;
    const blocked = (world: World): Report => scenes.losePath(world, 'blocked');
    assertMany(failing(blocked, options, /was a good master/), 20);
  });

  it('find a bond whose lost leg ends no epoch', () => {
    for (const uplink of ['lacp-pair', 'active-backup'] as const) {
      const options = { ...TAME, uplink, flaw: 'legs-unseen' } as const;
      assertMany(failing(scenes.loseGoodLeg, options, /goes on in its epoch/), 60);
      assertMany(failing(scenes.loseGoodLeg, options, /nothing has come in/), 10);
      assertMany(failing(scenes.loseGoodLeg, options, /was a good master/), 20);
    }
  });

  it('find what happens where there is no gate', () => {
    const options = { ...TAME, ungated: true } as const;
    assertMany(failing(scenes.bootBehindBlockedPort, options, /was a good master/), 40);
  });

  it('find two masters, none, one that may not be, and an address in the wrong place', () => {
    const node = (name: string, isMaster: boolean, holdsVip: boolean, able = true): Settled => {
      return { name, isMaster, holdsVip, mayServe: able, eligible: able, alive: true };
    };
    const together = () => 0;
    const fine = [node('a', true, true), node('b', false, false)];
    assert.deepEqual(settledFaults(fine, together), []);
    assert.equal(settledFaults(fine, ({ name }: Settled) => (name === 'a' ? 0 : 1)).length, 1);
    assert.equal(settledFaults([node('a', false, false)], together).length, 1);
    assert.equal(settledFaults([...fine, node('c', true, true)], together).length, 1);
    assert.equal(settledFaults([...fine, node('c', false, true)], together).length, 1);
    assert.equal(settledFaults([node('a', true, false)], together).length, 1);
    assert.equal(settledFaults([node('a', true, true, false)], together).length, 1);
    const gated = { ...node('a', false, false), eligible: false };
    assert.deepEqual(settledFaults([gated], together), [], 'a gate may hold off the only one');
    assert.deepEqual(settledFaults([{ ...gated, isMaster: true, holdsVip: true }], together), []);
  });
});
