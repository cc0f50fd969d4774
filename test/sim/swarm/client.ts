// A client of a segment that keeps what it was last told by ARP, for as long as the world lasts: it
// finds an address only where that was announced.
import { invariant } from '../../../src/base/assert.ts';
import { formatIpv4, parseMac, type Mac } from '../../../src/base/addresses.ts';
import { isGratuitous, readArp } from '../../../src/carp/arp.ts';
import { ETHERTYPE_ARP } from '../../../src/base/ethertypes.ts';
import { readEthernet } from '../../../src/carp/ethernet.ts';

/** Who claims addresses that are not its own. */
export const STRANGER = macOf('02:ff:00:00:00:99');
const TYPE_AT = 12;

/** What one station has learned from gratuitous ARP. */
export class Client {
  readonly #mac: Mac;
  readonly #known = new Map<string, Mac>();

  constructor(mac: Mac) {
    this.#mac = mac;
  }

  /**
   * A frame comes in at the station with this address. `believes`: strangers as well. `isLossy`: it
   * may be that nobody else heard of it, and so that nobody ever answers.
   */
  came(
    to: Mac,
    frame: Uint8Array,
    { believes, isLossy }: { readonly believes: boolean; readonly isLossy: boolean },
  ): void {
    if (to !== this.#mac || frame[TYPE_AT] !== ETHERTYPE_ARP >> 8) return;
    if (frame[TYPE_AT + 1] !== (ETHERTYPE_ARP & 0xff)) return;
    const read = readEthernet(frame);
    const arp = read.ok ? readArp(read.value.payload) : read;
    if (!arp.ok || !isGratuitous(arp.value)) return;
    if (arp.value.senderMac === STRANGER && !believes) return;
    const address = formatIpv4(arp.value.senderIp);
    if (isLossy) this.#known.delete(address);
    else this.#known.set(address, arp.value.senderMac);
  }

  /** Where it looks for this address; undefined: it would ask. */
  macOf(address: string): Mac | undefined {
    return this.#known.get(address);
  }
}

function macOf(text: string): Mac {
  const mac = parseMac(text);
  invariant(mac !== undefined, 'a MAC address');
  return mac;
}
