// A lab: hosts in network namespaces of their own, each on a port of a bridge in another namespace
// that plays the switch. Everything bears a name of this process, so that any number of labs may
// stand side by side, and everything is removed when the lab or the process ends, however it ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';
import { Host, Netns } from './host.ts';
import { newLabPrefix, removeNamespaces, sweepStale } from './sweep.ts';
import { eventually } from './wait.ts';

/** How long a busy kernel may take to tell of a carrier. */
const CARRIER_MS = 15_000;
const LABEL = /^[a-z0-9]{1,12}$/;
const TOOLS = ['ip', 'bridge', 'nft', 'ping', 'arping', 'tcpdump'];

/** Whatever calls back when it is over; the context of a node:test test is one. */
export interface Scope {
  after(callback: () => void): void;
}

export interface HostOptions {
  /** Leave the host its IPv6, whose own noise (MLD, router solicitations) is then on the wire. */
  readonly ipv6?: boolean;
  /** The address of eth0; by default 02:00:00:00:00:NN with the number of the host, from 1. */
  readonly mac?: string;
}

/** One port of the switch, as its operator sees it. */
export interface Port {
  /** Its device in the switch's namespace. */
  readonly device: string;
  /** Stops all frames, both ways, with the carrier up: bridge port state "disabled". */
  block(): Promise<void>;
  /** Lets frames through again. A port whose carrier comes back is unblocked by the kernel, too. */
  unblock(): Promise<void>;
}

/** A rule that drops packets until it is removed. */
export interface DropRule {
  remove(): Promise<void>;
}

/** Why a lab can't be made here, for the `skip` option of node:test; false if it can. */
export async function labSkipReason(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  for (const tool of TOOLS) {
    const found = await run(['sh', '-c', 'command -v "$1"', 'sh', tool]).catch(() => '');
    if (found === '') return `the lab needs ${tool}`;
  }
  return false;
}

export class Lab {
  /** A temporary directory that goes with the lab. */
  readonly directory: string;
  /** The namespace of the bridge; its device br0 sees the frames of all ports. */
  readonly switch: Netns;
  readonly #prefix: string;
  readonly #hosts: Host[] = [];
  #rules = 0;
  #closed = false;

