// Two hosts with some links between them and hundreds of virtual IPs, watched from outside by tools
// that know none of the programs: `ip monitor` tells which host has which address since when, and
// `tcpdump` when each group was heard last.
import type { Child } from '../../lab/child.ts';
import { run } from '../../lab/command.ts';
import type { Host } from '../../lab/host.ts';
import { Lab } from '../../lab/namespaces.ts';
import { PcapReader } from '../../lab/pcap.ts';
import { Changes } from '../../lab/wait.ts';

/** A vhid has eight bits, and 0 is none. */
const GROUPS_PER_LINK = 250;
const FIRST_NETWORK = 80;
const NETLINK_BYTES = '16777216';
/** Of an Ethernet frame with IPv4 without options: where the protocol's own bytes begin. */
const PROTOCOL_AT = 34;

/** One virtual IP: its link, its number there, its address. */
export interface Group {
  readonly name: string;
  readonly interface: string;
  readonly vhid: number;
  readonly vip: string;
}

/** The groups: as few links as they fit on. */
export function groupsOf(count: number): readonly Group[] {
  return Array.from({ length: count }, (_, index) => {
    const link = Math.floor(index / GROUPS_PER_LINK);
    const vhid = (index % GROUPS_PER_LINK) + 1;
    const vip = `10.${FIRST_NETWORK + link}.1.${vhid}`;
    return { name: `g${index}`, interface: `eth${link}`, vhid, vip };
  });
}

/** Two hosts, the first interface of each on a switch, the others linked directly. */
export interface World {
  readonly lab: Lab;
  readonly hosts: readonly [Host, Host];
  readonly links: readonly string[];
}

export async function makeWorld(groups: readonly Group[]): Promise<World> {
  const lab = await Lab.create();
  try {
    const links = [...new Set(groups.map((group) => group.interface))];
    const a = await lab.host('a', `10.${FIRST_NETWORK}.0.1/16`);
    const b = await lab.host('b', `10.${FIRST_NETWORK}.0.2/16`);
    for (const [index, link] of links.entries()) if (index > 0) await join(a, b, link, index);
    return { lab, hosts: [a, b], links };
  } catch (error) {
    lab.close();
    throw error;
  }
}

async function join(a: Host, b: Host, link: string, index: number): Promise<void> {
  const ends = ['link', 'add', link, 'netns', a.netns, 'type', 'veth', 'peer'];
  await run(['ip', ...ends, 'name', link, 'netns', b.netns]);
  for (const [host, number] of [[a, 1] as const, [b, 2] as const]) {
    await host.ip('addr', 'add', `10.${FIRST_NETWORK + index}.0.${number}/16`, 'dev', link);
    await host.ip('link', 'set', link, 'up');
  }
}

/** The address of the first host on the link with this number. */
export function neighbourOn(index: number): string {
  return `10.${FIRST_NETWORK + index}.0.1`;
}

/** Takes all virtual IPs off a host, as its restart would. */
export async function flush(host: Host, links: readonly string[]): Promise<void> {
  for (const [index, link] of links.entries()) {
    await host.ip('addr', 'flush', 'dev', link, 'to', `10.${FIRST_NETWORK + index}.1.0/24`);
  }
}

/** The addresses that one host has, and since when. */
export class AddressWatch {
  readonly #child: Child;
  readonly #since = new Map<string, number>();
  readonly #changes = new Changes();

  constructor(host: Host) {
    const argv = ['ip', '-rcvbuf', NETLINK_BYTES, '-ts', '-o', '-4', 'monitor', 'address'];
    this.#child = host.spawn(argv, { env: { TZ: 'UTC' }, label: `addresses of ${host.name}` });
    this.#child.onLine(({ text }) => this.#read(text));
  }

  /** Wall-clock milliseconds at which each of the addresses came that are there. */
  get since(): ReadonlyMap<string, number> {
    return this.#since;
  }

  /** Resolves when the host has all of them, to when each came; rejects after `withinMs`. */
  all(groups: readonly Group[], withinMs: number): Promise<ReadonlyMap<string, number>> {
    const there = (): ReadonlyMap<string, number> | undefined =>
      groups.every(({ vip }) => this.#since.has(vip)) ? new Map(this.#since) : undefined;
    const missing = (): string =>
      groups.filter(({ vip }) => !this.#since.has(vip)).length.toFixed();
    const what = `all of ${groups.length} addresses`;
    return this.#changes.until(there, { withinMs, what, detail: () => `${missing()} missing` });
  }

  close(): void {
    this.#child.killGroup();
  }

  /** "[2026-11-30T18:50:00.123456] Deleted 2: eth0    inet 10.80.1.1/32 scope global eth0 ...". */
  #read(line: string): void {
    const found = /^\[([^\]]+)\] (Deleted )?\d+: .* inet ([\d.]+)\//.exec(line);
    if (found === null) return;
    const [, at = '', deleted, address = ''] = found;
    if (deleted !== undefined) this.#since.delete(address);
    else if (!this.#since.has(address)) this.#since.set(address, Date.parse(`${at}Z`));
    this.#changes.notify();
  }
}

/** When each group was heard last on the wire. */
export class AdvertCapture {
  readonly #children: readonly Child[];
  readonly #last = new Map<string, number>();

  constructor(host: Host, groups: readonly Group[], links: readonly string[]) {
    this.#children = links.map((link) => {
      const vips = new Map(groups.filter((one) => one.interface === link).map(vipByVhid));
      const reader = new PcapReader();
      const argv = ['tcpdump', '-i', link, '-U', '-n', '-s', '64', '-w', '-', 'ip proto 112'];
      return host.spawn(argv, {
        onStdout: (chunk) => {
          for (const { bytes, wallMs } of reader.push(chunk)) {
            const vip = vips.get(bytes[PROTOCOL_AT + 1] ?? 0);
            if (vip !== undefined) this.#last.set(vip, wallMs);
          }
        },
      });
    });
  }

  /** Resolves when it captures. */
  async ready(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.line(/listening on/, 10_000)));
  }

  /** By virtual IP, wall-clock milliseconds; a snapshot. */
  lastBefore(): ReadonlyMap<string, number> {
    return new Map(this.#last);
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop('SIGINT')));
  }
}

function vipByVhid({ vhid, vip }: Group): readonly [number, string] {
  return [vhid, vip];
}
