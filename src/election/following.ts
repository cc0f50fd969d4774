// Whom a node follows: the master that it heard last, and whose farewell speaks for that master.
import { micros, type Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';
import { isBowOut } from '../carp/advert.ts';
import type { HeardAdvert } from './inputs.ts';
import type { HeardMaster } from './snapshot.ts';

/**
 * A bow-out from an address that never advertised is the followed master's if its counter goes on
 * from the last one heard; that many adverts between the two may have been lost, less one.
 */
const COUNTER_AHEAD_MAX = 4n;
const COUNTER_BITS = 64;
/** So many senders are known to have advertised; those that were heard last. */
const SENDERS_MAX = 32;

/** The master that one node follows. */
export class Following {
  #master: HeardMaster | undefined;
  #aloneSince = micros(0);
  /** Of the master's last advert. */
  #counter = 0n;
  readonly #advertised = new Set<Ipv4>();

  /** Undefined: none was heard, or it has said that it leaves. */
  get master(): HeardMaster | undefined {
    return this.#master;
  }

  /** Since when no other master than the one that is followed was heard. */
  get aloneSince(): Micros {
    return this.#aloneSince;
  }

  /**
   * Whether the advert is of the master last heard, or none was. A bow-out may come from another
   * address of that master, since its address can be exchanged between two adverts: it counts where
   * its counter, which only a holder of the passphrase can sign, is one of the next few, and its
   * sender was never heard advertising. So neither the bow-out of a third node nor an advert that
   * is sent again counts.
   */
  isOfMaster(from: Ipv4, advert: HeardAdvert): boolean {
    const master = this.#master;
    if (master === undefined || master.address === from) return true;
    if (!isBowOut(advert) || this.#advertised.has(from)) return false;
    const ahead = BigInt.asUintN(COUNTER_BITS, advert.counter - this.#counter);
    return ahead > 0n && ahead <= COUNTER_AHEAD_MAX;
  }

  /** A sender has advertised, whether it is followed or not; a bow-out is no such advert. */
  advertised(from: Ipv4): void {
    this.#advertised.delete(from);
    this.#advertised.add(from);
    const [oldest] = this.#advertised;
    if (this.#advertised.size > SENDERS_MAX && oldest !== undefined)
      this.#advertised.delete(oldest);
  }

  /** From now on this one is the master. */
  follow(address: Ipv4, { advbase, advskew, counter }: HeardAdvert, now: Micros): void {
    if (this.#master?.address !== address) this.#aloneSince = now;
    this.#master = { address, advbase, advskew, heardAt: now };
    this.#counter = counter;
  }

  /** There is no master any more, or it is this node. */
  forget(): void {
    this.#master = undefined;
  }
}
