// One interface and what all instances on it share: its sockets, its adverts, its addresses.
import { CarpdError, messageOf } from '../base/errors.ts';
import { fromSeconds, type Micros } from '../base/time.ts';
import { acceptPacket, type Group } from '../carp/accept.ts';
import type { Advert } from '../carp/advert.ts';
import {
  BROADCAST_MAC,
  formatIpv4,
  isMulticast,
  multicastMac,
  parseIpv4,
  parseMac,
  type Ipv4,
  type Mac,
} from '../carp/addresses.ts';
import { ETHERTYPE_IPV4, writeEthernet } from '../carp/ethernet.ts';
import { openCarpSocket, type CarpSocket } from '../linux/carp-socket.ts';
import type { Link, LinkWatch } from '../linux/link-watch.ts';
import { SocketError } from '../linux/socket-error.ts';
import { openPacketSocket, type PacketSocket } from '../linux/packet-socket.ts';
import type { AddressView, ObservedAddress } from '../vip/ports.ts';
import { DropLog } from './drop-log.ts';
import type { Driver } from './driver.ts';
import type { Logger } from './log.ts';
import { RateLimit } from './rate-limit.ts';

/** An instance as its interface sees it. */
export interface HubMember extends Group {
  readonly name: string;
  /** The source its adverts bear now, once it has one. */
  readonly source: Ipv4 | undefined;
  readonly isMaster: boolean;
  advertHeard(from: Ipv4, advert: Advert): void;
  /** The interface changed, or its sockets were opened; `usable` is false while there are none. */
  linkChanged(link: Link | undefined, usable: boolean): void;
}

export interface HubOptions {
  readonly interfaceName: string;
  readonly driver: Driver;
  readonly links: LinkWatch;
  readonly log: Logger;
  readonly now: () => Micros;
}

/** The sockets of one incarnation of an interface. */
interface Sockets {
  readonly ifindex: number;
  readonly carp: CarpSocket;
  readonly packet: PacketSocket;
  /** The groups whose adverts come in. */
  readonly joined: Set<Ipv4>;
}

const REOPEN_DELAY_MS = 5_000;
const REPEAT_PERIOD = fromSeconds(60);

