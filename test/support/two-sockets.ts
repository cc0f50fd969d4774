// The two sockets of one interface, as a kernel fills them and a caller reads them.
import { fromMillis, micros, plus, type Micros } from '../../src/base/time.ts';
import type { DroppedPacket } from '../../src/carp/accept.ts';
import {
  AdvertPairs,
  type AdvertCopy,
  type PairedAdvert,
  type Settled,
} from '../../src/segment/advert-pairs.ts';
import { address } from './packets.ts';

export const GRACE_MS = 50;
/** The counter of an advert that nobody believes. */
export const BAD = 255;
const DROPPED: DroppedPacket = { reason: 'bad-digest', from: undefined, vhid: 7 };

/** An advert by its counter. */
export function copyOf(counter: number, name = 'db'): AdvertCopy {
  const advert = { advbase: 1, advskew: 0, demote: 0, counter: BigInt(counter) };
  return { name, from: address('10.77.0.1'), advert };
}

/** What is delivered, in words; adverts are numbers. */
export class TwoSockets {
  readonly delivered: string[] = [];
  refused = 0;
  now: Micros = micros(0);
  /** What the kernel has queued for each socket, in order. */
  readonly inSocket: number[] = [];
  readonly inWitness: number[] = [];
  /** How many frames the witness hands out before its bound. */
  witnessMax = Infinity;
  readonly pairs = new AdvertPairs(1);

  settled({ adverts, refused }: Settled): void {
    for (const advert of adverts) this.#deliver(advert);
    this.refused += refused.length;
  }

  /** As the caller does: the witness is read before a packet of the socket is given. */
  heard(counter: number): void {
    const isWitnessRead = this.readWitness();
    if (counter === BAD) {
      this.refused += 1;
      return this.pairs.socketRefused(this.now);
    }
    const paired = this.pairs.socketCopy(copyOf(counter), isWitnessRead, this.now);
    if (paired !== undefined) this.#deliver(paired);
  }

  witnessed(counter: number, epoch = 1): void {
    if (counter === BAD) this.pairs.witnessRefused(DROPPED, this.now);
    else this.pairs.witnessCopy(copyOf(counter), epoch, this.now);
  }

  readSocket(): void {
    for (const counter of this.inSocket.splice(0)) this.heard(counter);
  }

  readWitness(): boolean {
    for (const counter of this.inWitness.splice(0, this.witnessMax)) this.witnessed(counter);
    return this.inWitness.length === 0;
  }

  /** The timer fires when it should, and the socket is read before the deadline counts. */
  pass(milliseconds: number): void {
    const end = plus(this.now, fromMillis(milliseconds));
    const { pairs } = this;
    for (let at = pairs.deadline; at !== undefined && at <= end; at = pairs.deadline) {
      this.now = micros(Math.max(this.now, at));
      this.readSocket();
      this.settled(pairs.settle(this.now));
    }
    this.now = end;
  }

  /** The same bytes come in, for both sockets unless one is named. */
  arrives(counter: number, by: 'both' | 'socket' | 'witness' = 'both'): void {
    if (by !== 'socket') this.inWitness.push(counter);
    if (by !== 'witness') this.inSocket.push(counter);
  }

  /** Copies come in as time passes, each at its own time in milliseconds and for one socket. */
  arriveAt(
    ...copies: readonly (readonly [at: number, counter: number, by: 'socket' | 'witness'])[]
  ): void {
    let at = 0;
    for (const [next, counter, by] of copies.toSorted(([one], [other]) => one - other)) {
      for (; at < next; at += 10) this.pass(10);
      this.arrives(counter, by);
      if (by === 'socket') this.readSocket();
      else this.readWitness();
    }
    this.pass(GRACE_MS);
  }

  #deliver({ advert, way }: PairedAdvert): void {
    const { by, epoch, throughUplink } = way;
    const from =
      throughUplink === undefined ? '' : throughUplink ? ', from outside' : ', from a guest';
    this.delivered.push(`${String(advert.counter)} by ${by} in ${String(epoch)}${from}`);
  }
}
