// What the scenarios on bonds share: a healthy node A on a plain link, a node B on a bond, the same
// script for stock ucarp and for carpd, and what came of it in a form that can be compared.
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import { startCarpd } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, type Scope } from '../../lab/namespaces.ts';
import {
  soleMaster,
  type Peer,
  type PeerOptions,
  type PeerState,
  type Transition,
} from '../../lab/peer.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { whoHolds } from '../../lab/vip.ts';
import { eventually } from '../../lab/wait.ts';
import { isFormed, type BondHost } from './bond-host.ts';
import { bondSkipReason } from './native.ts';
import type { Fault } from './switch-side.ts';
import { addBondHost, type BondOptions } from './topology.ts';

export const GROUP = { vhid: 7, vip: '10.9.0.100', password: 'secret' };

export type Program = 'ucarp' | 'carpd';
export const PROGRAMS: readonly Program[] = ['ucarp', 'carpd'];

/** Scenarios wait far more than they compute: so many of a file run at once in one machine. */
export const SIDE_BY_SIDE = 4;

/** Whether the variants that take long are wanted too; see README.md. */
export const LONG = process.env['CARPD_BOND_LONG'] === '1';

/** Why no scenario can run here, for the `skip` option of node:test; false if they can. */
export const skip = (await bondSkipReason()) || ucarpSkipReason();

/** Longer than the start of a process and an election, on a busy machine too. */
export const ELECTION_MS = 150_000;
/** Longer than a dead interval: who stays alone for so long has nothing left to fear. */
const STEADY_MS = 4_500;

/** What came of a script. Nodes are called by the names of their hosts. */
export interface Outcome {
  /** Who was master at some time between the fault and its repair. */
  readonly during: string;
  /** Who is master at the end, alone and with the address. */
  readonly after: string;
  /** How often somebody became master from the fault on. */
  readonly takeovers: number;
}

/** What comes of it that B boots onto a link that passes nothing, as long as A is let alone. */
export const BOOTED: Readonly<Record<Program, Outcome>> = {
  ucarp: { during: 'a and b', after: 'b', takeovers: 1 },
  carpd: { during: 'a', after: 'a', takeovers: 0 },
};

/** Which of the two has the lower address, and so wins between equals. */
export type Rank = 'better' | 'worse';

/** The hosts of a scenario, before any program runs. */
export interface Hosts {
  readonly lab: Lab;
  readonly a: Host;
  readonly b: BondHost;
}

/** A on a plain link and B on a bond, B with the lower address unless it is to be the worse. */
export async function twoHosts(
  scope: Scope,
  options: BondOptions,
  rank: Rank = 'better',
): Promise<Hosts> {
  const lab = await Lab.create(scope);
  const a = await lab.host('a', '10.9.0.20/24');
  const address = rank === 'better' ? '10.9.0.10/24' : '10.9.0.30/24';
  return { lab, a, b: await addBondHost(lab, 'b', address, options) };
}

/** What a scenario may change of the defaults. */
export type Settings = Pick<PeerOptions, 'deadRatio'>;

/** Starts a node and waits until it serves; the kernel of `beside` proves to carpd that it may. */
export async function startMaster(
  program: Program,
  host: Host,
  beside: Host,
  settings: Settings = {},
): Promise<Peer> {
  const peer = start(program, host, { ...settings, peers: [beside.address] });
  await peer.waitFor('MASTER', ELECTION_MS);
  await holders([host]);
  return peer;
}

/** Starts a node and waits until it has said what it is. */
export async function startWaiting(
  program: Program,
  host: Host,
  settings: Settings = {},
): Promise<Peer> {
  const peer = start(program, host, { ...settings, peers: [] });
  await peer.child.until(() => peer.state(), `a state of ${host.name}`, ELECTION_MS);
  return peer;
}

/** A fault from its beginning to its repair. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A fault as a test makes it. */
interface Trouble {
  readonly begin?: () => Promise<void>;
  readonly forMs: number;
  readonly repair: () => Promise<void>;
}

/** Begins a fault, unless it is there already, lets it last, and repairs it. */
export async function suffer({ begin, forMs, repair }: Trouble): Promise<Span> {
  const fromMs = nowMs();
  await begin?.();
  await sleep(forMs);
  const toMs = nowMs();
  await repair();
  return { fromMs, toMs };
}

/** Every frame of the host is lost both ways for a while; afterwards LACP is there again. */
export async function darken(host: BondHost, forMs: number): Promise<Span> {
  let dark: Fault | undefined;
  const span = await suffer({
    begin: async () => {
      dark = await host.switchSide.dark();
    },
    forMs,
    repair: async () => dark?.remove(),
  });
  if (!(await host.slaves()).some(isFormed)) await host.switchSide.speakLacp();
  await host.lacpFormed(40_000);
  return span;
}

/** Waits until one node alone serves for good, and tells what happened from the fault on. */
export async function outcome(
  t: TestContext,
  peers: readonly Peer[],
  { fromMs, toMs }: Span,
): Promise<Outcome> {
  const last = await soleMaster(peers, 2 * ELECTION_MS, STEADY_MS);
  await holders(
    peers.map(({ host }) => host),
    last.host,
    last.vip,
  );
  for (const peer of peers) t.diagnostic(story(peer, fromMs));
  const masters = peers.filter((peer) => wasMaster(peer, fromMs, toMs));
  const became = peers.flatMap((peer) => promotions(peer)).filter(({ atMs }) => atMs >= fromMs);
  return {
    during: masters.map(({ host }) => host.name).join(' and '),
    after: last.host.name,
    takeovers: became.length,
  };
}

/** The node's changes of state with their seconds since the fault. */
export function story({ host, kind, transitions }: Peer, fromMs: number): string {
  const steps = transitions.map(({ atMs, to, cause }) => {
    const seconds = ((atMs - fromMs) / 1_000).toFixed(1);
    return `${to} at ${seconds} s${cause === undefined ? '' : ` (${cause})`}`;
  });
  return `${host.name} ${kind}: ${steps.join(', ')}`;
}

function promotions({ transitions }: Peer): readonly Transition[] {
  return transitions.filter(({ to }) => to === 'MASTER');
}

/** Whether it was master at some time of the span. */
function wasMaster({ transitions }: Peer, fromMs: number, toMs: number): boolean {
  let state: PeerState | undefined;
  for (const { atMs, to } of transitions) {
    if (atMs >= fromMs && state === 'MASTER') return true;
    if (atMs > toMs) return false;
    state = to;
  }
  return state === 'MASTER';
}

/** Starts a node; carpd's gate is on, and may ask the peers. */
function start(
  program: Program,
  host: Host,
  { peers, ...settings }: Settings & { readonly peers: readonly string[] },
): Peer {
  const options = { ...GROUP, ...settings };
  if (program === 'ucarp') return startUcarp(host, options);
  return startCarpd(host, { ...options, gate: 'hold', config: { peers } });
}

/** Waits until exactly this one, the first if none is given, has the address. */
export async function holders(
  hosts: readonly Host[],
  only = hosts[0],
  vip = GROUP.vip,
): Promise<void> {
  const alone = async (): Promise<boolean> => {
    const found = await whoHolds(hosts, vip);
    return found.length === 1 && found[0] === only;
  };
  await eventually(alone, {
    withinMs: ELECTION_MS,
    everyMs: 100,
    what: `${String(only?.name)} alone to have ${vip}`,
    detail: () => hosts.map((host) => host.report()).join('\n'),
  });
}
