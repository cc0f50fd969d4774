// Less common things that a host's address may stand on: a team device, two VLAN tags.
import { run } from '../../lab/command.ts';
import type { Host } from '../../lab/host.ts';
import { BondHost } from './bond-host.ts';
import { CABLES, slaveName, type Cable } from './switch-side.ts';

const OUTER = 'proto 802.1ad id 5';
const INNER = 'id 7';

/**
 * Takes the bond of the host away and joins its cables by a team device, the first one active; the
 * host's address moves there.
 */
export async function teamInsteadOfBond(host: BondHost): Promise<BondHost> {
  const exec = (...argv: readonly string[]): Promise<string> => host.exec(argv);
  await exec('ip', 'link', 'del', 'bond0');
  await exec('ip', 'link', 'add', 'team0', 'address', host.mac, 'type', 'team');
  await exec('teamnl', 'team0', 'setoption', 'mode', 'activebackup');
  for (const cable of CABLES) {
    await exec('ip', 'link', 'set', slaveName(cable), 'down');
    await exec('ip', 'link', 'set', slaveName(cable), 'master', 'team0');
    await exec('ip', 'link', 'set', slaveName(cable), 'up');
  }
  await exec('teamnl', 'team0', 'setoption', 'activeport', await teamPort(host, 0));
  await exec('ip', 'addr', 'add', cidr(host), 'broadcast', '+', 'dev', 'team0');
  await exec('ip', 'link', 'set', 'team0', 'up');
  return new BondHost(host, host.switchSide, 'team0');
}

/** Makes the second cable the active one of `teamInsteadOfBond`. */
export async function failOverTeam(host: BondHost): Promise<void> {
  await host.exec(['teamnl', 'team0', 'setoption', 'activeport', await teamPort(host, 1)]);
}

/** The number of a cable's device, by which the team device calls its port. */
async function teamPort(host: BondHost, cable: Cable): Promise<string> {
  const ports = (await host.exec(['teamnl', 'team0', 'ports'])).trim().split('\n');
  const line = ports.find((port) => port.includes(slaveName(cable)));
  return line?.trim().split(':')[0] ?? '';
}

/** Moves the host's address behind two VLAN tags on its bond. */
export async function doubleTagOnBond(host: BondHost): Promise<BondHost> {
  await ipBatch(host, [
    `link add link bond0 name outer type vlan ${OUTER}`,
    `link add link outer name inner type vlan ${INNER}`,
    'addr flush dev bond0',
    `addr add ${cidr(host)} broadcast + dev inner`,
    'link set outer up',
    'link set inner up',
  ]);
  return new BondHost(host, host.switchSide, 'inner');
}

/** Does the same with a plainly linked host: a peer for `doubleTagOnBond`. */
export async function doubleTagOnPlainLink(host: Host): Promise<void> {
  await ipBatch(host, [
    `link set ${host.interface} down`,
    `link set ${host.interface} name trunk`,
    `link add link trunk name outer type vlan ${OUTER}`,
    `link add link outer name ${host.interface} type vlan ${INNER}`,
    'addr flush dev trunk',
    `addr add ${cidr(host)} broadcast + dev ${host.interface}`,
    'link set trunk up',
    'link set outer up',
    `link set ${host.interface} up`,
  ]);
}

function cidr({ address, prefixLength }: Host): string {
  return `${address}/${prefixLength}`;
}

async function ipBatch({ netns }: Host, lines: readonly string[]): Promise<void> {
  await run(['ip', '-n', netns, '-batch', '-'], lines.map((line) => `${line}\n`).join(''));
}
