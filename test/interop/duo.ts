// Two CARP nodes and a client on one switch, for the tests that set carpd against the real ucarp:
// starts either program by its kind, brings one to be master, and checks what all of them share.
import { deepEqual, ok } from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Capture, type AdvertFrame } from '../../lab/capture.ts';
import type { EventName } from '../../src/events/events.ts';
import { logEntries, loudEvents, type LogEntry } from '../../lab/carpd-log.ts';
import { startCarpd, startCarpdUcarp } from '../../lab/carpd-peer.ts';
import { fromWallMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, type Scope } from '../../lab/namespaces.ts';
import type { Peer, PeerKind, PeerOptions } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually, throughout } from '../../lab/wait.ts';

export const VIP = '10.77.0.100';
export const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };

/** Longer than any election takes, on a busy machine too. */
export const ELECTION_MS = 20_000;
/** What stock ucarp needs at most to hear an advert (1 s) and to act on it, with room. */
export const UCARP_HEARS_MS = 2_000;

/** What carpd needs at most to act on what it hears, on a busy machine too. */
export const REACTION_MS = 1_500;

/** How far from the formula a timer of carpd may be, as seen on the wire. */
const EARLY_MS = 50;
const LATE_MS = 1_000;

/** What is not given is as in the group all tests share. */
export type Settings = Partial<PeerOptions>;

/** One node of a duo: which program, with which settings. */
export interface Role extends Settings {
  readonly kind: PeerKind;
}

/** A master and its backup on one switch, and a client that watches. */
export interface Duo {
  readonly lab: Lab;
  readonly client: Host;
  readonly master: Peer;
  readonly backup: Peer;
}

/** Makes a lab with two hosts, a (.1) and b (.2), and a client. */
export async function twoHosts(
  scope: Scope,
  addresses: readonly [string, string] = ['10.77.0.1/24', '10.77.0.2/24'],
): Promise<{ lab: Lab; a: Host; b: Host; client: Host }> {
  const lab = await Lab.create(scope);
  const a = await lab.host('a', addresses[0]);
  const b = await lab.host('b', addresses[1]);
  const client = await lab.host('client', '10.77.0.9/24');
  return { lab, a, b, client };
}

/** Starts the program that plays the role. */
export function startRole(host: Host, { kind, ...settings }: Role): Peer {
  const options = { ...GROUP, ...settings };
  switch (kind) {
    case 'carpd':
      return startCarpd(host, options);
    case 'carpd-ucarp':
      return startCarpdUcarp(host, options);
    case 'ucarp':
      return startUcarp(host, options);
  }
}

/** Has the first role master, alone, before the second one comes up as its backup. */
export async function startDuo(scope: Scope, first: Role, second: Role): Promise<Duo> {
  const { lab, a, b, client } = await twoHosts(scope);
  const master = startRole(a, first);
  await master.waitFor('MASTER', ELECTION_MS);
  await holdsAlone(lab, master);
  const backup = startRole(b, second);
  await backup.waitFor('BACKUP', ELECTION_MS);
  return { lab, client, master, backup };
}

/** Waits until this node, and no other host of the lab, has the VIP. */
export async function holdsAlone(lab: Lab, peer: Peer): Promise<void> {
  const alone = async (): Promise<boolean> => {
    const holders = await whoHolds(lab.hosts, peer.vip);
    return holders.length === 1 && holders[0] === peer.host;
  };
  await eventually(alone, {
    withinMs: 15_000,
    everyMs: 50,
    what: `${peer.host.name} alone to have the VIP`,
    detail: () => lab.report(),
  });
}

/** Where a node has gone since it was `count` transitions old: "BACKUP, MASTER". */
export function path(peer: Peer, count = 0): string {
  const list = peer.transitions.slice(count);
  return list.map(({ to, cause }) => (cause === undefined ? to : `${to} (${cause})`)).join(', ');
}

/** When carpd wrote the line, by the log's own time, on the lab's time line. */
export function loggedMs(entry: LogEntry): number {
  return fromWallMs(Date.parse(String(entry.fields['time'])));
}

/**
 * The events of level warning and above in carpd's log, or the warnings of stock ucarp. A late wake
 * is the machine's doing, not that of the program.
 */