  private constructor() {
    this.#prefix = newLabPrefix();
    this.directory = mkdtempSync(join(tmpdir(), this.#prefix));
    this.switch = new Netns(`${this.#prefix}switch`, 'br0');
    openLabs.add(this);
  }

  /** Makes a lab without hosts; `scope` (a test's context) closes it when it is over. */
  static async create(scope?: Scope): Promise<Lab> {
    prepareProcess();
    const lab = new Lab();
    scope?.after(() => lab.close());
    await run(['sh', '-euc', MAKE_SWITCH, 'sh', lab.switch.netns]);
    return lab;
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /**
   * Adds a host with `address` ("10.77.0.1/24") on its eth0, linked to a new port of the switch.
   */
  async host(label: string, address: string, options: HostOptions = {}): Promise<Host> {
    if (!LABEL.test(label)) throw new Error(`label "${label}" does not match ${String(LABEL)}`);
    const number = (this.#hosts.length + 1).toString(16).padStart(2, '0');
    const mac = options.mac ?? `02:00:00:00:00:${number}`;
    const host = new Host(`${this.#prefix}${label}`, label, address, mac, this.directory);
    this.#hosts.push(host);
    const ipv6Off = options.ipv6 === true ? '0' : '1';
    const settings = [host.netns, this.switch.netns, label, address, mac, ipv6Off];
    await run(['sh', '-euc', MAKE_HOST, 'sh', ...settings]);
    await this.#carrierSeen(host, true);
    return host;
  }

  /** The port of the switch to which `host` is linked. */
  port(host: Host): Port {
    const device = portName(host);
    const set = async (state: string): Promise<void> => {
      const { netns } = this.switch;
      await run(['bridge', '-n', netns, 'link', 'set', 'dev', device, 'state', state]);
    };
    return { device, block: () => set('0'), unblock: () => set('3') };
  }

  /** Takes the carrier from the host's eth0 or gives it back; done when its kernel says so. */
  async carrier(host: Host, on: boolean): Promise<void> {
    await this.switch.ip('link', 'set', portName(host), on ? 'up' : 'down');
    await this.#carrierSeen(host, on);
  }

  /**
   * Drops on the host's port what matches the nft expression ("ip protocol 112"; "" is everything):
   * a path that fails one way, with nothing of it to be seen on the host.
   */
  dropOnPort(host: Host, direction: 'from-host' | 'to-host', match = ''): Promise<DropRule> {
    const hook = direction === 'from-host' ? 'ingress' : 'egress';
    const chain = `type filter hook ${hook} device "${portName(host)}" priority 0`;
    return this.#drop(this.switch, 'netdev', chain, match);
  }

  /** Drops what matches in the host's own firewall: packet sockets still see what comes in. */
  dropInFirewall(host: Host, hook: 'input' | 'output', match: string): Promise<DropRule> {
    return this.#drop(host, 'inet', `type filter hook ${hook} priority 0`, match);
  }

  /** The end of the output of everything that was started, for a failure message. */
  report(): string {
    return this.#hosts.map((host) => host.report()).join('\n');
  }

  /** Kills everything in the lab and removes it; the second time nothing is left to do. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    openLabs.delete(this);
    const namespaces = [this.switch, ...this.#hosts];
    for (const namespace of namespaces) namespace.killChildren();
    removeNamespaces(namespaces.map(({ netns }) => netns));
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #drop(at: Netns, family: string, chain: string, match: string): Promise<DropRule> {
    this.#rules += 1;
    const table = `${family} drop${this.#rules}`;
    const rules = `table ${table} {\n chain c {\n ${chain};\n ${match} counter drop\n }\n}\n`;
    await run(['ip', 'netns', 'exec', at.netns, 'nft', '-f', '-'], rules);
    return {
      remove: async () => {
        await at.exec(['nft', `delete table ${table}`]);
      },
    };
  }

  /**
   * By the host, and then by the bridge, which hears of it later (net/core/link_watch.c), and then
   * opens a port that is disabled, also one that was blocked meanwhile (br_port_carrier_check).
   */
  async #carrierSeen(host: Host, on: boolean): Promise<void> {
    const waiting = { withinMs: CARRIER_MS, everyMs: 5 };
    await eventually(async () => (await host.hasCarrier()) === on, {
      ...waiting,
      what: `carrier ${on ? 'up' : 'down'} on ${host.name}`,
    });
    const operstate = ['cat', `/sys/class/net/${portName(host)}/operstate`];
    await eventually(async () => /^up$/m.test(await this.switch.exec(operstate)) === on, {
      ...waiting,
      what: `the port of ${host.name} to be ${on ? 'up' : 'down'}`,
    });
  }
}

// Snooping is off, as on a switch that floods the link-local groups; and IPv6, whose own multicast
// reports would be data frames of the switch.
const MAKE_SWITCH = `
ip netns add "$1"
exec ip netns exec "$1" sh -euc '
  echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
  echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
  exec ip link add br0 up type bridge stp_state 0 mcast_snooping 0
'`;

const MAKE_HOST = `
ip netns add "$1"
ip netns exec "$1" sh -euc '
  echo "$6" >/proc/sys/net/ipv6/conf/all/disable_ipv6
  echo "$6" >/proc/sys/net/ipv6/conf/default/disable_ipv6
  ip -batch - <<BATCH
link add eth0 address $5 type veth peer name p-$3 netns $2
link set lo up
addr add $4 broadcast + dev eth0
link set eth0 up
BATCH
' sh "$@"
exec ip -n "$2" link set "p-$3" master br0 up`;

const openLabs = new Set<Lab>();
let processPrepared = false;

function portName(host: Host): string {
  return `p-${host.name}`;
}

/** Once a process: clears what others left, and sees to it that this one leaves nothing. */
function prepareProcess(): void {
  if (processPrepared) return;
  processPrepared = true;
  sweepStale();
  process.on('exit', () => {
    for (const lab of [...openLabs]) lab.close();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}
