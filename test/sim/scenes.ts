// Worlds in which one certain thing happens, and what must come of it.
import { fromMillis, fromSeconds, micros, plus, since, type Micros } from '../../src/base/time.ts';
import { parseIpv4 } from '../../src/base/addresses.ts';
import { beginFault, FAULT_MAX, failOverToBlocked, flapToBlocked, heal, split } from './faults.ts';
import type { SimNode } from './node.ts';
import { macOf } from './station.ts';
import type { Report, World } from './world.ts';

const FAULTS_MAX = 16;
const TROUBLE = fromSeconds(60);
const STALLS = 3;
const STALL_MAX = fromSeconds(9);
/** It takes a dead interval until another one takes over, and one until it has not answered. */
const MUTE_TIME = fromSeconds(12);
const SPLIT_TIME = fromSeconds(15);
const LISTENING = fromSeconds(65);
/** Seconds: some dead intervals. */
const REPLAYS = 30;
export const BLOCKED_MAX = fromSeconds(20);
/** Hosts that get their power back at the same moment are up within this time. */
const TOGETHER = fromSeconds(1);
/** Beyond the dead interval of the fastest, for nodes of which each waits for the other's word. */
const MUTUAL_PROOF = fromSeconds(2);
/** A bond notices within this time that its path is dark: LACP expires, and is asked for. */
const NOTICED = fromMillis(3_300);
/** A node that has heard somebody just now takes so much longer to notice. */
export const SILENCE = fromMillis(1_500);

/** Trouble of every kind for a minute, then peace. */
export async function trouble(world: World): Promise<Report> {
  world.startAll();
  const { prng } = world;
  const count = prng.between(1, FAULTS_MAX);
  const begins = Array.from({ length: count }, () => prng.between(0, TROUBLE));
  for (const begin of begins) {
    world.clock.after(micros(begin), () => world.note(beginFault(world)));
  }
  // The last fault ends before this; what stays is a shape of the world that it can live with.
  await world.runUntil(plus(TROUBLE, plus(FAULT_MAX, micros(1))));
  heal(world);
  if (prng.chance(0.3)) split(world);
  for (const node of world.nodes) {
    if (prng.chance(0.1)) node.crash('host');
  }
  for (const node of world.carpdNodes) {
    if (prng.chance(0.08)) node.setLink(false);
    if (prng.chance(0.08)) node.setMaintenance(true);
  }
  world.note('peace');
  return world.watch(world.clock.now);
}

/** A settled world whose only trouble is that backups stand still for a while: nothing happens. */
export async function stallBackups(world: World): Promise<Report> {
  await settle(world);
  const calmFrom = world.clock.now;
  for (let count = 0; count < STALLS; count += 1) {
    const backups = world.carpdNodes.filter((node) => !node.isMaster);
    for (const node of backups) node.freeze();
    await pass(world, world.prng.between(500_000, STALL_MAX));
    for (const node of backups) node.thaw();
    await pass(world, STALL_MAX);
  }
  for (const { at, node, to } of world.transitions) {
    const becomes = at > calmFrom && (to === 'MASTER' || to === 'INIT');
    if (becomes) world.violated(`${node} becomes ${to} because backups stood still`);
  }
  return world.watch(world.clock.now);
}

/**
 * Any nodes stand still together, the master or not. While the master runs, nobody else becomes
 * one; where all stood still together, it stays the master; and where it stood still and noticed
 * it, the one that served meanwhile does.
 */
export async function stallAny(world: World): Promise<Report> {
  await settle(
    world,
    world.nodes.slice(1).filter(() => world.prng.chance(0.4)),
  );
  for (let count = 0; count < STALLS; count += 1) {
    const [master] = masters(world);
    const everybody = world.prng.chance(0.4);
    const stalled = world.carpdNodes.filter(() => everybody || world.prng.chance(0.5));
    const duration = micros(world.prng.between(500_000, 2 * STALL_MAX));
    const from = world.clock.now;
    for (const node of stalled) node.freeze();
    world.note(`${stalled.map(({ name }) => name).join()} stand still`);
    await pass(world, duration);
    const thawedAt = world.clock.now;
    const servers = masters(world).filter((node) => !stalled.some((other) => other === node));
    for (const node of stalled) node.thaw();
    world.note('they run again');
    await pass(world, world.settleTime());
    if (master === undefined) continue;
    const living = world.carpdNodes.filter(({ alive }) => alive);
    const others = world.nodes.filter((node) => node.alive && node !== master);
    const alone = others.length === 0;
    const masterRan = !stalled.some((node) => node === master);
    const together =
      living.length === others.length + 1 && living.every((node) => stalled.includes(node));
    if (alone || masterRan || together) expectNoChange(world, master, from);
    // Who served while the master stood still goes on serving.
    const noticed = stalled.every((node) => node !== master || node.noticesStall(duration));
    const [server] = servers;
    if (server !== undefined && noticed) expectNoChange(world, server, thawedAt);
  }
  return world.watch(world.clock.now);
}

