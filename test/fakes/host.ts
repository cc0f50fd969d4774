// A Linux host in memory, as far as carpd has to do with it: interfaces with addresses that `ip`
// changes, a kernel that answers ARP and tells of changes by netlink, and names that one process
// holds. Its processes are in host-process.ts.
import { isDeepStrictEqual } from 'node:util';
import { invariant } from '../../src/base/assert.ts';
import type { CommandResult } from '../../src/base/command.ts';
import {
  formatIpv4,
  isMulticast,
  multicastMac,
  type Ipv4,
  type Mac,
} from '../../src/base/addresses.ts';
import { gratuitousArp, readArp, writeArp } from '../../src/carp/arp.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4 } from '../../src/base/ethertypes.ts';
import { readEthernet, writeEthernet, type EthernetFrame } from '../../src/carp/ethernet.ts';
import { CARP_PROTOCOL, readIpv4 } from '../../src/carp/ipv4.ts';
import type { FirewallFacts } from '../../src/doctor/checks/firewall-checks.ts';
import type { Link, LinkChange } from '../../src/linux/links/link-watch.ts';
import { HostInterface, messageOf } from './host-interface.ts';
import type { HostLinks, NetlinkNews } from './host-links.ts';
import { HostState } from './host-state.ts';
import { FakePacketSocket, HostCarpSocket } from './host-sockets.ts';
import type { VirtualTime } from './time.ts';
import { isGroup, type Medium, type Wire } from './wire.ts';

/** A command that was begun, as it was written. */
export interface Command {
  readonly argv: readonly string[];
  /** The lines of its standard input. */
  readonly lines: readonly string[];
}

/** How a command behaves: when it ends, and what it says then. "hangs": it never ends. */
export type Behaviour =
  | {
      readonly ms: number;
      readonly result?: CommandResult;
      /** What it does when it ends well. */
      readonly done?: () => void;
    }
  | 'hangs';

/** A way by which a frame comes in: an interface, and the VLAN ids that it bears there. */
export interface Entrance {
  readonly ifindex: number;
  readonly vlans: readonly number[];
}

/** How a command ends that has done what it was told. */
export function exited(output = '', code = 0): CommandResult {
  return { kind: 'exited', code, output, truncated: false };
}

const ETHERTYPE_VLAN = 0x8100;
const MACS_BYTES = 12;
const PACKET_HOST = 0;
const PACKET_MULTICAST = 2;

/** One host in memory. */
export class FakeHost {
  readonly name: string;
  readonly time: VirtualTime;
  /** How `ip` behaves; the lines of a batch are carried out when it ends well. */
  ip: Behaviour | (() => Behaviour) = { ms: 2 };
  /** What `ip` says of a line that it refuses; undefined: it carries it out. */
  refuses: (line: string) => string | undefined = () => undefined;
  /** How a hook behaves. */
  hook: (argv: readonly string[]) => Behaviour = () => ({ ms: 5 });
  /** The firewall drops protocol 112 that comes in, or refuses it on its way out. */
  blocks: 'nothing' | 'in' | 'out' = 'nothing';
  /** Raw sockets refuse to send, for this reason (an errno). */
  rawErrno: string | undefined;
  /** Packet sockets refuse to send IPv4, for this reason (an errno). */
  packetErrno: string | undefined;
  firewall: FirewallFacts = {
    ...{ nft: undefined, iptables: undefined, iptablesOverNft: undefined },
    managers: [],
  };
  /** The next hops, as IPv4 text. */
  gateways: readonly Ipv4[] = [];
  /** Whom the kernel has spoken with lately. */
  neighbours: () => readonly Ipv4[] = () => [];
  /** A process asks for what the kernel does not tell by itself. */
  asked: () => void = () => undefined;
  maySetPromotion = true;
  readonly commands: Command[] = [];
  /** Hears of every command when it begins. */
  began: (command: Command) => void = () => undefined;
  /** Names of the abstract namespace, and the process that has each. */
  readonly names = new Map<string, number>();
  /** The files that processes keep. */
  readonly state = new HostState();
  readonly watches = new Set<HostLinks>();
  #isNetlinkLate = false;
  readonly sockets = new Set<object>();
  readonly #interfaces = new Map<number, HostInterface>();
  /** What those stand on. */
  #below = new Map<number, Link>();
  /** Those without a cable. */
  readonly #unplugged = new Set<number>();
  #lastIndex = 1;
  #requests = 0;

