// What the scenarios of the gate share: a healthy master, and a node whose link is in question,
// which has the lower address and wins every tie: what goes wrong would not right itself.
import { equal } from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startCarpd, type CarpdOptions } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { throughout } from '../../lab/wait.ts';

export const VIP = '10.77.0.100';
export const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
export const GATED = { ...GROUP, gate: 'hold' } as const;
/** Enough for everything that is to come. */
export const WITHIN_MS = 20_000;
/** More than two dead intervals. */
export const LONG_MS = 8_000;

export type Program = 'carpd' | 'ucarp';

export interface Scene {
  readonly lab: Lab;
  readonly healthy: Host;
  readonly questioned: Host;
  readonly master: Peer;
}

/** A master that serves, and a host beside it on which nothing runs. */
export async function scene(t: TestContext, program: Program = 'ucarp'): Promise<Scene> {
  const lab = await Lab.create(t);
  const healthy = await lab.host('a', '10.77.0.9/24');
  const questioned = await lab.host('b', '10.77.0.1/24');
  // A master of carpd stands for one that has proved its link long ago.
  const master = program === 'ucarp' ? startUcarp(healthy, GROUP) : startCarpd(healthy, GROUP);
  await master.waitFor('MASTER', WITHIN_MS);
  return { lab, healthy, questioned, master };
}

/** Starts carpd with some keys of the gate. */
export function startGated(
  host: Host,
  gate: Readonly<Record<string, unknown>>,
  options: Partial<CarpdOptions> = {},
): Peer {
  return startCarpd(host, { ...GROUP, ...options, config: { gate, ...options.config } });
}

/** The node in question never becomes master, and the master stays. */
export async function calm(master: Peer, other: Peer, forMs: number): Promise<void> {
  const alone = (): boolean => master.state() === 'MASTER' && other.state() !== 'MASTER';
  const detail = (): string => `${master.log()}\n${other.log()}`;
  await throughout(alone, { forMs, what: 'the master to serve alone', detail });
}

/** It became master once, at the start, and is it still. */
export function neverLeft(master: Peer): void {
  equal(master.transitions.filter(({ to }) => to === 'MASTER').length, 1);
  equal(master.state(), 'MASTER');
}

/** The states a peer went through, in order. */
export function statesOf(peer: Peer, expected: readonly string[]): void {
  const states = peer.transitions.map(({ to }) => to);
  equal(states.join(' '), expected.join(' '), peer.log());
}
