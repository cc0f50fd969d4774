// A host whose address is on a bridge of its own, with the link to the switch as its way out, and
// perhaps a guest beside it, as a host of virtual machines has them.
import type { TestContext } from 'node:test';
import { startCarpd, startCarpdInstances, type CarpdOptions } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import { startPing } from '../../lab/vip.ts';
import { GROUP, scene, VIP, WITHIN_MS, type Scene } from './trio.ts';

/** A second group in the same prefix. */
export const OTHER = { vhid: 8, vip: '10.77.0.101', password: 'another secret' };

/** A link to the switch is a veth, which carpd takes for a guest unless it is told otherwise. */
const OVER_BRIDGE = { interface: 'br0', gate: { policy: 'hold', uplinks: ['eth0'] } };

/** Puts the host's address on br0, whose only port is its link to the switch. */
export async function bridged(host: Host): Promise<void> {
  const cidr = `${host.address}/${host.prefixLength}`;
  const kind = ['type', 'bridge', 'mcast_snooping', '0'];
  await host.ip('link', 'add', 'br0', 'address', host.mac, 'up', ...kind);
  await host.ip('addr', 'del', cidr, 'dev', 'eth0');
  await host.ip('link', 'set', 'eth0', 'master', 'br0');
  await host.ip('addr', 'add', cidr, 'dev', 'br0');
}

/** A host of its own behind a port of another one's br0, not on the switch. */
export async function guestOf(lab: Lab, host: Host, name: string, cidr: string): Promise<Host> {
  const guest = await lab.host(name, cidr);
  const port = `p-${name}`;
  await lab.switch.ip('link', 'set', port, 'netns', host.netns);
  await host.ip('link', 'set', port, 'master', 'br0', 'up');
  return guest;
}

/** A healthy master, and a host with a bridge and a guest on it, on which nothing runs yet. */
export async function bridgeScene(t: TestContext): Promise<Scene & { readonly guest: Host }> {
  const made = await scene(t);
  await bridged(made.questioned);
  const guest = await guestOf(made.lab, made.questioned, 'g', '10.77.0.60/24');
  return { ...made, guest };
}

/** A host with a bridge and a guest on it, master of both groups; beside it a host that is idle. */
export async function masterOverBridge(
  t: TestContext,
): Promise<Omit<Scene, 'master'> & { readonly guest: Host; readonly pair: readonly Peer[] }> {
  const lab = await Lab.create(t);
  const healthy = await lab.host('a', '10.77.0.9/24');
  const questioned = await lab.host('b', '10.77.0.1/24');
  await bridged(questioned);
  const guest = await guestOf(lab, questioned, 'g', '10.77.0.60/24');
  const pair = startBridgedPair(questioned);
  const ping = startPing(healthy, VIP);
  for (const peer of pair) await peer.waitFor('MASTER', WITHIN_MS);
  await ping.stop();
  return { lab, healthy, questioned, guest, pair };
}

/** A second master on the healthy host, of the other group. */
export async function otherMaster({ healthy }: Scene): Promise<Peer> {
  const master = startUcarp(healthy, OTHER);
  await master.waitFor('MASTER', WITHIN_MS);
  return master;
}

/** carpd over the bridge. */
export function startBridged(host: Host, options: Partial<CarpdOptions> = {}): Peer {
  const config = { ...OVER_BRIDGE, ...options.config };
  return startCarpd(host, { ...GROUP, ...options, config });
}

/** One carpd over the bridge with two groups in one prefix: a peer for each. */
export function startBridgedPair(host: Host, options: Partial<CarpdOptions> = {}): readonly Peer[] {
  const config = { ...OVER_BRIDGE, ...options.config };
  const instances = {
    one: { ...GROUP, ...options, config },
    two: { ...OTHER, ...options, config },
  };
  return startCarpdInstances(host, instances);
}