  constructor(name: string, time: VirtualTime) {
    this.name = name;
    this.time = time;
  }

  // ---- what an operator does ----

  /** A new interface that is up, with these addresses; returns its index. */
  plug(name: string, wire: Medium, ...addresses: readonly string[]): number {
    this.#lastIndex += 1;
    const ifindex = this.#lastIndex;
    const made: HostInterface = new HostInterface({
      ...{ ifindex, name, wire },
      receive: (frame) => this.#receive(made, frame),
      told: (kind, address) => {
        const request = `1 ${String(this.#requests)}`;
        const told = { kind, request, address: messageOf(address, made.link) } as const;
        this.#tell({ ifindex, link: made.link, changes: [made.link], address: told });
      },
    });
    this.#interfaces.set(ifindex, made);
    this.#tell({ ifindex, link: made.link, changes: [made.link] });
    for (const address of addresses) this.meddle(`addr add ${address} dev ${name}`);
    return ifindex;
  }

  unplug(name: string): void {
    const gone = this.#need(name);
    gone.unplug();
    this.#interfaces.delete(gone.ifindex);
    this.#tell({ ifindex: gone.ifindex, link: undefined, changes: [gone.link] });
  }

  /** Changes what the kernel knows of an interface, its name included. */
  set(name: string, changes: Partial<Link>): void {
    const changed = this.#need(name);
    const before: LinkChange = { name, ifindex: changed.ifindex };
    changed.change(changes);
    const changes_ = changed.link.name === name ? [changed.link] : [before, changed.link];
    this.#tell({ ifindex: changed.ifindex, link: changed.link, changes: changes_ });
  }

  /** As `set`, where anything is not so already. */
  update(name: string, changes: Partial<Link>): void {
    const { link } = this.#need(name);
    if (!isDeepStrictEqual({ ...link, ...changes }, link)) this.set(name, changes);
  }

  /** What the interfaces stand on, if not on a cable: bonds and their ports, VLANs ... */
  setBelow(below: readonly Link[]): void {
    const before = this.#below;
    this.#below = new Map(below.map((link) => [link.ifindex, link]));
    for (const link of below) {
      if (isDeepStrictEqual(before.get(link.ifindex), link)) continue;
      this.#tell({ ifindex: link.ifindex, link, changes: [link] });
    }
    for (const [ifindex, link] of before) {
      if (!this.#below.has(ifindex)) this.#tell({ ifindex, link: undefined, changes: [link] });
    }
  }

  /** The cable is pulled, or put back. */
  carrier(name: string, up: boolean): void {
    const { ifindex } = this.#need(name);
    if (up) this.#unplugged.delete(ifindex);
    else this.#unplugged.add(ifindex);
    this.#settle(name);
  }

  /** `ip link set NAME up` or `down`. */
  admin(name: string, up: boolean): void {
    this.set(name, { administrativelyUp: up });
    this.#settle(name);
  }

  /** There is carrier where there is a cable, and the interface is up. */
  #settle(name: string): void {
    const { ifindex, link } = this.#need(name);
    const { administrativelyUp, lowerUp, carrierDownCount = 0 } = link;
    const up = administrativelyUp && !this.#unplugged.has(ifindex);
    if (up === lowerUp) return;
    const operstate = up ? 'up' : 'down';
    const count = up ? carrierDownCount : carrierDownCount + 1;
    this.set(name, { running: up, lowerUp: up, operstate, carrierDownCount: count });
  }

  /** Somebody runs `ip`: "addr add 10.9.0.100/24 dev eth0". */
  meddle(line: string): void {
    const refusal = this.#change(line);
    invariant(refusal === undefined, `${line}: ${refusal ?? ''}`);
  }

  /** "10.9.0.100/24" of an interface, in the order of the kernel. */
  addresses(name: string): readonly string[] {
    return this.#need(name).table.texts;
  }

  macOf(name: string): Mac {
    return this.#need(name).mac;
  }

