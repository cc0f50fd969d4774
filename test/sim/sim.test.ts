// Whole worlds of nodes, checked against what must hold whatever went wrong. A world that fails is
// built again with its number: SEED=n npm run test:sim prints what happened in it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toSeconds } from '../../src/base/time.ts';
import { CAUSES } from '../../src/election/effects.ts';
import { settledFaults, type Settled } from './invariants.ts';
import { assertFound, judge, judgeAll, onlySeed, seeds, TIMES } from './judge.ts';
import * as scenes from './scenes.ts';
import { World, type Report } from './world.ts';

const WORLDS = 350;
/** Each cause is reached in so many of them, lest a change of the draws lose one. */
const REACHED_MIN = 5;

const TAME = { tame: true } as const;

describe('worlds', () => {
  it('settle within a bound of seconds, with one master for each component', async (test) => {
    const reached = new Map<string, number>(Object.keys(CAUSES).map((cause) => [cause, 0]));
    let closest = 0;
    let least = Infinity;
    for (const seed of seeds(WORLDS)) {
      const world = new World(seed);
      const report = await scenes.trouble(world);
      judge(seed, world, report);
      least = Math.min(least, toSeconds(report.bound));
      closest = Math.max(closest, report.settledAfter / report.bound);
      const causes = new Set(report.transitions.flatMap(({ cause }) => cause ?? []));
      for (const cause of causes) reached.set(cause, (reached.get(cause) ?? 0) + 1);
    }
    const counts = [...reached].map(([cause, count]) => `${cause} ${String(count)}`);
    test.diagnostic(`worlds that reach each cause: ${counts.join(', ')}`);
    test.diagnostic(`closest to its bound: ${(closest * 100).toFixed(0)} %`);
    if (onlySeed !== undefined) return;
    const missed = [...reached].filter(([, count]) => count < REACHED_MIN * TIMES);
    assert.deepEqual(missed, [], 'the seeds reach every cause, in some worlds each');
    assert.ok(least < 12, `where nothing has to heal first the bound is ${String(least)} s`);
  });

  it('see nothing of backups that stand still, adverts being read before deadlines count', () =>
    judgeAll(scenes.stallBackups));

  it('keep a running master whoever stands still, and a lone one however long it does', () =>
    judgeAll(scenes.stallAny, TAME));

  it('keep a healthy master when a node boots behind a port that passes nothing', async () => {
    await judgeAll(scenes.bootBehindBlockedPort, TAME);
  });

  it('have a master in time where all hosts boot together on a silent segment', async () => {
    await judgeAll(scenes.bootTogether, { ...TAME, silent: true });
  });

  it('keep the node that served while the path of the master was dark', async () => {
    await judgeAll((world) => scenes.losePath(world, 'dark'), { ...TAME, uplink: 'lacp' });
    await judgeAll((world) => scenes.losePath(world, 'dark'), { ...TAME, uplink: 'plain' });
  });

  it('keep the node that served while the port of the master was blocked', async () => {
    await judgeAll((world) => scenes.losePath(world, 'blocked'), TAME);
  });

  it('keep the node that served while the bond of the master failed over to nothing', async () => {
    const options = { ...TAME, uplink: 'active-backup' } as const;
    await judgeAll((world) => scenes.losePath(world, 'failed over'), options);
  });

  it('keep the good master where a bond goes on by a leg that never passed a frame', async () => {
    await judgeAll(scenes.loseGoodLeg, { ...TAME, uplink: 'lacp-pair' });
    await judgeAll(scenes.loseGoodLeg, { ...TAME, uplink: 'active-backup' });
  });

  it('replace a master that nobody hears', async () => {
    await judgeAll(scenes.muteMaster, TAME);
  });

  it('keep a master to which adverts of a worse node that is gone are sent again', async () => {
    await judgeAll(scenes.replayDead, TAME);
  });

  it('take over from a dead daemon whose host still answers for the address', async () => {
    await judgeAll(scenes.abandonVip, TAME);
  });

  it('do the same behind firewalls that keep adverts from the CARP socket', async () => {
    const options = { ...TAME, firewalls: true } as const;
    await judgeAll(scenes.stallBackups, options);
    await judgeAll(scenes.stallAny, options);
    await judgeAll(scenes.bootBehindBlockedPort, options);
    await judgeAll(scenes.abandonVip, options);
    await judgeAll(scenes.splitAndJoin, options);
  });

  it('are the same again from the same seed', async () => {
    const log = async (seed: number) => (await scenes.trouble(new World(seed))).log;
    for (const seed of [1, 2, 3]) assert.deepEqual(await log(seed), await log(seed));
    assert.notDeepEqual(await log(1), await log(2));
  });
});

describe('the checks themselves', () => {
  it('find a driver that lets deadlines count before it reads', async () => {
    await assertFound(scenes.stallBackups, { flaw: 'wake-first' }, [
      [/whose advert had come in/, 6],
      [/because backups stood still/, 6],
    ]);
  });

  const blocked = (world: World): Promise<Report> => scenes.losePath(world, 'blocked');

  it('find a gate that opens on evidence of an old epoch', async () => {
    const flaw = 'old-evidence';
    await assertFound(blocked, { flaw }, [[/was a good master/, 6]]);
    const failedOver = { ...TAME, flaw, uplink: 'active-backup' } as const;
    await assertFound(scenes.loseGoodLeg, failedOver, [[/nothing has come in/, 6]]);
  });

  it('find an isolated master that does not doubt its path', async () => {
    await assertFound(blocked, { ...TAME, flaw: 'no-doubt' }, [[/was a good master/, 6]]);
  });

  it('find a bond whose lost leg ends no epoch', async () => {
    for (const uplink of ['lacp-pair', 'active-backup'] as const) {
      await assertFound(scenes.loseGoodLeg, { ...TAME, uplink, flaw: 'legs-unseen' }, [
        [/goes on in its epoch/, 18],
        [/nothing has come in/, 3],
        [/was a good master/, 6],
      ]);
    }
  });

  it('find what happens where there is no gate', async () => {
    const options = { ...TAME, ungated: true } as const;
    await assertFound(scenes.bootBehindBlockedPort, options, [[/was a good master/, 12]]);
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
