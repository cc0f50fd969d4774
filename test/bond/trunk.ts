// A segment that is a VLAN of the switch: A on an access port, B's bond on a trunk that can lose
// the VLAN while link and LACP stay, and nodes with several virtual IPs of one prefix.
import { startCarpdInstances, type CarpdOptions } from '../../lab/carpd-peer.ts';
import { nowMs } from '../../lab/clock.ts';
import type { Host } from '../../lab/host.ts';
import type { Lab, Scope } from '../../lab/namespaces.ts';
import type { Peer } from '../../lab/peer.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';
import type { BondHost } from './bond-host.ts';
import { ELECTION_MS, GROUP, holders, twoHosts, type Program, type Span } from './scene.ts';
import { vlanBridgeOnBond, vlanOnBond, type BondOptions } from './topology.ts';

/** The VLAN in which everything happens. */
const VLAN = 100;

/** What B's address stands on: a VLAN device on the bond, or a bridge that filters VLANs. */
export type Stack = 'VLAN' | 'VLAN bridge';

const STACKS = { VLAN: vlanOnBond, 'VLAN bridge': vlanBridgeOnBond } as const;

/** A, B, and C, a station of the segment that takes no part and answers, if it is wanted. */
export interface Trunk {
  readonly a: Host;
  readonly b: BondHost;
  readonly c: Host | undefined;
  /** The VLAN leaves B's trunk, and comes back when `meanwhile` has resolved. */
  readonly vlanGone: (meanwhile: (fromMs: number) => Promise<unknown>) => Promise<Span>;
}

/** Makes them; LACP has formed, and B has the lower address. */
export async function trunk(
  scope: Scope,
  is: { readonly bond: BondOptions; readonly stack: Stack; readonly third?: boolean },
): Promise<Trunk> {
  const { lab, a, b: bond } = await twoHosts(scope, is.bond);
  const c = is.third === true ? await lab.host('c', '10.9.0.1/24') : undefined;
  if (is.bond.mode === '802.3ad') await bond.lacpFormed();
  const b = await STACKS[is.stack](bond, VLAN);
  await lab.switch.ip('link', 'set', 'br0', 'type', 'bridge', 'vlan_filtering', '1');
  for (const host of c === undefined ? [a] : [a, c]) {
    const { device } = lab.port(host);
    await onPort(lab, 'add', device, 'pvid', 'untagged');
  }
  const onTrunk = async (action: 'add' | 'del'): Promise<void> => {
    for (const device of b.switchSide.uplinks) await onPort(lab, action, device);
  };
  await onTrunk('add');
  const vlanGone: Trunk['vlanGone'] = async (meanwhile) => {
    const fromMs = nowMs();
    await onTrunk('del');
    await meanwhile(fromMs);
    const toMs = nowMs();
    await onTrunk('add');
    return { fromMs, toMs };
  };
  return { a, b, c, vlanGone };
}

async function onPort(
  lab: Lab,
  action: 'add' | 'del',
  device: string,
  ...words: readonly string[]
): Promise<void> {
  await lab.switch.exec(['bridge', 'vlan', action, 'dev', device, 'vid', String(VLAN), ...words]);
}

export type Role = 'BACKUP' | 'MASTER';

/** What a pair of nodes is like. */
interface Pair {
  /** The role of B, which it gets by being second or first. */
  readonly role: Role;
  /** What A runs, and what B runs. */
  readonly beside: Program;
  readonly program: Program;
  /** How many virtual IPs they share. */
  readonly count: number;
}

/** A node as it stands: a peer for each of its virtual IPs. */
type Node = readonly Peer[];

export interface Nodes {
  readonly nodeA: Node;
  readonly nodeB: Node;
}

/** Starts A and B, the master first, and waits until both stand. */
export async function startPair(
  { a, b, c }: Trunk,
  { role, beside, program, count }: Pair,
): Promise<Nodes> {
  const targets = c === undefined ? [] : [c.address];
  const master = async (runs: Program, host: Host, other: Host): Promise<Node> => {
    // The kernel of the other one proves to the first that it may.
    const node = startSeveral(runs, host, count, { peers: [other.address], targets });
    for (const peer of node) {
      await peer.waitFor('MASTER', ELECTION_MS);
      await holders([host], host, peer.vip);
    }
    return node;
  };
  const backup = async (runs: Program, host: Host): Promise<Node> => {
    const node = startSeveral(runs, host, count, { peers: [], targets });
    for (const peer of node) await peer.waitFor('BACKUP', ELECTION_MS);
    return node;
  };
  if (role === 'BACKUP') {
    const nodeA = await master(beside, a, b);
    return { nodeA, nodeB: await backup(program, b) };
  }
  const nodeB = await master(program, b, a);
  return { nodeA: await backup(beside, a), nodeB };
}

/** Whom a node may ask, as addresses. carpd only. */
interface Ask {
  readonly peers?: readonly string[];
  readonly targets?: readonly string[];
}

/** Starts a node with so many virtual IPs of one prefix: a peer for each of them. */
function startSeveral(
  program: Program,
  host: Host,
  count: number,
  { peers = [], targets = [] }: Ask,
): Node {
  const groups = Array.from({ length: count }, (_, index) => {
    return { ...GROUP, vhid: GROUP.vhid + index, vip: `10.9.0.${100 + index}` };
  });
  if (program === 'ucarp') return groups.map((group) => startUcarp(host, group));
  const gate = { policy: 'hold', probe: { targets } };
  const instances = groups.map((group): [string, CarpdOptions] => {
    // With the prefix of the host's own address, as `ip` would call it: one prefix.
    const config = { address: `${group.vip}/${host.prefixLength}`, peers, gate };
    return [`vip${group.vhid}`, { ...group, config }];
  });
  return startCarpdInstances(host, Object.fromEntries(instances));
}