/** A node boots beside a healthy master, behind a port that passes nothing for a while. */
export async function bootBehindBlockedPort(world: World): Promise<Report> {
  const late = world.prng.pick(world.carpdNodes);
  await settle(world, [late]);
  const from = world.clock.now;
  const [master] = masters(world);
  late.start();
  late.station.uplink.block(micros(world.prng.between(500_000, BLOCKED_MAX)));
  world.note(`${late.name} boots behind a blocked port`);
  await pass(world, BLOCKED_MAX);
  if (master !== undefined) expectNoChange(world, master, from);
  return world.watch(world.clock.now);
}

/** All hosts boot at about the same time, and nobody else says a word: they prove each other. */
export async function bootTogether(world: World): Promise<Report> {
  for (const node of world.nodes) {
    world.clock.after(micros(world.prng.between(0, TOGETHER)), () => node.start());
  }
  await pass(world, TOGETHER);
  const from = world.clock.now;
  const [best = 0] = world.carpdNodes
    .map(({ options }) => options.readiness.deadInterval)
    .sort((one, other) => one - other);
  await pass(world, best + MUTUAL_PROOF);
  const served = masters(world);
  if (served.length !== 1) {
    world.violated(`${String(served.length)} masters ${String(MUTUAL_PROOF)} µs past the interval`);
  }
  const decided = world.clock.now;
  const { bound } = await world.watch(from);
  const [master] = served;
  if (master !== undefined) expectNoChange(world, master, decided);
  return world.report(from, bound);
}

/** Ways in which a master loses its path, though it has carrier again at once. */
export type PathLoss = 'dark' | 'blocked' | 'failed over';

/**
 * The path of the master is dead for a while, and it can tell. Another one serves meanwhile and
 * goes on serving: the isolated one takes nothing back.
 */
export async function losePath(world: World, loss: PathLoss): Promise<Report> {
  await settle(world);
  const [master] = masters(world);
  const isolated = world.carpdNodes.find((node) => node === master);
  if (isolated === undefined) return world.watch(world.clock.now);
  const { uplink } = isolated.station;
  const duration = micros(world.prng.between(500_000, BLOCKED_MAX));
  if (loss === 'dark') uplink.setDark(true);
  else if (loss === 'blocked') flapToBlocked(isolated);
  else failOverToBlocked(uplink);
  world.note(`the path of ${isolated.name} is ${loss}`);
  await pass(world, duration);
  const served = masters(world).find((node) => node !== isolated);
  // Nothing is heard any more, and nobody answers: a dead interval of that is enough.
  const noticed = loss !== 'dark' || duration > Math.max(isolated.patience, NOTICED) + SILENCE;
  const from = world.clock.now;
  uplink.setDark(false);
  uplink.unblock();
  world.note('it is back');
  const report = await world.watch(from);
  if (!noticed) return report;
  if (served !== undefined) expectNoChange(world, served, from);
  for (const { at, node, to } of world.transitions) {
    const back = at > from && node === isolated.name && to === 'MASTER';
    if (back && served !== undefined) world.violated(`${node} takes the address back`);
  }
  return world.report(from, report.bound);
}

/**
 * A node's bond loses the leg that passed frames, and goes on by one that has link, and LACP, and
 * has never passed any. A backup takes nothing over by that; a master takes nothing back when that
 * leg passes frames at last.
 */
