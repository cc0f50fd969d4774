// Two nodes on one segment: A with an ordinary link, healthy, and B on a bond. The address of B is
// the lower one and wins every tie: what goes wrong would not right itself.
import { equal } from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';
import type { BondHost } from './bond-host.ts';
import { addBondHost, type BondOptions } from './topology.ts';

export const GROUP = { vhid: 7, vip: '10.9.0.100', password: 'secret' };
export const GATED = { ...GROUP, gate: 'hold' } as const;
/** A Node process takes seconds to start in a guest. */
export const START_MS = 150_000;
/** A dead interval, a proof, and room for a slow machine. */
export const SETTLE_MS = 60_000;

export interface Duo {
  readonly lab: Lab;
  readonly hostA: Host;
  readonly hostB: BondHost;
  readonly a: Peer;
}

/** A serves already, by carpd or by the stock ucarp; B's bond is there and nothing runs on it. */
export async function duo(
  t: TestContext,
  bond: BondOptions,
  program: 'carpd' | 'ucarp' = 'carpd',
): Promise<Duo> {
  const lab = await Lab.create(t);
  const hostA = await lab.host('a', '10.9.0.20/24');
  // A would wait for proof itself; it stands for a node that has proved its link long ago.
  const a = program === 'ucarp' ? startUcarp(hostA, GROUP) : startCarpd(hostA, GROUP);
  await a.waitFor('MASTER', START_MS);
  return { lab, hostA, hostB: await addBondHost(lab, 'b', '10.9.0.10/24', bond), a };
}

/** The healthy master never leaves its state, and the other never enters it, for so long. */
export async function nothingHappens(
  master: Peer,
  other: Peer | undefined,
  forMs: number,
): Promise<void> {
  const calm = (): boolean => master.state() === 'MASTER' && other?.state() !== 'MASTER';
  const detail = (): string => `${master.log()}\n${other?.log() ?? ''}`;
  await throughout(calm, { forMs, what: 'the master to serve alone', detail });
}

/** How often the node has become master. */
export function promotions(peer: Peer): number {
  return peer.transitions.filter(({ to }) => to === 'MASTER').length;
}

/** A was master from the start and all the time. */
export function neverLeft(master: Peer): void {
  equal(promotions(master), 1);
  equal(master.state(), 'MASTER');
}
