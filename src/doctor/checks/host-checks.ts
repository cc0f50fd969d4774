// Whether the host as such lets carpd work. Pure.
import { finding, type Finding } from './catalogue.ts';

/** A process that keeps virtual IPs. */
export interface OtherDaemon {
  readonly pid: number;
  readonly name: string;
  /** What its options name, as far as they can be read. */
  readonly interfaceName?: string | undefined;
  readonly vhid?: number | undefined;
  readonly vip?: string | undefined;
}

/** A group that is configured here. */
export interface OwnGroup {
  readonly name: string;
  readonly interfaceName: string;
  readonly vhid: number;
}

/** What is known of the host; undefined: it could not be found out. */
export interface HostFacts {
  /** Capabilities that this process lacks, and that its children would. */
  readonly missing: readonly string[];
  readonly missingInChildren: readonly string[];
  /** Why a native addon can't be loaded. */
  readonly addonFault: string | undefined;
  readonly hasIp: boolean;
  /** Kind of the hypervisor; undefined: none. */
  readonly hypervisor: string | undefined;
  readonly clockSynchronised: boolean | undefined;
  readonly otherDaemons: readonly OtherDaemon[];
  /** Whether the unit is there and enabled; undefined: there is no systemd, or no unit. */
  readonly serviceEnabled: boolean | undefined;
}

const HOST = 'host';

/** All findings about the host. */
export function hostFindings(facts: HostFacts): readonly Finding[] {
  return [...privilegeFindings(facts), ...programFindings(facts), ...surroundings(facts)];
}

function privilegeFindings({ missing, missingInChildren }: HostFacts): readonly Finding[] {
  const remedy =
    'run it as root, or give AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN in the unit; ' +
    'the doctor itself wants sudo';
  if (missing.length > 0) {
    return [finding('privileges-missing', HOST, `without ${missing.join(', ')}`, remedy)];
  }
  if (missingInChildren.length > 0) {
    const text = `children would be without ${missingInChildren.join(', ')}: ip and hooks fail`;
    return [finding('privileges-of-children', HOST, text, remedy)];
  }
  return [finding('privileges-good', HOST, 'CAP_NET_RAW and CAP_NET_ADMIN, children included')];
}

function programFindings({ addonFault, hasIp }: HostFacts): readonly Finding[] {
  const found: Finding[] = [];
  if (addonFault !== undefined) {
    const remedy = 'install the package that fits this Node.js and processor, or npm rebuild';
    found.push(finding('addon-broken', HOST, addonFault, remedy));
  }
  if (!hasIp) {
    const text = 'the program ip is not in the PATH nor in /usr/sbin, /sbin, /usr/bin or /bin';
    found.push(finding('ip-missing', HOST, text, 'install iproute2'));
  }
  return found;
}

function surroundings(facts: HostFacts): readonly Finding[] {
  const { hypervisor, clockSynchronised, otherDaemons, serviceEnabled } = facts;
  const found: Finding[] = [];
  if (hypervisor !== undefined) {
    const text =
      `a guest of ${hypervisor}: it must let multicast and ARP for the virtual IP pass; carpd ` +
      'sends from its own MAC address, a stock ucarp peer from 00:00:5e:00:00:VHID';
    const remedy = 'for ucarp peers in guests, allow forged transmits and MAC changes';
    found.push(finding('virtual-machine', HOST, text, remedy));
  }
  if (clockSynchronised === false) {
    const text = 'the clock is not synchronised: logs of the nodes are hard to compare';
    const remedy = 'run chrony or systemd-timesyncd; the election does not depend on it';
    found.push(finding('clock-adrift', HOST, text, remedy));
  }
  for (const { pid, name } of otherDaemons) {
    const remedy =
      'fine where it keeps other addresses; one that keeps the same has to go ' +
      '(carpd takes its place, see docs/migrating.md)';
    found.push(finding('other-daemon', HOST, `${name} runs, process ${String(pid)}`, remedy));
  }
  if (serviceEnabled === false) {
    const text = 'carpd.service is there and not enabled';
    found.push(finding('service-disabled', HOST, text, 'systemctl enable carpd'));
  }
  return found;
}

/** What an interface is known by, whichever of its names is given: its index, or the name alone. */
export type InterfaceKey = (name: string) => number | string;

/** The groups that the other daemon takes part in as well, by whatever name of the interface. */
export function sharedGroups<Group extends Omit<OwnGroup, 'name'>>(
  { interfaceName, vhid }: OtherDaemon,
  groups: readonly Group[],
  keyOf: InterfaceKey,
): readonly Group[] {
  if (interfaceName === undefined) return [];
  const key = keyOf(interfaceName);
  return groups.filter((one) => one.vhid === vhid && keyOf(one.interfaceName) === key);
}

/** Findings about daemons that take part in a group that is configured here. */
export function rivalFindings(
  others: readonly OtherDaemon[],
  groups: readonly OwnGroup[],
  keyOf: InterfaceKey = (name) => name,
): readonly Finding[] {
  return others.flatMap((other) => {
    const { pid, name } = other;
    const [same] = sharedGroups(other, groups, keyOf);
    if (same === undefined) return [];
    const text = `${name}, process ${String(pid)}, runs vhid ${String(same.vhid)} on this host too`;
    return [finding('group-twice', same.name, text, 'stop one: a host is in a group once')];
  });
}