export async function loseGoodLeg(world: World): Promise<Report> {
  await settle(world);
  const [master] = masters(world);
  const hit = world.prng.pick(world.carpdNodes);
  const epoch = hit.readiness()?.epoch.number;
  const lostAt = world.clock.now;
  const mend = hit.station.uplink.loseGoodLeg();
  world.note(`the bond of ${hit.name} goes on by a leg that never passed a frame`);
  await pass(world, world.prng.between(500_000, BLOCKED_MAX));
  if (hit.readiness()?.epoch.number === epoch) {
    world.violated(`${hit.name} goes on in its epoch, though its bond has lost a leg`);
  }
  const served = masters(world).find((node) => node !== hit);
  const from = world.clock.now;
  mend();
  world.note('it passes frames');
  const report = await world.watch(from);
  if (master !== undefined && master !== hit) expectNoChange(world, master, lostAt);
  else if (served !== undefined) expectNoChange(world, served, from);
  return world.report(from, report.bound);
}

/** Nobody hears the master any more, though it hears everybody: it steps back for its successor. */
export async function muteMaster(world: World): Promise<Report> {
  await settle(world);
  const [master] = masters(world);
  const mute = world.carpdNodes.find((node) => node === master);
  if (mute === undefined) return world.watch(world.clock.now);
  const { stations } = world.bus;
  for (const other of stations) world.bus.cut(mute.station, other, true);
  world.note(`${mute.name} is mute`);
  await pass(world, MUTE_TIME);
  const successor = masters(world).find((node) => node !== mute);
  if (successor !== undefined && mute.isMaster) world.violated(`${mute.name} is master and mute`);
  const from = world.clock.now;
  for (const other of stations) world.bus.cut(mute.station, other, false);
  world.note('it is heard again');
  const { bound } = await world.watch(from);
  if (successor !== undefined) expectNoChange(world, successor, from);
  return world.report(from, bound);
}

/** Old adverts of a worse node that is gone are sent again to the master, once a second. */
export async function replayDead(world: World): Promise<Report> {
  await settle(world);
  const [master] = masters(world);
  const from = world.clock.now;
  if (master === undefined) return world.watch(from);
  const sender = parseIpv4('10.77.0.200') ?? master.station.address;
  const advert = { advbase: 9, advskew: 0, demote: 0, counter: 1n };
  world.note(`somebody sends old adverts to ${master.name}`);
  for (let second = 0; second < REPLAYS; second += 1) {
    world.bus.inject(master.station, { kind: 'advert', mac: macOf(sender), from: sender, advert });
    await pass(world, fromSeconds(1));
  }
  const { bound } = await world.watch(world.clock.now);
  expectNoChange(world, master, from);
  return world.report(from, bound);
}

/** The segment falls apart and is joined again: the masters of its parts settle who stays. */
export async function splitAndJoin(world: World): Promise<Report> {
  await settle(world);
  split(world);
  await pass(world, SPLIT_TIME);
  world.bus.partition(new Map());
  world.note('the parts are joined');
  // A firewalled master that knows of no other listens for one about every minute only.
  await pass(world, LISTENING);
  return world.watch(world.clock.now);
}

/** The daemon of the master dies, and its host goes on answering for the address. */
export async function abandonVip(world: World): Promise<Report> {
  await settle(world);
  const [master] = masters(world);
  master?.crash('process');
  world.note(`the daemon of ${master?.name ?? 'nobody'} is gone`);
  const from = world.clock.now;
  const { bound } = await world.watch(from);
  const able = world.nodes.some((node) => node.mayServe);
  if (able && masters(world).length !== 1) world.violated('nobody takes over from a dead daemon');
  return world.report(from, bound);
}

export async function settle(world: World, without: readonly SimNode[] = []): Promise<void> {
  const started = world.startAll(without);
  await pass(world, plus(started, world.settleTime()));
}

export async function pass(world: World, duration: number): Promise<void> {
  await world.runUntil(plus(world.clock.now, micros(duration)));
}

export function masters(world: World): readonly SimNode[] {
  return world.nodes.filter((node) => node.isMaster);
}

export function expectNoChange(world: World, master: SimNode, from: Micros): void {
  expectChangeless(world, master, from, ({ node, to }) => node === master.name || to === 'MASTER');
}

/** Another one may believe for a moment that nobody serves: it gives way. */
export function expectServesOn(world: World, master: SimNode, from: Micros): void {
  expectChangeless(world, master, from, ({ node }) => node === master.name);
}

function expectChangeless(
  world: World,
  master: SimNode,
  from: Micros,
  counts: (transition: World['transitions'][number]) => boolean,
): void {
  for (const change of world.transitions) {
    if (since(change.at, from) <= 0 || !counts(change)) continue;
    const { node, from: before, to } = change;
    world.violated(`${node} goes from ${before} to ${to}, though ${master.name} was a good master`);
  }
}
