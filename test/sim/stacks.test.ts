// Worlds of two nodes: carpd on bonds, team devices and VLAN tags whose path passes nothing though
// it has carrier, in both roles, beside another carpd and beside a stock ucarp. SEED=n npm run
// test:sim plays one of each alone.
import { describe, it } from 'node:test';
import type { CastOptions } from './cast.ts';
import { assertFound, judgeAll } from './judge.ts';
import { bootAlone, bootInto, PATH_FAULTS, strike } from './stacked-scenes.ts';
import type { UplinkKind } from './uplink.ts';
import type { World } from './world.ts';

type FaultName = keyof typeof PATH_FAULTS;

const WORLDS = 8;
/** So many worlds with a flaw are played of each kind. */
const FLAWED = 16;
const PEERS = ['carpd', 'ucarp'] as const;
const ROLES = ['BACKUP', 'MASTER'] as const;

/** What can happen to each. */
const FAULTS: readonly (readonly [UplinkKind, FaultName])[] = [
  ['vlan-bridge', 'the outer tag leaves the trunk'],
  ['two-tags', 'the outer tag leaves the trunk'],
  ['two-tags', 'the inner tag leaves the trunk'],
  ['team', 'every frame is lost'],
  ['team', 'an active leg of a team that is silent'],
  ['lacp-slow', 'every frame is lost'],
  ['mac-of-active', 'an active leg that is silent'],
  ['mac-follows', 'an active leg that is silent'],
  ['lacp-apart', 'an active leg that is silent'],
  ['lacp-pair', 'an active leg that is silent'],
  ['lacp', 'another partner that is silent'],
  ['lacp', 'another partner that passes for the same and is silent'],
];

const KINDS: readonly UplinkKind[] = [
  ...new Set(FAULTS.map(([uplink]) => uplink)),
  'active-backup',
  'plain',
];

const optionsOf = (uplink: UplinkKind, beside: 'carpd' | 'ucarp'): CastOptions => ({
  tame: true,
  uplink,
  beside,
});

describe('worlds of two nodes keep the one that served', () => {
  for (const [uplink, fault] of FAULTS) {
    it(`while the path on ${uplink} is dead: ${fault}`, async () => {
      for (const beside of PEERS) {
        for (const role of ROLES) {
          const scene = (world: World) => strike(world, role, fault);
          await judgeAll(scene, optionsOf(uplink, beside), WORLDS);
        }
      }
    });
  }

  it('while a path dies that stuttered before: a frame came after the first miss', async () => {
    for (const [uplink, fault] of FAULTS.filter(([, name]) => !PATH_FAULTS[name].isTold)) {
      for (const beside of PEERS) {
        for (const role of ROLES) {
          const scene = (world: World) => strike(world, role, fault, { stutters: true });
          await judgeAll(scene, optionsOf(uplink, beside), WORLDS);
        }
      }
    }
  });

  it('when the other one boots on a path that passes nothing yet', async () => {
    for (const uplink of KINDS) {
      for (const beside of PEERS) {
        const scene = (world: World) => bootInto(world, 'a blocked port');
        await judgeAll(scene, optionsOf(uplink, beside), WORLDS / 2);
      }
    }
  });

  it('when the other one boots and its VLAN is not on the trunk, where others talk', async () => {
    for (const [uplink, fault] of FAULTS.filter(([, name]) => name.includes('trunk'))) {
      for (const beside of PEERS) {
        const scene = (world: World) => bootInto(world, fault);
        await judgeAll(scene, optionsOf(uplink, beside), WORLDS);
      }
    }
  });

  it('have one by the first word of a client, whatever the address stands on', async () => {
    for (const uplink of KINDS) {
      await judgeAll(bootAlone, { ...optionsOf(uplink, 'carpd'), talkative: true }, WORLDS / 2);
    }
  });
});

describe('the checks of these worlds', () => {
  const besideUcarp = (uplink: UplinkKind): CastOptions => optionsOf(uplink, 'ucarp');

  it('find a gate that frames of another VLAN open', async () => {
    for (const [uplink, fault] of [
      ['vlan-bridge', 'the outer tag leaves the trunk'],
      ['two-tags', 'the inner tag leaves the trunk'],
    ] as const) {
      const options = { ...besideUcarp(uplink), flaw: 'tags-unseen' } as const;
      const scene = (world: World) => bootInto(world, fault);
      await assertFound(
        scene,
        options,
        [
          [/nothing has come in/, 6],
          [/was a good master/, 3],
        ],
        FLAWED,
      );
    }
  });

  it('find a master that trusts a path by which nobody is heard', async () => {
    for (const [uplink, fault] of FAULTS) {
      const isSilent = ['vlan-bridge', 'two-tags', 'team', 'lacp-slow'].includes(uplink);
      if (!isSilent && !fault.includes('passes for the same')) continue;
      const options = { ...besideUcarp(uplink), flaw: 'sure-of-path', modest: true } as const;
      for (const role of ROLES) {
        const scene = (world: World) => strike(world, role, fault);
        await assertFound(scene, options, [[/was a good master/, 5]], FLAWED);
      }
    }
  });

  it('find a bond whose changed path ends no epoch', async () => {
    const changes = FAULTS.filter(
      ([uplink]) => uplink.startsWith('mac-') || uplink === 'lacp-apart',
    );
    for (const [uplink, fault] of changes) {
      const options = { ...besideUcarp(uplink), flaw: 'legs-unseen' } as const;
      const scene = (world: World) => strike(world, 'BACKUP', fault);
      await assertFound(scene, options, [[/was a good master/, 5]], FLAWED);
    }
  });
});
