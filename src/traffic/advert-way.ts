// The way of an advert out of the host: as a whole frame through the packet socket, as the stock
// ucarp sends it. Neither a full neighbour table nor a rule of the firewall or of address
// translation stops or changes it there. The raw socket, which lies above all those, is the
// fallback, and tells now and then whether the firewall would let adverts out.
import {
  BROADCAST_MAC,
  formatIpv4,
  isMulticast,
  multicastMac,
  type Ipv4,
  type Mac,
} from '../base/addresses.ts';
import { ETHERTYPE_IPV4 } from '../base/ethertypes.ts';
import { writeEthernet } from '../carp/ethernet.ts';
import type { CarpSocket } from '../linux/sockets/carp-socket.ts';
import type { PacketSocket } from '../linux/sockets/packet-socket.ts';
import { SocketError } from '../linux/sockets/socket-error.ts';

export interface AdvertWayOptions {
  readonly carp: Pick<CarpSocket, 'send'>;
  readonly packet: Pick<PacketSocket, 'send'>;
  /** The card's own MAC address; throws where there is none. */
  readonly mac: () => Mac;
  /** The firewall would refuse an advert that goes through the raw socket. */
  readonly onBlocked: () => void;
}

/** Behind the second advert the firewall is asked, and then behind one in so many. */
const ASK_EVERY = 60;
const FIRST_ASKED = 2;
const TTL_AT = 8;
const IPV4_HEADER_BYTES = 20;

/** Sends the adverts of all instances on one interface. */
export class AdvertWay {
  readonly #options: AdvertWayOptions;
  #count = 0;

  constructor(options: AdvertWayOptions) {
    this.#options = options;
  }

  /** Sends one packet, once; rejects with a CarpdError where it can leave neither way. */
  async send(packet: Uint8Array, destination: Ipv4, broadcast: boolean): Promise<void> {
    const { carp } = this.#options;
    const station = broadcast ? BROADCAST_MAC : multicastMac(destination);
    // The kernel lets no raw socket send to everybody, and only the kernel knows a host's MAC.
    if (broadcast) return void this.#sendFrame(packet, station);
    if (!isMulticast(destination)) return carp.send(packet, formatIpv4(destination));
    try {
      this.#sendFrame(packet, station);
    } catch (error) {
      // What the raw socket says of the same trouble is no news.
      await carp.send(packet, formatIpv4(destination)).catch(() => {
        throw error;
      });
    }
    this.#count += 1;
    if (this.#count % ASK_EVERY === FIRST_ASKED) void this.#askFirewall(packet, destination);
  }

  /**
   * With a TTL of 0 the kernel takes the packet through the rules for what goes out and no further
   * (ip_mc_output), since this host has joined the multicast group itself. It has no advert in
   * it: a rule may set another TTL.
   */
  async #askFirewall(packet: Uint8Array, destination: Ipv4): Promise<void> {
    const question = Uint8Array.from(packet).fill(0, IPV4_HEADER_BYTES);
    question[TTL_AT] = 0;
    try {
      await this.#options.carp.send(question, formatIpv4(destination));
    } catch (error) {
      if (error instanceof SocketError && error.errno === 'EPERM') this.#options.onBlocked();
    }
  }

  #sendFrame(packet: Uint8Array, destination: Mac): void {
    const { packet: socket, mac } = this.#options;
    socket.send(writeEthernet({ destination, source: mac(), etherType: ETHERTYPE_IPV4 }, packet));
  }
}
