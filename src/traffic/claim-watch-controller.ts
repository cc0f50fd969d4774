// The watch for claims of others on one interface: open while an instance on it is master, and
// closed otherwise, which costs nothing. Claims that come in numbers are reported together.
import { messageOf } from '../base/errors.ts';
import type { Ipv4, Mac } from '../base/addresses.ts';
import { readArp } from '../carp/arp.ts';
import { readClaim, type ClaimForm, type ForeignClaim } from '../carp/claim.ts';
import { readEthernet } from '../carp/ethernet.ts';
import type { ClaimWatch } from '../linux/sockets/claim-watch.ts';
import type { Ports } from '../ports/ports.ts';

export interface ClaimWatchControllerOptions extends Pick<Ports, 'openClaimWatch'> {
  /** The index of the interface now; undefined: there is none. */
  readonly ifindex: () => number | undefined;
  /** Of this host, on whatever interface: what they say is not foreign. */
  readonly isOwnMac: (mac: Mac) => boolean;
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
  readonly onClaim: (address: Ipv4, claim: ForeignClaim) => void;
  /** It could not be opened, or reading failed. */
  readonly onError: (reason: string) => void;
}

interface Open {
  readonly ifindex: number;
  readonly watch: ClaimWatch;
  readonly addresses: string;
}

interface Waiting {
  readonly address: Ipv4;
  readonly form: ClaimForm;
  readonly mac: Mac;
  frames: number;
}

/** Hosts that are distinguished between two turns of the loop: a flood may bear thousands. */
const WAITING_MAX = 256;

/** Opens and closes the watch for foreign claims on one interface. */
export class ClaimWatchController {
  readonly #options: ClaimWatchControllerOptions;
  #open: Open | undefined;
  #waiting = new Map<string, Waiting>();

  constructor(options: ClaimWatchControllerOptions) {
    this.#options = options;
  }

  /** Watches for claims of these addresses, or for none; what failed is tried at the next call. */
  want(addresses: ReadonlySet<Ipv4>): void {
    const ifindex = this.#options.ifindex();
    if (addresses.size === 0 || ifindex === undefined) return this.close();
    const key = [...addresses].sort((a, b) => a - b).join();
    const open = this.#open?.ifindex === ifindex ? this.#open : undefined;
    if (open?.addresses === key) return;
    try {
      open?.watch.setAddresses(addresses);
      const watch = open?.watch ?? this.#reopen(ifindex, addresses);
      this.#open = { ifindex, watch, addresses: key };
    } catch (error) {
      this.close();
      this.#options.onError(messageOf(error));
    }
  }

  close(): void {
    this.#open?.watch.close();
    this.#open = undefined;
  }

  #reopen(ifindex: number, addresses: ReadonlySet<Ipv4>): ClaimWatch {
    this.close();
    return this.#options.openClaimWatch({
      ifindex,
      addresses,
      onFrame: (bytes) => {
        const frame = readEthernet(bytes);
        const arp = frame.ok ? readArp(frame.value.payload) : frame;
        const claim = arp.ok ? readClaim(arp.value) : undefined;
        if (arp.ok && claim !== undefined) {
          this.#take({ ...claim, mac: arp.value.senderMac, frames: 1 });
        }
      },
      onError: (error) => this.#options.onError(messageOf(error)),
    });
  }

  #take(claim: Waiting): void {
    if (this.#waiting.size === 0) this.#options.post(() => this.#report());
    const { address, form, mac } = claim;
    const key = `${address} ${form} ${mac}`;
    const known = this.#waiting.get(key) ?? this.#likeWhereFull(claim);
    if (known === undefined) this.#waiting.set(key, claim);
    else known.frames += 1;
  }

  /** Where there is no more room, one that stands for the claim: of the same address and form. */
  #likeWhereFull({ address, form }: Waiting): Waiting | undefined {
    if (this.#waiting.size < WAITING_MAX) return undefined;
    for (const one of this.#waiting.values()) {
      if (one.address === address && one.form === form) return one;
    }
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined) this.#waiting.delete(oldest);
    return undefined;
  }

  #report(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const { address, form, mac, frames } of waiting.values()) {
      if (!this.#options.isOwnMac(mac)) this.#options.onClaim(address, { form, mac, frames });
    }
  }
}
