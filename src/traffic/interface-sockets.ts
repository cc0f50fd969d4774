// The sockets of one interface, shared by all instances on it: opened when it appears, closed when
// it is gone, and opened again when they fail.
import { CarpdError, messageOf } from '../base/errors.ts';
import { formatIpv4, isMulticast, type Ipv4, type Mac } from '../base/addresses.ts';
import type { CarpSocket } from '../linux/sockets/carp-socket.ts';
import type { Link } from '../linux/links/link-watch.ts';
import type { PacketSocket } from '../linux/sockets/packet-socket.ts';
import type { Ports } from '../ports/ports.ts';
import { AdvertWay } from './advert-way.ts';
import type { LinkEvents } from '../events/publish/link-events.ts';

export interface InterfaceSocketsOptions extends Pick<
  Ports,
  'startTimer' | 'openCarpSocket' | 'openPacketSocket'
> {
  readonly interfaceName: string;
  readonly linkEvents: LinkEvents;
  /** The interface as it is now. */
  readonly link: () => Link | undefined;
  /** Where adverts go that are wanted now. */
  readonly destinations: () => Iterable<Ipv4>;
  /** A packet of protocol 112; called from within the socket. */
  readonly onPacket: (packet: Uint8Array) => void;
  /** The sockets failed or may be opened again: call `ensure` from the loop. */
  readonly onTrouble: () => void;
}

/** The sockets of one incarnation of an interface. */
interface Sockets {
  readonly ifindex: number;
  readonly carp: CarpSocket;
  readonly packet: PacketSocket;
  readonly way: AdvertWay;
  /** Adverts to these addresses come in. */
  readonly joined: Set<Ipv4>;
}

const REOPEN_DELAY_MS = 5_000;
/**
 * After so long open sockets that break again are opened: at once the first time, then later and
 * later, since else nothing would be done but to open them. A node without sockets is deaf and
 * silent, so that no pause is longer than the patience of its peers.
 */
const BROKEN_DELAYS_MS = [0, 100, 400] as const;
const BROKEN_DELAY_MS_MAX = 1_000;
/** Open sockets that break within this time of each other break again. */
const CALM_MS = 10_000;

/** Opens, closes and reopens the sockets of one interface. */
export class InterfaceSockets {
  readonly #options: InterfaceSocketsOptions;
  #sockets: Sockets | undefined;
  #opening: Promise<void> | undefined;
  #cancelReopening: () => void = () => undefined;
  /** How often open sockets have broken, each time not long after the last one. */
  #broken = 0;
  #cancelCalm: () => void = () => undefined;
  #closed = false;

  constructor(options: InterfaceSocketsOptions) {
    this.#options = options;
  }

  /** Whether adverts to this address come in, and adverts can be sent. */
  hears(destination: Ipv4): boolean {
    return this.#sockets?.joined.has(destination) ?? false;
  }

