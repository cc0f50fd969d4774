// What the doctor reads of the host: /proc, /sys, and what the tools of the firewall print. What is
// not there, or may not be read, is undefined.
import { execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../base/errors.ts';
import type { FirewallFacts } from '../checks/firewall-checks.ts';
import type { InstanceConfig } from '../../config/config.ts';
import { getopt } from '../../config/ucarp/getopt.ts';
import { UCARP_OPTIONS } from '../../config/ucarp/ucarp-options.ts';
import {
  sharedGroups,
  type HostFacts,
  type InterfaceKey,
  type OtherDaemon,
} from '../checks/host-checks.ts';
import { loadRawSocket } from '../../linux/sockets/carp-socket.ts';
import { native } from '../../linux/sockets/native.ts';
import { readPrivileges } from '../../linux/system/privileges.ts';

const TOOL_MS = 10_000;
const TOOL_PATH = '/usr/sbin:/sbin:/usr/bin:/bin';
const OUTPUT_BYTES_MAX = 8 * 1_048_576;
const DAEMONS = ['ucarp', 'keepalived', 'vrrpd', 'carpd'];

/** What the host is like; `ownPid` is a carpd that is known, and no other daemon. */
export async function readHostFacts(ownPid: number | undefined): Promise<HostFacts> {
  const { missing, missingInChildren } = readPrivileges();
  return {
    missing,
    missingInChildren,
    addonFault: await addonFault(),
    hasIp: hasTool('ip'),
    hypervisor: hypervisor(),
    clockSynchronised: await tool(['timedatectl', 'show', '-p', 'NTPSynchronized', '--value']).then(
      (text) => (text === undefined ? undefined : text.trim() === 'yes'),
    ),
    otherDaemons: otherDaemons(ownPid),
    serviceEnabled: await serviceEnabled(),
  };
}

/** The rules of the firewall in force. */
export async function readFirewall(): Promise<FirewallFacts> {
  const [nft, iptables] = await Promise.all([
    tool(['nft', '-j', 'list', 'ruleset']),
    // Rules of iptables-nft are in the ruleset of nft; the old tables are not. To ask for them
    // where there are none would load their module.
    (text('/proc/self/net/ip_tables_names') ?? '') === ''
      ? undefined
      : tool(['iptables-legacy-save']),
  ]);
  // An extension of iptables stands in the ruleset of nft with its name only.
  const isVague = nft?.includes('"xt"') === true;
  const needed = nft === undefined && iptables === undefined;
  const names = processNames();
  return {
    nft,
    iptables: needed ? await tool(['iptables-save']) : iptables,
    iptablesOverNft: isVague ? await tool(['iptables-save']) : undefined,
    managers: [
      ...(names.some(({ name }) => name === 'firewalld') ? (['firewalld'] as const) : []),
      ...(/^ENABLED=yes/m.test(text('/etc/ufw/ufw.conf') ?? '') ? (['ufw'] as const) : []),
    ],
  };
}

/** A file's text; undefined: it can't be read. */
export function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A number in a file; undefined: there is none. */
export function number(path: string): number | undefined {
  const found = Number.parseInt(text(path) ?? '', 10);
  return Number.isNaN(found) ? undefined : found;
}

async function addonFault(): Promise<string | undefined> {
  try {
    native();
    await loadRawSocket();
    return undefined;
  } catch (error) {
    return messageOf(error).split('\n')[0];
  }
}

function hasTool(name: string): boolean {
  const folders = `${process.env['PATH'] ?? ''}:${TOOL_PATH}`.split(':');
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** Its standard output; undefined: it is not there, or it failed. */
async function tool(argv: readonly string[]): Promise<string | undefined> {
  const [name = '', ...rest] = argv;
  if (!hasTool(name)) return undefined;
  const env = { PATH: `${process.env['PATH'] ?? ''}:${TOOL_PATH}`, LC_ALL: 'C' };
  const options = { env, timeout: TOOL_MS, maxBuffer: OUTPUT_BYTES_MAX };
  return promisify(execFile)(name, rest, options).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

function hypervisor(): string | undefined {
  const vendor = text('/sys/class/dmi/id/sys_vendor')?.trim() ?? '';
  const known = /QEMU|VMware|Xen|Microsoft|innotek|Amazon|Google|Parallels|DigitalOcean/i;
  const isGuest = / hypervisor\b/.test(text('/proc/cpuinfo') ?? '');
  if (known.test(vendor) && isGuest) return vendor;
  return isGuest ? 'a hypervisor' : undefined;
}

/**
 * Processes of this network namespace that serve a group of these too, and hold no lock by which a
 * second daemon is kept away: stock ucarps. One sentence each.
 */
export function stockRivals(
  instances: readonly Pick<InstanceConfig, 'interfaceName' | 'vhid'>[],
  keyOf: InterfaceKey,
): readonly string[] {
  return otherDaemons(undefined).flatMap((other) => {
    const { name, pid, interfaceName, vhid } = other;
    if (name !== 'ucarp' || sharedGroups(other, instances, keyOf).length === 0) return [];
    return (
      `${name}, process ${String(pid)}, runs vhid ${String(vhid)} on ${String(interfaceName)} of ` +
      'this host too; stop one of the two: they take the address from each other'
    );
  });
}

/** Whether another program that keeps virtual IPs runs in this network namespace. */
export function hasRivalDaemon(): boolean {
  return otherDaemons(undefined).length > 0;
}

function otherDaemons(ownPid: number | undefined): readonly OtherDaemon[] {
  const own = namespaceOf('self');
  return processNames()
    .filter(({ pid, name }) => {
      if (pid === process.pid || pid === ownPid) return false;
      return DAEMONS.includes(name) && namespaceOf(String(pid)) === own;
    })
    .map((one) => (one.name === 'ucarp' ? { ...one, ...ucarpGroup(one.pid) } : one));
}

/** Which group the options of a ucarp name; of the rest, as its password, nothing is kept. */
function ucarpGroup(pid: number): Pick<OtherDaemon, 'interfaceName' | 'vhid' | 'vip'> {
  const argv = (text(`/proc/${String(pid)}/cmdline`) ?? '').split('\0').slice(1, -1);
  const given = new Map<string, string>();
  for (const item of getopt(argv, UCARP_OPTIONS)) {
    if (item.kind === 'option') given.set(item.key, item.value);
  }
  const vhid = Number(given.get('vhid') ?? Number.NaN);
  return {
    interfaceName: given.get('interface'),
    vhid: Number.isNaN(vhid) ? undefined : vhid,
    vip: given.get('addr'),
  };
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

function processNames(): readonly OtherDaemon[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid: Number(pid), name: nameOf(pid) }));
}

/** carpd is a script of Node, and known by its arguments. */
function nameOf(pid: string): string {
  const name = text(`/proc/${pid}/comm`)?.trim() ?? '';
  const [, script = '', command] = (text(`/proc/${pid}/cmdline`) ?? '').split('\0');
  const isCarpd = /(?:^|\/)(?:carpd|main\.js)$/.test(script) && command === 'run';
  return isCarpd ? 'carpd' : name;
}

async function serviceEnabled(): Promise<boolean | undefined> {
  if (!existsSync('/run/systemd/system')) return undefined;
  const state = await tool(['systemctl', 'show', '-p', 'UnitFileState', '--value', 'carpd']);
  const known = state?.trim();
  if (known === undefined || known === '') return undefined;
  return known.startsWith('enabled');
}
