// Worlds of two nodes, in which the path of the one with carpd and the better address passes
// nothing for a while, though it has carrier. The node that served keeps serving.
import { mac } from '../support/packets.ts';
import { fromSeconds, micros, plus } from '../../src/base/time.ts';
import type { CarpdNode } from './carpd-node.ts';
import type { SimNode } from './node.ts';
import { BLOCKED_MAX, expectNoChange, expectServesOn } from './scenes.ts';
import { masters, pass, settle, SILENCE } from './scenes.ts';
import type { Uplink } from './uplink.ts';
import type { Report, World } from './world.ts';

export type Role = 'BACKUP' | 'MASTER';

const FOREVER = fromSeconds(1_000_000);
const SHORT_MIN_US = 500_000;
/** Shorter than the patience of a backup. */
const STUTTER_MIN_US = 600_000;
const STUTTER_MAX_US = 2_200_000;
/** Beyond the time after which LACP says that nothing comes in, noticed and proved. */
const EXPIRED = fromSeconds(15);

/** A way in which the path passes nothing any more. */
export interface PathFault {
  /** The kernel tells of it at once, or when it is asked next. */
  readonly isTold: boolean;
  /** LACP tells of it, if the fault lasts. */
  readonly endsLacp?: true;
  /** Begins, and returns what ends it. */
  readonly begin: (uplink: Uplink) => () => void;
}

/** The ways that there are. */
export const PATH_FAULTS = {
  'the outer tag leaves the trunk': lacking('outer'),
  'the inner tag leaves the trunk': lacking('inner'),
  'every frame is lost': {
    isTold: false,
    endsLacp: true,
    begin: (uplink) => {
      uplink.setDark(true);
      return () => uplink.setDark(false);
    },
  },
  'an active leg that is silent': {
    isTold: true,
    begin: (uplink) => uplink.loseGoodLeg(),
  },
  'an active leg of a team that is silent': {
    isTold: false,
    begin: (uplink) => uplink.loseGoodLeg(),
  },
  'another partner that is silent': partner(true),
  'another partner that passes for the same and is silent': partner(false),
} as const satisfies Readonly<Record<string, PathFault>>;

function lacking(tag: 'outer' | 'inner'): PathFault {
  return {
    isTold: false,
    begin: (uplink) => {
      uplink.lack(tag);
      return () => uplink.lack(undefined);
    },
  };
}

function partner(isTold: boolean): PathFault {
  return {
    isTold,
    begin: (uplink) => {
      uplink.block(FOREVER);
      uplink.changePartner(isTold);
      return () => uplink.unblock();
    },
  };
}

/** The fault strikes the better node in this role; who serves when it is over serves on. */
export async function strike(
  world: World,
  role: Role,
  name: keyof typeof PATH_FAULTS,
  how: { readonly stutters?: boolean } = {},
): Promise<Report> {
  const fault: PathFault = PATH_FAULTS[name];
  const { hit, peer } = await cast(world, role);
  if (how.stutters === true) await stutter(world, hit, fault);
  if (role === 'MASTER' && !hit.isMaster) return world.watch(world.clock.now);
  const from = world.clock.now;
  const end = fault.begin(hit.station.uplink);
  world.note(`${hit.name}: ${name}`);
  const duration = lasts(world, hit, fault);
  await pass(world, duration);
  const servedByPeer = peer.isMaster;
  const over = world.clock.now;
  end();
  world.note('it is over');
  const report = await world.watch(over);
  const isTold = fault.isTold || lacpTells(hit, fault, duration);
  const isNoticed = isTold || duration > Math.max(hit.patience, peer.patience) + SILENCE;
  if (role === 'BACKUP') {
    if (fault.isTold) expectNoChange(world, peer, from);
    else if (isTold || (isNoticed && !areAlone(world))) expectNoChange(world, peer, over);
    else if (!areAlone(world)) expectServesOn(world, peer, over);
  } else if (servedByPeer && isNoticed) expectNoChange(world, peer, over);
  return world.report(over, report.bound);
}

