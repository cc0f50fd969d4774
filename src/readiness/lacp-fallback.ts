// Ports that pass frames though LACP never formed: many switches fall back to plain forwarding. A
// master that keeps answering us for a while proves what LACP would have said.
import { fromSeconds, since, type Micros } from '../base/time.ts';

/** Answers must span this long to stand for LACP; it forms, or fails to, in less. */
export const FALLBACK_SPAN = fromSeconds(10);

/** How often a heard master is asked while LACP is missing. */
export const FALLBACK_PROBE_INTERVAL = fromSeconds(1);

/** A hole of this length breaks the span: three answers in a row were lost. */
const HOLE = fromSeconds(3);

const MASTERS_MAX = 16;

/** The two-way proof of one epoch. */
export class LacpFallback {
  readonly #masters = new Set<string>();
  #firstAnswerAt: Micros | undefined;
  #lastAnswerAt: Micros | undefined;
  #met = false;

  /** An advert came in from this address, in this epoch. */
  masterHeard(address: string): void {
    if (this.#masters.size < MASTERS_MAX) this.#masters.add(address);
  }

  /** This address answered a probe; only the answers of masters that were heard matter. */
  answered(address: string, now: Micros): void {
    if (!this.#masters.has(address)) return;
    const hole = this.#lastAnswerAt !== undefined && since(now, this.#lastAnswerAt) > HOLE;
    if (this.#firstAnswerAt === undefined || hole) this.#firstAnswerAt = now;
    this.#lastAnswerAt = now;
    if (since(now, this.#firstAnswerAt) >= FALLBACK_SPAN) this.#met = true;
  }

  /** Stays met until the epoch ends. */
  get met(): boolean {
    return this.#met;
  }

  get masters(): readonly string[] {
    return [...this.#masters];
  }

  /** Since when answers have come without a hole, as far as is known. */
  get answeredSince(): Micros | undefined {
    return this.#firstAnswerAt;
  }
}
