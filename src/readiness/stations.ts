// Who is known to be on the segment, to be asked by ARP: those who advertise, those that the kernel
// has spoken with, those who have asked for something.
import type { Ipv4 } from '../base/addresses.ts';
import { fromSeconds, since, type Micros } from '../base/time.ts';

/** More masters than that are never asked; the ones heard last are. */
const MASTERS_MAX = 32;
/** One station that answers is enough, and some of them may be gone. */
const OTHERS_MAX = 16;
const SEEK_PAUSE = fromSeconds(10);

/** The stations of one segment, over all epochs. */
export class Stations {
  readonly #masters = new Set<Ipv4>();
  readonly #asking = new Set<Ipv4>();
  #neighbours: readonly Ipv4[] = [];
  #soughtAt: Micros | undefined;

  /** Those who were heard advertising, the latest last. */
  get masters(): Iterable<Ipv4> {
    return this.#masters;
  }

  /** Whether it was none of the masters so far. */
  masterHeard(address: Ipv4): boolean {
    const isNew = !this.#masters.has(address);
    keepLatest(this.#masters, address, MASTERS_MAX);
    return isNew;
  }

  /** A frame came in from a station that has told its address; whether it was none of them. */
  stationHeard(address: Ipv4): boolean {
    const isNew = !this.#asking.has(address);
    keepLatest(this.#asking, address, OTHERS_MAX);
    return isNew;
  }

  /** What the kernel knows. */
  neighboursFound(addresses: readonly Ipv4[]): void {
    this.#neighbours = addresses;
  }

  /** Whether to look into what the kernel knows; says so every ten seconds at most. */
  takeSeek(now: Micros): boolean {
    if (this.#soughtAt !== undefined && since(now, this.#soughtAt) < SEEK_PAUSE) return false;
    this.#soughtAt = now;
    return true;
  }

  /** Up to sixteen that may answer; first those who have done so in this epoch. */
  others(answerers: Iterable<Ipv4>): readonly Ipv4[] {
    const known = new Set([...answerers, ...[...this.#asking].reverse(), ...this.#neighbours]);
    return [...known].slice(0, OTHERS_MAX);
  }
}

function keepLatest(known: Set<Ipv4>, address: Ipv4, max: number): void {
  known.delete(address);
  known.add(address);
  for (const oldest of known) if (known.size > max) known.delete(oldest);
}
