// Adverts of one interface come in by two sockets, the CARP socket and the frame witness. They are
// given to the segment in the order in which they were read, in the loop's own time.
import type { Micros } from '../base/time.ts';
import type { AcceptedAdvert, DroppedPacket, CarpGroup } from '../carp/accept.ts';
import type { Result } from '../base/result.ts';
import type { AdvertCopy } from '../segment/advert-pairs.ts';
import type { SegmentInput } from '../segment/inputs.ts';
import { PacketLoss } from './packet-loss.ts';

/** An instance that adverts may be for. */
export interface Hearer extends CarpGroup {
  readonly name: string;
}

export interface AdvertReceiverOptions {
  readonly now: () => Micros;
  /** Judges a packet; called once for each copy. */
  readonly accept: (packet: Uint8Array) => Result<AcceptedAdvert<Hearer>, DroppedPacket>;
  /** Hands out, now, what waits in the CARP socket: calls `heard`. False: a bound left some. */
  readonly drainSocket: () => boolean;
  /** The same of the frame witness: calls `witnessed`. */
  readonly drainWitness: () => boolean;
  readonly lost: () => number | undefined;
  readonly onLost: (count: number) => void;
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
  readonly give: (input: SegmentInput) => void;
}

/** Reads both, as the contract of the segment says. */
export class AdvertReceiver {
  readonly #options: AdvertReceiverOptions;
  readonly #loss: PacketLoss;
  /** What the sockets held, in its order. */
  #arrivals: SegmentInput[] = [];
  #isReadingWitness = false;
  /** As the segment knows it. */
  #flooded = false;

  constructor(options: AdvertReceiverOptions) {
    this.#options = options;
    this.#loss = new PacketLoss(options);
  }

  /** The CARP socket loses packets to a flood. */
  get flooded(): boolean {
    return this.#flooded;
  }

  /** A packet of the CARP socket: what the witness holds by now came in before it. */
  heard(packet: Uint8Array): void {
    const accepted = this.#options.accept(packet);
    if (!accepted.ok) {
      return this.arrive({ kind: 'packet-refused', heardBy: 'socket', dropped: accepted.reason });
    }
    const witnessRead = this.#readWitness();
    this.arrive({ kind: 'socket-copy', witnessRead, ...copyOf(accepted.value) });
  }

  /** A packet of the frame witness, opened for this epoch. */
  witnessed(packet: Uint8Array, epoch: number): void {
    this.#loss.witnessed();
    const accepted = this.#options.accept(packet);
    if (accepted.ok) this.arrive({ kind: 'witness-copy', epoch, ...copyOf(accepted.value) });
    else this.arrive({ kind: 'packet-refused', heardBy: 'witness', dropped: accepted.reason });
  }

  /** From here on the witness sees adverts, or does so no more. */
  witnessWatches(covers: boolean): void {
    this.#loss.witnessWatches(covers);
    // What waits in the socket came in before the witness watched.
    if (covers) this.#options.drainSocket();
    this.arrive({ kind: 'witness-covers', covers });
  }

  /** What the sockets hold now came in before. */
  epochBegan(epoch: number): void {
    this.#options.drainSocket();
    this.arrive({ kind: 'socket-emptied', epoch });
  }

  /** Reads both to their ends, and says so behind what they held. */
  drain(): void {
    this.#options.drainWitness();
    this.look(this.#options.drainSocket());
    this.#options.post(() => {
      this.readSocket();
      this.#options.give({ kind: 'sockets-read' });
    });
  }

  /** Gives what the CARP socket holds, now; from the loop. */
  readSocket(): void {
    this.look(this.#options.drainSocket());
    this.#giveArrivals();
  }

  /** Asks the kernel what was lost. `isRead`: the CARP socket was read to its end. */
  look(isRead = true): void {
    this.#loss.look();
    if (!isRead) this.#loss.fellBehind();
    const { flooded } = this.#loss;
    if (flooded === this.#flooded) return;
    this.#flooded = flooded;
    this.arrive({ kind: 'flood-changed', flooded });
  }

  /** What was sent before then may have been lost in a flood; undefined: nothing was. */
  unheardUntil(): Micros | undefined {
    this.#loss.look();
    return this.#loss.unheardUntil;
  }

  /** Something comes in at any time: it is given in its turn. */
  arrive(input: SegmentInput): void {
    if (this.#arrivals.push(input) === 1) this.#options.post(() => this.#giveArrivals());
  }

  close(): void {
    this.#arrivals = [];
  }

  #giveArrivals(): void {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    for (const input of arrivals) this.#options.give(input);
  }

  /** False: a bound left something there, or it is being read already. */
  #readWitness(): boolean {
    if (this.#isReadingWitness) return false;
    this.#isReadingWitness = true;
    const isRead = this.#options.drainWitness();
    this.#isReadingWitness = false;
    return isRead;
  }
}

/** What of an advert its segment has to know. */
function copyOf({ member, from, advert }: AcceptedAdvert<Hearer>): AdvertCopy {
  const { advbase, advskew, demote, counter } = advert;
  return { name: member.name, from, advert: { advbase, advskew, demote, counter } };
}