/** An advert is lost, and a frame passes before the path dies, which tells nothing of it. */
async function stutter(world: World, hit: CarpdNode, fault: PathFault): Promise<void> {
  const end = fault.begin(hit.station.uplink);
  world.note(`${hit.name}: the path stutters`);
  await pass(world, world.prng.between(STUTTER_MIN_US, STUTTER_MAX_US));
  end();
  await pass(world, world.prng.between(0, STUTTER_MIN_US));
}

/** The better node boots while nothing passes for it beside a good master, who keeps serving. */
export async function bootInto(
  world: World,
  name: keyof typeof PATH_FAULTS | 'a blocked port',
): Promise<Report> {
  const [late] = world.carpdNodes;
  const peer = world.nodes.find((node) => node !== late);
  if (late === undefined || peer === undefined) return world.watch(world.clock.now);
  await settle(world, [late]);
  if (!peer.isMaster) await peerAlone(world, peer);
  const from = world.clock.now;
  late.start();
  const { uplink } = late.station;
  const isBlocked = name === 'a blocked port';
  if (isBlocked) uplink.block(FOREVER);
  const end = isBlocked ? () => uplink.unblock() : PATH_FAULTS[name].begin(uplink);
  world.note(`${late.name} boots: ${name}`);
  await pass(world, world.prng.between(SHORT_MIN_US, BLOCKED_MAX));
  if (late.isMaster) world.violated(`${late.name} is master over a path that passes nothing`);
  end();
  const over = world.clock.now;
  const { bound } = await world.watch(over);
  expectNoChange(world, peer, from);
  return world.report(over, bound);
}

/** Nobody serves; the better node boots, and a client speaks: it serves by that. */
export async function bootAlone(world: World): Promise<Report> {
  const [node] = world.carpdNodes;
  node?.start();
  const report = await world.watch(world.clock.now);
  if (node?.isMaster !== true) world.violated('nobody serves, though a client speaks');
  return world.report(world.clock.now, report.bound);
}

/** Two carpd that nobody else speaks to can't tell whose path was dark. */
function areAlone({ ucarpNodes, client }: World): boolean {
  return ucarpNodes.length === 0 && client?.chatters !== true;
}

function lasts(world: World, { station }: CarpdNode, { endsLacp }: PathFault): number {
  const { prng } = world;
  const { lacpExpiry = 0 } = station.uplink;
  const past = plus(micros(lacpExpiry), EXPIRED);
  const isLong = endsLacp === true && past > BLOCKED_MAX && prng.chance(0.3);
  return isLong ? past : prng.between(SHORT_MIN_US, BLOCKED_MAX);
}

function lacpTells({ station }: CarpdNode, { endsLacp }: PathFault, duration: number): boolean {
  const { lacpExpiry } = station.uplink;
  return endsLacp === true && lacpExpiry !== undefined && duration > lacpExpiry + SILENCE;
}

/** Both run, and the better one has this role. */
async function cast(
  world: World,
  role: Role,
): Promise<{ readonly hit: CarpdNode; readonly peer: SimNode }> {
  await settle(world);
  const [hit] = world.carpdNodes;
  const peer = world.nodes.find((node) => node !== hit);
  if (hit === undefined || peer === undefined) throw new Error('a world of two nodes');
  const [server, other] = role === 'MASTER' ? [hit, peer] : [peer, hit];
  if (!server.isMaster) {
    other.crash('host');
    await pass(world, world.settleTime());
    other.start();
    await pass(world, world.settleTime());
  }
  if (masters(world)[0] !== server) world.violated(`${server.name} does not serve at first`);
  return { hit, peer };
}

/** Alone on a silent segment its gate stays shut: somebody has to speak once. */
async function peerAlone(world: World, peer: SimNode): Promise<void> {
  world.bus.chatter(mac('02:ff:00:00:00:02'));
  await pass(world, world.settleTime());
  if (!peer.isMaster) world.violated(`${peer.name} does not serve, though somebody speaks`);
}
