// The interfaces and IPv4 addresses as netlink messages draw them, event by event; a dump puts
// right whatever was missed. No socket in here.
import { isDeepStrictEqual } from 'node:util';
import type { Mac } from '../../base/addresses.ts';
import {
  appendAddress,
  insertAddress,
  isListed,
  withoutAddress,
  type LinkAddress,
} from './address-list.ts';
import type { VlanRange } from './bridge-vlans.ts';
import {
  IFA_F_NOPREFIXROUTE,
  type AddressMessage,
  type LinkMessage,
  type PortMessage,
} from './netlink.ts';

/** An interface as it is now. */
export interface Link {
  readonly ifindex: number;
  readonly name: string;
  /** Other names it goes by (`ip link property add altname`); absent: none. */
  readonly altNames?: readonly string[];
  /** Lower-case hexadecimal with colons; undefined where the address has not six bytes. */
  readonly mac: Mac | undefined;
  /** ARPHRD_*; 1 is Ethernet. */
  readonly type: number;
  /** IFF_UP. */
  readonly administrativelyUp: boolean;
  /** IFF_RUNNING: operational. */
  readonly running: boolean;
  /** IFF_LOWER_UP: carrier. */
  readonly lowerUp: boolean;
  /** RFC 2863 as `ip link` writes it in lower case: "up", "down", "lowerlayerdown" ... */
  readonly operstate: string;
  /** How often the carrier was lost: tells of a loss that was over before anyone looked. */
  readonly carrierDownCount?: number;
  /** The bond or bridge it is a port of. */
  readonly master?: number;
  /** How often it was seen to leave a master, or its bridge to stop forwarding there. */
  readonly leaves?: number;
  /** The interface it stands on, of a VLAN or macvlan; the other end of a veth. */
  readonly link?: number;
  /** The interface that `link` names is in another network namespace; absent: it is in this one. */
  readonly linkElsewhere?: true;
  /** "bond", "vlan", "veth" ...; absent for plain hardware. */
  readonly kind?: string;
  /** IFLA_INFO_DATA, unread; of a bond or VLAN only. */
  readonly data?: Uint8Array;
  /** Of a port of a bridge: whether the bridge forwards there; absent: no port, or not known. */
  readonly forwards?: boolean;
  /** Of a bridge that filters VLANs: the EtherType of its tags; absent: it does not. */
  readonly tagProtocol?: number;
  /**
   * Of a bridge and its ports: the VLANs that it carries there. Absent: not known yet; unread: the
   * kernel was asked, and did not say.
   */
  readonly bridgeVlans?: readonly VlanRange[] | 'unread';
  /** The kind of its master. */
  readonly slaveKind?: string;
  /** IFLA_INFO_SLAVE_DATA, unread; of a port of a bond only. */
  readonly slaveData?: Uint8Array;
  /** IPv4 addresses in the order of the kernel. */
  readonly addresses: readonly LinkAddress[];
}

/** Something about this interface is not as it was, or it goes by this name no more. */
export interface LinkChange {
  readonly name: string;
  readonly ifindex: number;
}

const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const IFF_LOWER_UP = 0x10000;
const IFA_F_SECONDARY = 0x1;
const BR_STATE_FORWARDING = 3;
const OPERSTATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'];

/**
 * Whose attributes are kept. Those of a bridge and of its ports hold timers that run, so that each
 * reading of them would be a change.
 */
const KINDS_WITH_DATA: ReadonlySet<string | undefined> = new Set(['bond', 'vlan']);
const MASTERS_WITH_SLAVE_DATA: ReadonlySet<string | undefined> = new Set(['bond']);

/** The interfaces and addresses of the namespace. Each method returns what it has changed. */
export class LinkTable {
  readonly #links = new Map<number, Link>();
  readonly #indexes = new Map<string, number>();
  /** The interfaces seen since a dump of them began. */
  #seen: Set<number> | undefined;
  /** The addresses of a dump that is under way, with what has happened to them meanwhile. */
  #fresh: Map<number, LinkAddress[]> | undefined;
  #version = 0;

  /** Another number after every change; as long as it is the same, nothing has changed. */
  get version(): number {
    return this.#version;
  }