  /** Brings the sockets to what the interface and its instances need now. Never rejects. */
  async ensure(): Promise<void> {
    if (this.#sockets !== undefined && this.#sockets.ifindex !== this.#options.link()?.ifindex) {
      this.#closeSockets();
    }
    if (this.#sockets === undefined) await this.#openSockets();
    else this.#joinAll(this.#sockets);
  }

  /** Nobody wants adverts to this address any more. */
  leave(destination: Ipv4): void {
    if (this.#sockets?.joined.delete(destination) !== true) return;
    if (isMulticast(destination)) this.#sockets.carp.leave(formatIpv4(destination));
  }

  /** Leaves and joins all multicast groups, so that snooping switches hear of them again. */
  rejoin(): void {
    const sockets = this.#sockets;
    // Those of an interface that was replaced are opened anew, and join then.
    if (sockets === undefined || sockets.ifindex !== this.#options.link()?.ifindex) return;
    for (const destination of [...sockets.joined]) this.leave(destination);
    this.#joinAll(sockets);
  }

  /** The card's own MAC address; throws where there is no card, or none with a MAC. */
  mac(): Mac {
    const mac = this.#options.link()?.mac;
    if (mac !== undefined) return mac;
    throw this.#unusable('it has no MAC');
  }

  /** Sends one advertisement packet to `destination`; see AdvertWay. */
  async sendAdvert(packet: Uint8Array, destination: Ipv4, broadcast: boolean): Promise<void> {
    if (this.#sockets === undefined) throw this.#unusable('no socket is open');
    await this.#sockets.way.send(packet, destination, broadcast);
  }

  /** Sends a whole Ethernet frame, or throws. */
  sendFrame(frame: Uint8Array): void {
    if (this.#sockets === undefined) throw this.#unusable('no socket is open');
    this.#sockets.packet.send(frame);
  }

  /** Reads the packets that wait in the CARP socket; false if a bound left some there. */
  drain(): boolean {
    return this.#sockets?.carp.drain() ?? true;
  }

  /** How many packets the kernel has dropped in front of the CARP socket, if it says so. */
  get lost(): number | undefined {
    return this.#sockets?.carp.lost;
  }

  close(): void {
    this.#closed = true;
    this.#cancelReopening();
    this.#cancelCalm();
    this.#closeSockets();
  }

  /** Opens sockets on the interface as it is now; who comes meanwhile waits for the same ones. */
  #openSockets(): Promise<void> {
    this.#opening ??= this.#openOnLink().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openOnLink(): Promise<void> {
    const { link, destinations } = this.#options;
    for (;;) {
      const ifindex = link()?.ifindex;
      if (ifindex === undefined || this.#closed || [...destinations()].length === 0) return;
      this.#cancelReopening();
      try {
        await this.#open(ifindex);
      } catch (error) {
        this.#failed(error);
        return;
      }
      // The interface may have been replaced while its sockets were being opened.
      if (link()?.ifindex === ifindex && !this.#isClosed()) return;
      this.#closeSockets();
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  async #open(ifindex: number): Promise<void> {
    const carp = await this.#openCarp(ifindex);
    // Nobody would ever close what is opened now.
    if (this.#closed) {
      carp.close();
      return;
    }
    try {
      const packet = this.#options.openPacketSocket({ ifindex });
      this.#sockets = { ifindex, carp, packet, way: this.#wayOf(carp, packet), joined: new Set() };
    } catch (error) {
      carp.close();
      throw error;
    }
    this.#joinAll(this.#sockets);
  }

  /** Rejects where the socket fails already while it is being opened. */
  async #openCarp(ifindex: number): Promise<CarpSocket> {
    const { openCarpSocket, onPacket } = this.#options;
    // A socket is bound by name, and stays bound whatever the interface is called later.
    const interfaceName = this.#options.link()?.name ?? this.#options.interfaceName;
    const state: { opened?: CarpSocket; fault?: CarpdError } = {};
    const carp = await openCarpSocket({
      interfaceName,
      ifindex,
      onPacket,
      onError: (error) => {
        if (state.opened === undefined) state.fault ??= error;
        else this.#receiveFailed(state.opened, error);
      },
    });
    if (state.fault !== undefined) {
      carp.close();
      throw state.fault;
    }
    state.opened = carp;
    return carp;
  }

  /** A late error of sockets that were replaced meanwhile concerns nobody. */
  #receiveFailed(carp: CarpSocket, error: CarpdError): void {
    if (this.#closed || this.#sockets?.carp !== carp) return;
    this.#closeSockets();
    const delayMs = BROKEN_DELAYS_MS[this.#broken] ?? BROKEN_DELAY_MS_MAX;
    this.#broken += 1;
    this.#failed(error, delayMs);
    this.#cancelCalm();
    this.#cancelCalm = this.#options.startTimer(CALM_MS, () => {
      this.#broken = 0;
    });
  }

  /** Joins what is not joined; what can't be joined holds off its own instances only. */
  #joinAll({ carp, joined }: Sockets): void {
    for (const destination of this.#options.destinations()) {
      if (joined.has(destination)) continue;
      try {
        // Adverts to a unicast or broadcast address need no membership.
        if (isMulticast(destination)) carp.join(formatIpv4(destination));
        joined.add(destination);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown, delayMs = REOPEN_DELAY_MS): void {
    if (this.#closed) return;
    const { linkEvents, startTimer, onTrouble } = this.#options;
    linkEvents.socketFailed(messageOf(error), delayMs);
    this.#cancelReopening();
    this.#cancelReopening = startTimer(delayMs, onTrouble);
  }

  #closeSockets(): void {
    this.#sockets?.carp.close();
    this.#sockets?.packet.close();
    this.#sockets = undefined;
  }

  #wayOf(carp: CarpSocket, packet: PacketSocket): AdvertWay {
    const onBlocked = (): void => this.#options.linkEvents.sendBlocked();
    return new AdvertWay({ carp, packet, mac: () => this.mac(), onBlocked });
  }

  #unusable(why: string): CarpdError {
    return new CarpdError('CARPD_SOCKET', `send on ${this.#options.interfaceName}`, why);
  }
}