export function complaints(peer: Peer): readonly string[] {
  if (peer.kind === 'ucarp') {
    const lines = peer.child.lines.map(({ text }) => text);
    const ordinary = /Switching to state|Spawning \[|Putting MASTER DOWN/;
    return lines.filter((text) => /\[(?:WARNING|ERROR)\]/.test(text) && !ordinary.test(text));
  }
  return loudEvents(peer).filter((event) => event !== 'late-wake');
}

/** Fails unless carpd complained of nothing but these events. */
export function complainsOnlyOf(peer: Peer, ...events: readonly EventName[]): void {
  deepEqual(
    complaints(peer).filter((event) => !events.some((one) => one === event)),
    [],
    peer.child.tail(),
  );
}

/**
 * Fails unless the node took over by the formula: `silentMs` is the time from the last advert of
 * its master to its first. What the machine let carpd wait beyond a deadline, by carpd's own log of
 * late wakes, is not held against it.
 */
export function takesOverInTime(peer: Peer, silentMs: number, settings: Settings): void {
  const late = logEntries(peer, { event: 'late-wake' }).map(({ fields }) =>
    Number(fields['lateMs']),
  );
  const formulaMs = deadMs(settings);
  between(silentMs, formulaMs - EARLY_MS, formulaMs + LATE_MS + Math.max(0, ...late), 'silence');
}

/** Fails unless the value lies between the bounds. */
export function between(value: number, least: number, most: number, what: string): void {
  const range = `${least.toFixed(0)} and ${most.toFixed(0)}`;
  const text = `${what}: ${value.toFixed(1)} ms is not between ${range}`;
  ok(value >= least && value <= most, text);
}

/** The dead interval of a node in milliseconds, as ucarp and carpd compute it. */
export function deadMs({ advbase = 1, advskew = 0, deadRatio = 3 }: Settings): number {
  return advbase * deadRatio * 1_000 + (advskew * 1_000) / 256;
}

/** The interval between a node's adverts in milliseconds. */
export function intervalMs({ advbase = 1, advskew = 0 }: Settings): number {
  return advbase * 1_000 + (advskew * 1_000) / 256;
}

/** Whether it says that its sender is leaving. */
export function isBowOut({ advert }: AdvertFrame): boolean {
  return advert.advbase === 255 && advert.advskew === 255;
}

/** Fails unless each advert's counter is one more than that of the one before it. */
export function countsUp(adverts: readonly AdvertFrame[]): void {
  const counters = adverts.map(({ advert }) => advert.counter);
  const [first = 0n] = counters;
  deepEqual(
    counters,
    counters.map((_, index) => BigInt.asUintN(64, first + BigInt(index))),
  );
}

/** A capture at the client that has seen the master's second advert: none is under way then. */
export async function watched(client: Host, master: Peer): Promise<Capture> {
  const seen = await Capture.start(client);
  await seen.advert(2, { source: master.host.address }, 10_000);
  return seen;
}

/** The last advert of the old master and the first one of the new one. */
export async function takeover(
  seen: Capture,
  before: Peer,
  after: Peer,
): Promise<{ readonly last: AdvertFrame; readonly first: AdvertFrame }> {
  const first = await seen.advert(1, { source: after.host.address }, ELECTION_MS);
  const last = seen.adverts({ source: before.host.address }).at(-1);
  ok(last !== undefined);
  await after.waitFor('MASTER', 5_000);
  return { last, first };
}

/** carpd takes over as the formula says; stock ucarp up to two intervals and its latency later. */
export function inFormula(t: TestContext, backup: Peer, silentMs: number): void {
  t.diagnostic(`last advert to first advert: ${silentMs.toFixed(1)} ms`);
  if (backup.kind !== 'ucarp') return takesOverInTime(backup, silentMs, {});
  const formulaMs = deadMs({});
  between(silentMs, formulaMs - EARLY_MS, formulaMs + 2_000 + UCARP_HEARS_MS, 'silence');
}

/** Fails unless these two stay what they are for longer than a dead interval. */
export function bothStay(backup: Peer, master: Peer): Promise<void> {
  return throughout(() => backup.state() === 'BACKUP' && master.state() === 'MASTER', {
    forMs: 4_500,
    what: `${master.host.name} to stay master`,
    detail: () => [master, backup].map((peer) => peer.child.tail()).join('\n'),
  });
}
