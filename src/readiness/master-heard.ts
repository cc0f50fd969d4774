// The master that one instance hears: when its last advert came, and from when on its next one is
// missing.
import type { Ipv4 } from '../base/addresses.ts';
import { micros, plus, type Micros } from '../base/time.ts';
import type { AdvertHeard } from './inputs.ts';

/** Half an interval late is not yet missed: a busy peer, or the pace of a stock ucarp. */
const MISSED_AFTER_INTERVALS = 1.5;

/** From when on an advert is missing of a master that was or would have been heard last `at`. */
export function missedAfter(at: Micros, interval: Micros): Micros {
  return plus(at, micros(interval * MISSED_AFTER_INTERVALS));
}

/** What its last advert told. */
export interface HeardMaster {
  readonly from: Ipv4;
  readonly at: Micros;
  /** The epoch of the socket that heard it. */
  readonly epoch: number;
  /** The time from one of its adverts to the next. */
  readonly interval: Micros;
  /** From then on its next advert is missing. */
  readonly missedAt: Micros;
  /** It has said that it leaves. */
  readonly leaving: boolean;
  /** It bids as one that doubts its path. */
  readonly doubting: boolean;
}

/** The master of one instance, as its adverts show it. */
export class MasterHeard {
  #last: HeardMaster | undefined;
  #missNoted = false;

  /** Undefined: no advert was heard since the start. */
  get last(): HeardMaster | undefined {
    return this.#last;
  }

  heard(advert: AdvertHeard, now: Micros): void {
    const { from, interval, leaving, doubting = false, epoch } = advert;
    const missedAt = leaving ? now : missedAfter(now, interval);
    this.#last = { from, at: now, epoch, interval, missedAt, leaving, doubting };
    this.#missNoted = leaving;
  }

  /** Its next advert is not missing yet. */
  speaks(now: Micros): boolean {
    return this.#last !== undefined && this.#last.missedAt > now;
  }

  /** True once for each silence of a master that was heard: its first advert is missing. */
  takeMiss(now: Micros): boolean {
    if (this.#last === undefined || this.#missNoted || this.speaks(now)) return false;
    this.#missNoted = true;
    return true;
  }

  /** A dead interval after its last advert; the election promotes no sooner for silence. */
  downAt(deadInterval: Micros): Micros | undefined {
    return this.#last && plus(this.#last.at, deadInterval);
  }
}
