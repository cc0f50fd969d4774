// Ports that pass frames though LACP never formed: many switches fall back to plain forwarding. A
// master that keeps answering us for a while proves what LACP would have said; where none is heard,
// any other station does.
import type { Ipv4 } from '../base/addresses.ts';
import { fromSeconds, since, type Micros } from '../base/time.ts';

/** Answers must span this long to stand for LACP; it forms, or fails to, in less. */
export const FALLBACK_SPAN = fromSeconds(10);

/** How often a heard master is asked while LACP is missing. */
export const FALLBACK_PROBE_INTERVAL = fromSeconds(1);

/** A hole of this length breaks the span: three answers in a row were lost. */
const HOLE = fromSeconds(3);

const MASTERS_MAX = 16;

interface Span {
  readonly firstAt: Micros;
  readonly lastAt: Micros;
}

/** The two-way proof of one epoch. */
export class LacpFallback {
  readonly #masters = new Set<Ipv4>();
  #span: Span | undefined;
  #vipAnsweredAt: Micros | undefined;
  #met = false;

  /**
   * An advert came in from this address, in this epoch: from now on only masters stand for it.
   * Says whether it was none of them so far.
   */
  masterHeard(address: Ipv4): boolean {
    if (this.#masters.size === 0 && !this.#met) this.#span = undefined;
    if (this.#masters.size >= MASTERS_MAX || this.#masters.has(address)) return false;
    this.#masters.add(address);
    return true;
  }

  /**
   * This address answered a probe. Where a master was heard, only answers of masters matter; where
   * none was, those of any station do, once nobody answers for the virtual IP: there may be a
   * master whom we can't hear.
   */
  answered(address: Ipv4, now: Micros): void {
    if (this.#masters.size > 0 && !this.#masters.has(address)) return;
    if (this.#vipAnsweredAt !== undefined && this.#masters.size === 0) {
      if (since(now, this.#vipAnsweredAt) <= HOLE) return;
    }
    const isHole = this.#span === undefined || since(now, this.#span.lastAt) > HOLE;
    this.#span = { firstAt: isHole || !this.#span ? now : this.#span.firstAt, lastAt: now };
    if (since(now, this.#span.firstAt) >= FALLBACK_SPAN) this.#met = true;
  }

  /** Another host answered for the virtual IP. */
  vipAnswered(now: Micros): void {
    this.#vipAnsweredAt = now;
    if (this.#masters.size === 0 && !this.#met) this.#span = undefined;
  }

  /** Stays met until the epoch ends. */
  get met(): boolean {
    return this.#met;
  }

  get masters(): readonly Ipv4[] {
    return [...this.#masters];
  }

  /** Since when answers have come without a hole, as far as is known. */
  get answeredSince(): Micros | undefined {
    return this.#span?.firstAt;
  }
}