  /** Tells everybody by ARP that an address is at this MAC address. */
  announce(name: string, mac: Mac, address: Ipv4): void {
    this.#need(name).send(gratuitousArp(mac, address));
  }

  /** From now on netlink is late, until `tellAll`. */
  holdNetlink(): void {
    this.#isNetlinkLate = true;
  }

  /** All that was held back is told at once, or was too much and is lost. */
  tellAll(how: 'told' | 'lost' = 'told'): void {
    this.#isNetlinkLate = false;
    for (const watch of this.watches) watch.catchUp(how, this.links());
  }

  // ---- what its processes ask for ----

  links(): readonly Link[] {
    return [...[...this.#interfaces.values()].map(({ link }) => link), ...this.#below.values()];
  }

  linkOf(name: string): Link {
    return this.#need(name).link;
  }

  ipNow(): Behaviour {
    return typeof this.ip === 'function' ? this.ip() : this.ip;
  }

  /** Carries out a line of `ip -batch`; returns what `ip` says where it fails. */
  carryOut(line: string): string | undefined {
    return this.refuses(line) ?? this.#change(line);
  }

  #change(line: string): string | undefined {
    const [object, verb, cidr = '', dev, name = '', ...attributes] = line.split(' ');
    if (object === 'route') return undefined;
    invariant(object === 'addr' && dev === 'dev', `an address command: ${line}`);
    const found = this.#find(name);
    if (found === undefined) return `Cannot find device "${name}"`;
    this.#requests += 1;
    return verb === 'add' ? found.table.add(cidr, attributes) : found.table.delete(cidr);
  }

  promotes(ifindex: number): boolean {
    return this.#interfaces.get(ifindex)?.table.promoteSecondaries === true;
  }

  setPromotes(ifindex: number, on: boolean): boolean {
    const table = this.#interfaces.get(ifindex)?.table;
    if (table === undefined || !this.maySetPromotion) return false;
    table.promoteSecondaries = on;
    return true;
  }

  /** What `ip -j addr show` prints. */
  showAddresses(): string {
    const shown = [...this.#interfaces.values()].map(({ ifindex, link, table }) => ({
      ifindex,
      ifname: link.name,
      addr_info: table.all.map(({ address, prefixLength }) => ({
        local: formatIpv4(address),
        prefixlen: prefixLength,
        scope: 'global',
      })),
    }));
    return JSON.stringify(shown);
  }

  /** Undefined: it can't send now, for this reason (an errno). */
  sendFrame(ifindex: number, frame: Uint8Array): string | undefined {
    const by = this.#interfaces.get(ifindex);
    if (by === undefined) return 'ENODEV';
    if (!by.link.administrativelyUp) return 'ENETDOWN';
    const read = readEthernet(frame);
    const isAdvert = read.ok && read.value.etherType === ETHERTYPE_IPV4;
    if (isAdvert && this.packetErrno !== undefined) return this.packetErrno;
    by.send(frame);
    return undefined;
  }

  /** As `sendFrame`; by the kernel's own way, which the firewall sees. */
  sendPacket(ifindex: number, packet: Uint8Array, destination: string): string | undefined {
    const read = readIpv4(packet);
    const by = this.#interfaces.get(ifindex);
    if (by === undefined || !read.ok) return 'EINVAL';
    if (this.blocks === 'out') return 'EPERM';
    if (this.rawErrno !== undefined) return this.rawErrno;
    if (read.value.ttl === 0) return undefined;
    const group = read.value.destination;
    const mac = isMulticast(group) ? multicastMac(group) : by.resolve(destination);
    if (mac === undefined) return undefined;
    if (!by.link.administrativelyUp) return 'ENETDOWN';
    const header = { destination: mac, source: by.mac, etherType: ETHERTYPE_IPV4 };
    by.send(writeEthernet(header, packet));
    return undefined;
  }

  // ---- what comes in ----

  /**
   * A frame reaches the host by `cameBy`, and is seen on each of these on its way up. Returns
   * whether any socket gets it.
   */
  frameCame(bytes: Uint8Array, cameBy: number, ways: readonly Entrance[]): boolean {
    const read = readEthernet(bytes);
    if (!read.ok) return false;
    const { destination, etherType } = read.value;
    const packetType = isGroup(destination) ? PACKET_MULTICAST : PACKET_HOST;
    let isHeard = false;
    for (const { ifindex, vlans } of ways) {
      const [vlanTag, ...inner] = vlans;
      const tagged = inner.length === 0 ? bytes : withTag(bytes, inner[0] ?? 0);
      const type = inner.length === 0 ? etherType : ETHERTYPE_VLAN;
      const caught = { bytes: tagged, packetType, etherType: type, vlanTag, cameBy };
      for (const socket of [...this.sockets]) {
        const isThere = socket instanceof FakePacketSocket && socket.ifindex === ifindex;
        if (isThere) isHeard = socket.came(caught) || isHeard;
      }
    }
    const top = ways.at(-1);
    const by = top === undefined ? undefined : this.#interfaces.get(top.ifindex);
    if (by?.passesFrames !== true) return isHeard;
    if (etherType === ETHERTYPE_ARP) this.#answer(by, read.value);
    if (etherType === ETHERTYPE_IPV4) isHeard = this.#giveToSockets(by, read.value) || isHeard;
    return isHeard;
  }

  #receive(by: HostInterface, bytes: Uint8Array): void {
    if (!by.passesFrames) return;
    this.frameCame(bytes, by.ifindex, [{ ifindex: by.ifindex, vlans: [] }]);
  }

  #answer(by: HostInterface, { payload }: EthernetFrame): void {
    const asked = readArp(payload);
    if (!asked.ok || asked.value.operation !== 'request') return;
    const { senderMac, senderIp, targetIp } = asked.value;
    const isOwn = [...this.#interfaces.values()].some((one) => one.has(formatIpv4(targetIp)));
    if (!isOwn || senderIp === targetIp) return;
    const header = { destination: senderMac, source: by.mac, etherType: ETHERTYPE_ARP };
    const answer = { senderMac: by.mac, senderIp: targetIp, targetMac: senderMac };
    const reply = writeArp({ operation: 'reply', ...answer, targetIp: senderIp });
    by.send(writeEthernet(header, reply));
  }

  #giveToSockets(by: HostInterface, { payload }: EthernetFrame): boolean {
    const read = readIpv4(payload);
    if (!read.ok || read.value.protocol !== CARP_PROTOCOL || this.blocks === 'in') return false;
    const { destination } = read.value;
    const text = formatIpv4(destination);
    const isLocal = !isMulticast(destination) && by.has(text);
    let isHeard = false;
    for (const socket of [...this.sockets]) {
      const isThere = socket instanceof HostCarpSocket && socket.ifindex === by.ifindex;
      if (isThere) isHeard = socket.came(payload, text, isLocal) || isHeard;
    }
    return isHeard;
  }

  #tell({ changes, ...news }: NetlinkNews): void {
    const names = changes.map(({ name, ifindex }) => ({ name, ifindex }));
    const told = { ...news, changes: names };
    for (const watch of this.watches) watch.tell(told, this.#isNetlinkLate);
  }

  #find(name: string): HostInterface | undefined {
    for (const one of this.#interfaces.values()) {
      if (one.link.name === name || `if${one.ifindex}` === name) return one;
    }
    return undefined;
  }

  #need(name: string): HostInterface {
    const found = this.#find(name);
    invariant(found !== undefined, `${this.name} has ${name}`);
    return found;
  }
}

/** A station that only talks and answers ARP: a gateway, or a client. */
export function station(name: string, wire: Wire, time: VirtualTime, address: string): FakeHost {
  const host = new FakeHost(name, time);
  host.plug('eth0', wire, address);
  return host;
}

/** The frame with a tag of 802.1Q, as one below another one. */
function withTag(bytes: Uint8Array, id: number): Uint8Array {
  const tag = [ETHERTYPE_VLAN >> 8, ETHERTYPE_VLAN & 0xff, id >> 8, id & 0xff];
  const [macs, rest] = [bytes.subarray(0, MACS_BYTES), bytes.subarray(MACS_BYTES)];
  return Uint8Array.from([...macs, ...tag, ...rest]);
}