/** Keeps the sockets of one interface open as long as there is such an interface. */
export class InterfaceHub {
  readonly #options: HubOptions;
  readonly #members = new Set<HubMember>();
  readonly #drops: DropLog;
  readonly #repeats = new RateLimit(REPEAT_PERIOD, 16);
  readonly #addressListeners = new Set<() => void>();
  #sockets: Sockets | undefined;
  #opening: Promise<void> | undefined;
  #reopenTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#drops = new DropLog(options.interfaceName, options.log, options.now);
  }

  get interfaceName(): string {
    return this.#options.interfaceName;
  }

  get memberCount(): number {
    return this.#members.size;
  }

  /** The addresses of this interface, for the reconcilers. */
  readonly addresses: AddressView = {
    observe: () => this.#observe(),
    onChanged: (listener) => {
      this.#addressListeners.add(listener);
      return () => this.#addressListeners.delete(listener);
    },
  };

  /** The card's own MAC address; throws where there is no card, or none with a MAC. */
  mac(): Mac {
    const text = this.link()?.mac;
    const mac = text === undefined ? undefined : parseMac(text);
    if (mac !== undefined) return mac;
    throw new CarpdError('CARPD_INTERFACE', `send on ${this.interfaceName}`, 'it has no MAC');
  }

  async add(member: HubMember): Promise<void> {
    this.#members.add(member);
    if (this.#sockets === undefined) await this.#openSockets();
    else this.#joinAll(this.#sockets);
    // All of them: another may have come while the sockets were being opened for the first.
    this.#tellMembers();
  }

  remove(member: HubMember): void {
    this.#members.delete(member);
    const inUse = [...this.#members].some(({ group }) => group === member.group);
    if (inUse || this.#sockets?.joined.delete(member.group) !== true) return;
    if (isMulticast(member.group)) this.#sockets.carp.leave(formatIpv4(member.group));
  }

  /** Something about this interface changed; sockets of an interface that is gone are closed. */
  async refresh(): Promise<void> {
    const ifindex = this.link()?.ifindex;
    if (this.#sockets !== undefined && this.#sockets.ifindex !== ifindex) this.#closeSockets();
    if (this.#sockets === undefined) await this.#openSockets();
    else this.#joinAll(this.#sockets);
    this.#tellMembers();
    for (const listener of this.#addressListeners) listener();
  }

  /**
   * Sends one advertisement packet to `group`. Where the firewall refuses it the packet socket,
   * which lies below the firewall, takes it: a silent master is worse than a rule that is bypassed.
   */
  async sendAdvert(packet: Uint8Array, group: Ipv4, broadcast: boolean): Promise<void> {
    const sockets = this.#sockets;
    if (sockets === undefined) {
      throw new CarpdError('CARPD_SOCKET', `send on ${this.interfaceName}`, 'no socket is open');
    }
    // The kernel maps the group to its multicast MAC; a broadcast frame must be written by hand.
    if (broadcast) {
      this.#sendFrame(sockets, packet, BROADCAST_MAC);
      return;
    }
    try {
      await sockets.carp.send(packet, formatIpv4(group));
    } catch (error) {
      if (!(error instanceof SocketError) || error.errno !== 'EPERM') throw error;
      this.#sendFrame(sockets, packet, multicastMac(group));
      this.#warnOfFirewall();
    }
  }

  /** Sends a whole Ethernet frame, or throws. */
  sendFrame(frame: Uint8Array): void {
    if (this.#sockets === undefined) {
      throw new CarpdError('CARPD_SOCKET', `send on ${this.interfaceName}`, 'no socket is open');
    }
    this.#sockets.packet.send(frame);
  }

  /** Reads what is queued in the sockets. */
  async drain(): Promise<void> {
    await this.#sockets?.carp.drain();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#reopenTimer);
    this.#closeSockets();
  }

  /** The interface as it is now. */
  link(): Link | undefined {
    return this.#options.links.find(this.interfaceName);
  }

  #observe(): readonly ObservedAddress[] {
    return (this.link()?.addresses ?? []).flatMap((entry) => {
      const address = parseIpv4(entry.address);
      if (address === undefined) return [];
      const { prefixLength } = entry;
      return [{ interfaceName: this.interfaceName, address, prefixLength }];
    });
  }

  #tellMembers(): void {
    for (const member of this.#members) {
      const hears = this.#sockets?.joined.has(member.group) ?? false;
      member.linkChanged(this.link(), hears);
    }
  }

  /** Opens sockets on the interface as it is now; who comes meanwhile waits for the same ones. */
  #openSockets(): Promise<void> {
    this.#opening ??= this.#openOnLink().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openOnLink(): Promise<void> {
    for (;;) {
      const ifindex = this.link()?.ifindex;
      if (ifindex === undefined || this.#closed || this.#members.size === 0) return;
      clearTimeout(this.#reopenTimer);
      try {
        await this.#open(ifindex);
      } catch (error) {
        this.#socketFailed(error);
        return;
      }
      // The interface may have been replaced while its sockets were being opened.
      if (this.link()?.ifindex === ifindex && !this.#isClosed()) return;
      this.#closeSockets();
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  async #open(ifindex: number): Promise<void> {
    const { interfaceName, driver } = this.#options;
    const carp = await openCarpSocket({
      interfaceName,
      ifindex,
      onPacket: (packet) => driver.post(() => this.#packetArrived(packet), 'droppable'),
      onError: (error) => driver.post(() => this.#failed(ifindex, error)),
    });
    try {
      const packet = openPacketSocket({ ifindex });
      this.#sockets = { ifindex, carp, packet, joined: new Set() };
    } catch (error) {
      carp.close();
      throw error;
    }
    this.#joinAll(this.#sockets);
  }

  /** Joins the groups of all members; one that can't be joined holds off its own members only. */
  #joinAll({ carp, joined }: Sockets): void {
    for (const { group } of this.#members) {
      if (joined.has(group)) continue;
      try {
        // Adverts to a unicast or broadcast address need no membership.
        if (isMulticast(group)) carp.join(formatIpv4(group));
        joined.add(group);
      } catch (error) {
        this.#socketFailed(error);
      }
    }
  }

  #failed(ifindex: number, error: unknown): void {
    // A late error of sockets that were replaced meanwhile concerns nobody.
    if (this.#closed || this.#sockets?.ifindex !== ifindex) return;
    this.#closeSockets();
    this.#socketFailed(error);
    this.#tellMembers();
  }

  #socketFailed(error: unknown): void {
    const text = `${messageOf(error)}; trying again in ${REOPEN_DELAY_MS / 1_000} s`;
    const allowed = this.#repeats.allow(`socket ${messageOf(error)}`, this.#options.now());
    if (allowed !== undefined) {
      this.#options.log.error('socket-failed', text, { interface: this.interfaceName });
    }
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(() => {
      this.#options.driver.post(() => void this.refresh());
    }, REOPEN_DELAY_MS);
  }

  #closeSockets(): void {
    this.#sockets?.carp.close();
    this.#sockets?.packet.close();
    this.#sockets = undefined;
  }

  #packetArrived(packet: Uint8Array): void {
    const sources = [...this.#members].flatMap(({ source }) =>
      source === undefined ? [] : [source],
    );
    const accepted = acceptPacket(packet, {
      ownSources: new Set(sources),
      members: (vhid) => [...this.#members].filter(({ key }) => key.vhid === vhid),
    });
    if (accepted.ok) {
      const { member, from, advert } = accepted.value;
      member.advertHeard(from, advert);
      return;
    }
    const { vhid } = accepted.reason;
    const masters = [...this.#members].filter(({ key, isMaster }) => isMaster && key.vhid === vhid);
    this.#drops.record(accepted.reason, masters.length > 0);
  }

  #sendFrame(sockets: Sockets, packet: Uint8Array, destination: Mac): void {
    const source = this.mac();
    sockets.packet.send(writeEthernet({ destination, source, etherType: ETHERTYPE_IPV4 }, packet));
  }

  #warnOfFirewall(): void {
    if (this.#repeats.allow('firewall', this.#options.now()) === undefined) return;
    this.#options.log.warn(
      'send-blocked',
      `the firewall of this host refuses adverts on ${this.interfaceName}; they leave through a ` +
        'packet socket instead. Allow outgoing IP protocol 112, and incoming as well',
      { interface: this.interfaceName },
    );
  }
}