  /** By its name or an alternative one. */
  find(name: string): Link | undefined {
    const ifindex = this.#indexes.get(name);
    if (ifindex !== undefined) return this.#links.get(ifindex);
    // The kernel sees to it that no name means two interfaces.
    for (const link of this.#links.values()) if (link.altNames?.includes(name)) return link;
    return undefined;
  }

  byIndex(ifindex: number): Link | undefined {
    return this.#links.get(ifindex);
  }

  /** In no particular order; of what is known at each step, if it changes meanwhile. */
  all(): IterableIterator<Link> {
    return this.#links.values();
  }

  /** From now on it is noted which interfaces are told of. */
  beginLinkDump(): void {
    this.#seen = new Set();
  }

  /** Forgets the interfaces that were not told of, if the dump was whole. */
  endLinkDump(whole: boolean): LinkChange[] {
    const seen = this.#seen;
    this.#seen = undefined;
    if (!whole || seen === undefined) return [];
    return [...this.#links.keys()].flatMap((ifindex) =>
      seen.has(ifindex) ? [] : this.removeLink(ifindex),
    );
  }

  /** From now on addresses are gathered beside those that are known. */
  beginAddressDump(): void {
    this.#fresh = new Map();
  }

  /** Puts what was gathered in the place of what was known, if the dump was whole. */
  endAddressDump(whole: boolean): LinkChange[] {
    const fresh = this.#fresh;
    this.#fresh = undefined;
    if (!whole || fresh === undefined) return [];
    return [...this.#links.values()].flatMap((link) =>
      this.#replace({ ...link, addresses: fresh.get(link.ifindex) ?? [] }),
    );
  }

  setLink(message: LinkMessage): LinkChange[] {
    this.#seen?.add(message.ifindex);
    const before = this.#links.get(message.ifindex);
    const name = message.name ?? before?.name;
    // A message of flags about an interface never heard of: the dump will tell.
    if (name === undefined || (before === undefined && message.operstate === undefined)) return [];
    const link = describe(message, name, before);
    return this.#replace(link);
  }

  /** What a bridge says of a port that is known, or of itself; `dumped`: with all its VLANs. */
  setPort(message: PortMessage, dumped: boolean): LinkChange[] {
    const { ifindex, flags, portState, isOther } = message;
    const before = this.#links.get(ifindex);
    if (before === undefined || isOther) return [];
    if (before.slaveKind !== 'bridge' && before.kind !== 'bridge') return [];
    const bridgeVlans = message.vlans ?? (dumped ? [] : before.bridgeVlans);
    const vlans = bridgeVlans === undefined ? {} : { bridgeVlans };
    const now = { ...before, ...flagsOf(flags), ...forwarding(portState), ...vlans };
    return this.#replace({ ...now, ...countLeaves(before, now) });
  }

  /** The kernel was asked for all tables of VLANs, and has said what it will. */
  endVlanDump(): LinkChange[] {
    const unknown = [...this.#links.values()].filter(
      ({ ifindex, bridgeVlans }) => bridgeVlans === undefined && this.filtersVlans(ifindex),
    );
    return unknown.flatMap((link) => this.#replace({ ...link, bridgeVlans: 'unread' }));
  }

  /** Whether it is a bridge that filters VLANs, or a port of one. */
  filtersVlans(ifindex: number): boolean {
    const link = this.#links.get(ifindex);
    const bridge = link?.kind === 'bridge' ? link : this.#links.get(link?.master ?? -1);
    return bridge?.tagProtocol !== undefined;
  }

  removeLink(ifindex: number): LinkChange[] {
    const link = this.#links.get(ifindex);
    if (link === undefined) return [];
    this.#links.delete(ifindex);
    this.#version += 1;
    if (this.#indexes.get(link.name) === ifindex) this.#indexes.delete(link.name);
    return [{ name: link.name, ifindex }];
  }

  /** `dumped`: it comes from the dump, where the order is the kernel's. */
  setAddress(message: AddressMessage, dumped: boolean): LinkChange[] {
    const entry = addressOf(message);
    if (this.#fresh !== undefined) {
      const known = this.#fresh.get(message.ifindex) ?? [];
      const listed = dumped ? appendAddress : insertAddress;
      this.#fresh.set(message.ifindex, listed(known, entry));
    }
    const link = this.#links.get(message.ifindex);
    if (link === undefined) return [];
    if (isListed(link.addresses, entry)) return [];
    return this.#setAddresses(link, insertAddress(link.addresses, entry));
  }

  removeAddress(message: AddressMessage): LinkChange[] {
    const entry = addressOf(message);
    const remaining = (list: readonly LinkAddress[]): LinkAddress[] => withoutAddress(list, entry);
    const fresh = this.#fresh?.get(message.ifindex);
    if (fresh !== undefined) this.#fresh?.set(message.ifindex, remaining(fresh));
    const link = this.#links.get(message.ifindex);
    if (link === undefined) return [];
    const addresses = remaining(link.addresses);
    return addresses.length === link.addresses.length ? [] : this.#setAddresses(link, addresses);
  }

  /** For addresses that are known to differ: to compare all of them at each event takes long. */
  #setAddresses(link: Link, addresses: readonly LinkAddress[]): LinkChange[] {
    this.#links.set(link.ifindex, { ...link, addresses });
    this.#version += 1;
    return [{ name: link.name, ifindex: link.ifindex }];
  }

  #replace(link: Link): LinkChange[] {
    const { name, ifindex } = link;
    const before = this.#links.get(ifindex);
    if (isDeepStrictEqual(before, link)) return [];
    this.#links.set(ifindex, link);
    this.#indexes.set(name, ifindex);
    this.#version += 1;
    if (before === undefined || before.name === name) return [{ name, ifindex }];
    if (this.#indexes.get(before.name) === ifindex) this.#indexes.delete(before.name);
    return [
      { name: before.name, ifindex },
      { name, ifindex },
    ];
  }
}

function describe(message: LinkMessage, name: string, before: Link | undefined): Link {
  const { ifindex, type, flags } = message;
  const flagged = flagsOf(flags);
  // A wireless event: it has the flags and the name, and nothing is meant by what it leaves out.
  if (message.operstate === undefined && before !== undefined) {
    return { ...before, ...flagged, name };
  }
  const { mac, master, link, kind, slaveKind, portState, tagProtocol, carrierDownCount } = message;
  const data = KINDS_WITH_DATA.has(kind) ? message.data : undefined;
  const slaveData = MASTERS_WITH_SLAVE_DATA.has(slaveKind) ? message.slaveData : undefined;
  const port = { ...(master === undefined ? {} : { master }), ...forwarding(portState) };
  return {
    ifindex,
    name,
    mac,
    type,
    ...flagged,
    operstate: OPERSTATES[message.operstate ?? 0] ?? 'unknown',
    ...(message.altNames.length === 0 ? {} : { altNames: message.altNames }),
    ...(carrierDownCount === undefined ? {} : { carrierDownCount }),
    ...port,
    ...countLeaves(before, port),
    ...(link === undefined ? {} : { link }),
    ...(message.linkElsewhere ? { linkElsewhere: true } : {}),
    ...(kind === undefined ? {} : { kind }),
    // Copies: the message is a view of a whole datagram.
    ...(data === undefined ? {} : { data: Uint8Array.from(data) }),
    ...(slaveKind === undefined ? {} : { slaveKind }),
    ...(tagProtocol === undefined ? {} : { tagProtocol }),
    ...keptVlans(message, before),
    ...(slaveData === undefined ? {} : { slaveData: Uint8Array.from(slaveData) }),
    addresses: before?.addresses ?? [],
  };
}

function flagsOf(flags: number): Pick<Link, 'administrativelyUp' | 'running' | 'lowerUp'> {
  return {
    administrativelyUp: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    lowerUp: (flags & IFF_LOWER_UP) !== 0,
  };
}

/**
 * Several changes may be told of before anybody looks, and the last be as the first: who has left
 * and come back is no more the same port than one whose carrier was lost for a moment.
 */
function countLeaves(
  before: Link | undefined,
  now: Pick<Link, 'master' | 'forwards'>,
): Pick<Link, 'leaves'> {
  const left = before?.master !== undefined && before.master !== now.master;
  const stopped = before?.forwards === true && now.forwards === false;
  const leaves = (before?.leaves ?? 0) + (left || stopped ? 1 : 0);
  return leaves === 0 ? {} : { leaves };
}

/** Messages of the bridge alone tell of them; those of a port go when it leaves. */
function keptVlans(message: LinkMessage, before: Link | undefined): Pick<Link, 'bridgeVlans'> {
  const stays = message.kind === 'bridge' || message.slaveKind === 'bridge';
  const isSame = before?.master === message.master && before?.bridgeVlans !== undefined;
  return stays && isSame ? { bridgeVlans: before.bridgeVlans } : {};
}

/** A message that says nothing of it leaves it as it was. */
function forwarding(portState: number | undefined): Pick<Link, 'forwards'> {
  return portState === undefined ? {} : { forwards: portState === BR_STATE_FORWARDING };
}

function addressOf(message: AddressMessage): LinkAddress {
  const { address, prefixLength, scope, flags, label, peer, validS } = message;
  const secondary = (flags & IFA_F_SECONDARY) !== 0;
  const isSpecial = validS !== undefined || (flags & IFA_F_NOPREFIXROUTE) !== 0;
  return {
    ...{ address, prefixLength, secondary, scope },
    ...(label === undefined ? {} : { label }),
    ...(peer === address ? {} : { peer }),
    ...(isSpecial ? { special: true } : {}),
  };
}
