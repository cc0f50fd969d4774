// Building blocks of the bond lab: hosts with bonds, devices on top of them, spanning tree.
import { run } from '../../lab/command.ts';
import type { Host } from '../../lab/host.ts';
import type { Lab } from '../../lab/namespaces.ts';
import { BondHost } from './bond-host.ts';
import { SwitchSide, slaveName, type Channel } from './switch-side.ts';

/** What a bonded host is to be like. */
export interface BondOptions {
  readonly mode:
    | '802.3ad'
    | 'active-backup'
    | 'balance-xor'
    | 'balance-rr'
    | 'broadcast'
    | 'balance-tlb'
    | 'balance-alb';
  /** How often the host asks the switch for LACPDUs, and the switch the host; fast if not given. */
  readonly lacpRate?: 'fast' | 'slow';
  /** False: the switch has link on both ports and no port channel yet. */
  readonly formed?: boolean;
  /** False: the switch doesn't forward yet; true if not given. */
  readonly forwarding?: boolean;
  /** False: the bond is left down, for the test to bring it up with `linkUp()`. */
  readonly up?: boolean;
  /** Further words for `ip link add ... type bond`, such as "min_links 2". */
  readonly extra?: string;
}

/**
 * Adds a host with `cidr` on a bond of two cables to the lab's switch. Nothing is awaited: with
 * LACP the bond has carrier at once and passes frames some 3 s later.
 */
export async function addBondHost(
  lab: Lab,
  label: string,
  cidr: string,
  options: BondOptions,
): Promise<BondHost> {
  const plain = await lab.host(label, cidr);
  const channel = channelOf(options);
  const switchSide = new SwitchSide({ switch: lab.switch, host: plain, label, channel });
  const host = new BondHost(plain, switchSide);
  // The lab has made cable 0 as an ordinary link of the host; it leaves the switch's bridge first.
  await ipBatch(lab.switch.netns, [
    `link set ${switchSide.port(0)} nomaster`,
    `link add ${switchSide.port(1)} type veth peer name ${slaveName(1)} netns ${host.netns}`,
    `link set ${switchSide.port(1)} up`,
  ]);
  if (options.formed !== false) await switchSide.form();
  // Without a port channel there is no device that could forward.
  const exists = channel.kind === 'separate' || options.formed !== false;
  if (exists && options.forwarding !== false) await switchSide.unblock();
  await ipBatch(host.netns, [
    'link set eth0 down',
    'addr flush dev eth0',
    `link set eth0 name ${slaveName(0)}`,
    `link add bond0 type bond miimon 100 ${hostMode(options)} ${options.extra ?? ''}`,
    `link set ${slaveName(0)} master bond0`,
    `link set ${slaveName(1)} master bond0`,
    `addr add ${cidr} broadcast + dev bond0`,
    ...(options.up === false ? [] : ['link set bond0 up']),
  ]);
  return host;
}

/** Moves the host's address to VLAN `id` on its bond; yields the host with that interface. */
export function vlanOnBond(host: BondHost, id: number): Promise<BondHost> {
  const device = `bond0.${id}`;
  return moveAddress(host, device, [`link add link bond0 name ${device} type vlan id ${id}`]);
}

/** Puts the bond into a bridge, as for virtual machines, and the host's address on the bridge. */
export function bridgeOnBond(host: BondHost): Promise<BondHost> {
  return moveAddress(host, 'br-vm', [
    `link add br-vm address ${host.mac} type bridge stp_state 0 mcast_snooping 0`,
    'link set bond0 master br-vm',
  ]);
}

/**
 * Puts the bond into a bridge that filters VLANs: tagged with VLAN `id` on the bond, which is the
 * bridge's own; what has no tag there is of VLAN 1. The host's address is on the bridge.
 */
export function vlanBridgeOnBond(host: BondHost, id: number): Promise<BondHost> {
  const device = 'br-vlan';
  return moveAddress(
    host,
    device,
    [
      `link add ${device} address ${host.mac} type bridge vlan_filtering 1 mcast_snooping 0`,
      `link set bond0 master ${device}`,
    ],
    [
      `vlan add dev bond0 vid ${id}`,
      `vlan add dev ${device} vid ${id} self pvid untagged`,
      `vlan del dev ${device} vid 1 self`,
    ],
  );
}

/** Puts a macvlan on the bond and the host's address on it. */
export function macvlanOnBond(host: BondHost): Promise<BondHost> {
  return moveAddress(host, 'mv0', ['link add link bond0 name mv0 type macvlan mode bridge']);
}

/** Moves the address of a plainly linked host to VLAN `id`: a peer for `vlanOnBond`. */
export async function vlanOnPlainLink(host: Host, id: number): Promise<void> {
  await ipBatch(host.netns, [
    `link set ${host.interface} down`,
    `link set ${host.interface} name trunk`,
    `link add link trunk name ${host.interface} type vlan id ${id}`,
    'addr flush dev trunk',
    `addr add ${host.address}/${host.prefixLength} broadcast + dev ${host.interface}`,
    'link set trunk up',
    `link set ${host.interface} up`,
  ]);
}

/**
 * Turns spanning tree on in the switch: a port that joins, or whose carrier comes, listens and
 * learns for `forwardDelaySeconds` each (2 to 30), sending BPDUs, before it forwards.
 */
export async function spanningTree(lab: Lab, forwardDelaySeconds: number): Promise<void> {
  const delay = String(forwardDelaySeconds * 100);
  const options = ['stp_state', '1', 'forward_delay', delay];
  await lab.switch.ip('link', 'set', 'br0', 'type', 'bridge', ...options);
}

async function moveAddress(
  host: BondHost,
  device: string,
  make: readonly string[],
  bridge: readonly string[] = [],
): Promise<BondHost> {
  await ipBatch(host.netns, make);
  for (const words of bridge) await run(['bridge', '-n', host.netns, ...words.split(' ')]);
  await ipBatch(host.netns, [
    `addr flush dev ${host.interface}`,
    `addr add ${host.address}/${host.prefixLength} broadcast + dev ${device}`,
    `link set ${device} up`,
  ]);
  return new BondHost(host, host.switchSide, device);
}

function channelOf({ mode, lacpRate = 'fast' }: BondOptions): Channel {
  if (mode === '802.3ad') return { kind: 'lacp', rate: lacpRate };
  const isAlone = mode === 'active-backup' || mode === 'balance-tlb' || mode === 'balance-alb';
  return { kind: isAlone ? 'separate' : 'static' };
}

function hostMode({ mode, lacpRate = 'fast' }: BondOptions): string {
  return mode === '802.3ad' ? `mode 802.3ad lacp_rate ${lacpRate}` : `mode ${mode}`;
}

async function ipBatch(netns: string, lines: readonly string[]): Promise<void> {
  await run(['ip', '-n', netns, '-batch', '-'], lines.map((line) => `${line}\n`).join(''));
}
