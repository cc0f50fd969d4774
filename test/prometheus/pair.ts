// Two carpd that a real Prometheus watches: a master and its backup, in namespaces.
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { Prometheus } from './server.ts';

export const VIP = '10.77.0.100';
export const GROUP = { vhid: 7, vip: VIP, password: 'a secret', gate: 'hold' } as const;
export const WITHIN_MS = 30_000;

const installed = spawnSync('prometheus', ['--version']).error === undefined;

/** Why nothing of it can be tested here; false: it can. */
export const skip = (await labSkipReason()) || (installed ? false : 'prometheus is not installed');

/** The hosts of a pair, the one that Prometheus runs on, and where each of the pair is scraped. */
export interface Hosts {
  readonly lab: Lab;
  readonly hostA: Host;
  readonly hostB: Host;
  readonly watcher: Host;
  readonly targetA: string;
  readonly targetB: string;
}

export interface WatchedPair {
  readonly lab: Lab;
  /** The master. */
  readonly a: Peer;
  readonly b: Peer;
  readonly prometheus: Prometheus;
}

/** Gives each of the hosts what it is scraped by; resolves to the targets, in their order. */
type Targets = (watcher: Host, hosts: readonly Host[]) => Promise<readonly string[]>;

/** Three hosts on a segment where somebody asks, so that one alone may take the address. */
export async function threeHosts(t: TestContext, targetsOf: Targets): Promise<Hosts> {
  const lab = await Lab.create(t);
  const [hostA, hostB] = [await lab.host('a', '10.77.0.1/24'), await lab.host('b', '10.77.0.2/24')];
  const watcher = await lab.host('watcher', '10.77.0.50/24');
  const [targetA = '', targetB = ''] = await targetsOf(watcher, [hostA, hostB]);
  watcher.spawn(['ping', '-i', '0.5', hostA.address], { label: 'ping' });
  return { lab, hostA, hostB, watcher, targetA, targetB };
}

/** `a` is master, `b` its backup, and Prometheus has begun to scrape both. */
export async function watchedPair(t: TestContext, targetsOf: Targets): Promise<WatchedPair> {
  const { lab, hostA, hostB, watcher, targetA, targetB } = await threeHosts(t, targetsOf);
  const a = startScraped(hostA, targetA);
  await a.waitFor('MASTER', WITHIN_MS);
  const b = startScraped(hostB, targetB);
  await b.waitFor('BACKUP', WITHIN_MS);
  const prometheus = await Prometheus.start(watcher, [targetA, targetB]);
  return { lab, a, b, prometheus };
}

function startScraped(host: Host, listen: string): Peer {
  return startCarpd(host, GROUP, { metrics: { listen } });
}
