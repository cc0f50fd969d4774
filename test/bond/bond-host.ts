// A host of the lab whose link to the switch is a bond of two cables, and what its kernel says of
// it.
import { Host } from '../../lab/host.ts';
import { eventually } from '../../lab/wait.ts';
import type { SwitchSide } from './switch-side.ts';

/** Bits of an LACP port state (IEEE 802.1AX, 6.4.2.3). */
export const LACP = {
  activity: 0x01,
  shortTimeout: 0x02,
  aggregation: 0x04,
  synchronization: 0x08,
  collecting: 0x10,
  distributing: 0x20,
  defaulted: 0x40,
  expired: 0x80,
} as const;

/** One slave as the kernel describes it. */
export interface Slave {
  readonly name: string;
  /** Whether the bond uses it. */
  readonly active: boolean;
  /** Whether link monitoring calls it up. */
  readonly linkUp: boolean;
  /** Only in 802.3ad mode. */
  readonly lacp?: { readonly aggregator: number; readonly actor: number; readonly partner: number };
}

/** Works like every other Host; `interface` is the device that CARP is meant to run on. */
export class BondHost extends Host {
  override readonly interface: string;
  readonly switchSide: SwitchSide;

  constructor(host: Host, switchSide: SwitchSide, device = 'bond0') {
    super(host.netns, host.name, `${host.address}/${host.prefixLength}`, host.mac, host.directory);
    this.switchSide = switchSide;
    this.interface = device;
  }

  /** The slaves of bond0, in the order of their cables. */
  async slaves(): Promise<readonly Slave[]> {
    const output = await this.ip('-j', '-d', 'link', 'show', 'master', 'bond0');
    const links: unknown = JSON.parse(output === '' ? '[]' : output);
    return Array.isArray(links) ? links.map(readSlave) : [];
  }

  /** Waits until every slave collects and distributes on both sides; yields the slaves. */
  lacpFormed(withinMs = 20_000): Promise<readonly Slave[]> {
    const probe = async (): Promise<readonly Slave[] | undefined> => {
      const slaves = await this.slaves();
      return slaves.length > 0 && slaves.every(isFormed) ? slaves : undefined;
    };
    return eventually(probe, {
      withinMs,
      everyMs: 100,
      what: `LACP to form on ${this.name}`,
    });
  }

  /** What the bond's counters say: frames that any slave received, LACPDUs and all. */
  async rxPackets(): Promise<number> {
    const path = '/sys/class/net/bond0/statistics/rx_packets';
    return Number(await this.exec(['cat', path]));
  }
}

/** Whether the port is in use and both sides say that they collect and distribute. */
export function isFormed({ active, linkUp, lacp }: Slave): boolean {
  const wanted = LACP.synchronization | LACP.collecting | LACP.distributing;
  const bad = LACP.defaulted | LACP.expired;
  const good = (state: number): boolean => (state & wanted) === wanted && (state & bad) === 0;
  return active && linkUp && lacp !== undefined && good(lacp.actor) && good(lacp.partner);
}

/** Reads one element of the output of `ip -j -d link show`. */
function readSlave(link: unknown): Slave {
  const name = field(link, 'ifname');
  const data = field(field(link, 'linkinfo'), 'info_slave_data');
  const actor = field(data, 'ad_actor_oper_port_state');
  const aggregator = field(data, 'ad_aggregator_id');
  const partner = field(data, 'ad_partner_oper_port_state');
  const numbers =
    typeof actor === 'number' && typeof partner === 'number' && typeof aggregator === 'number';
  return {
    name: String(name),
    active: field(data, 'state') === 'ACTIVE',
    linkUp: field(data, 'mii_status') === 'UP',
    ...(numbers ? { lacp: { aggregator, actor, partner } } : {}),
  };
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map(Object.entries(value)).get(name);
}
