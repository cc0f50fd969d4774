// Whether what was sent to this interface can have been missed: the kernel drops packets in front
// of a socket that is full, as in a flood of protocol 112. While one socket loses packets the other
// may lose none. The silence of a master proves something only from where one of them lost nothing.
import { fromMillis, fromSeconds, micros, since, type Micros } from '../base/time.ts';

export interface PacketLossOptions {
  /** Packets that the kernel has dropped in front of the CARP socket so far, if it says so. */
  readonly lost: () => number | undefined;
  readonly now: () => Micros;
  /** So many more were lost. */
  readonly onLost: (count: number) => void;
}

/** A flood is taken to go on for so long after its last drop. */
const FLOOD_LASTS = fromSeconds(5);
/** The witness's own queue holds about 270 small frames; masters send a few a second. */
const WITNESSED_MAX = 100;
const WITNESSED_WINDOW = fromMillis(1_000);

/** Knows for one interface since when neither socket has lost packets. */
export class PacketLoss {
  readonly #options: PacketLossOptions;
  #lost: number | undefined;
  #lostAt: Micros | undefined;
  /** The witness lets adverts through and has lost none since. */
  #witnessSince: Micros | undefined;
  #windowFrom: Micros | undefined;
  #witnessed = 0;

  constructor(options: PacketLossOptions) {
    this.#options = options;
  }

  /** Asks the kernel. Call it once the socket was read, and before silence is judged. */
  look(): void {
    const { lost, now, onLost } = this.#options;
    const count = lost();
    if (count === undefined) return;
    // A socket that was opened anew begins at 0.
    const more = count - (this.#lost === undefined || count < this.#lost ? 0 : this.#lost);
    this.#lost = count;
    if (more === 0) return;
    this.#lostAt = now();
    onLost(more);
  }

  /** The socket could not be read to its end: what it holds is as good as lost for now. */
  fellBehind(): void {
    this.#lostAt = this.#options.now();
  }

  /** Packets of the socket get lost, or did so a moment ago. */
  get flooded(): boolean {
    return this.#lostAt !== undefined && since(this.#options.now(), this.#lostAt) < FLOOD_LASTS;
  }

  /** What was sent before then may be lost; undefined: nothing was. */
  get unheardUntil(): Micros | undefined {
    if (this.#lostAt === undefined || this.#witnessSince === undefined) return this.#lostAt;
    return micros(Math.min(this.#lostAt, this.#witnessSince));
  }

  /** The witness lets adverts through from here on, or no more. */
  witnessWatches(watches: boolean): void {
    this.#witnessSince = watches ? this.#options.now() : undefined;
  }

  /** It has handed over an advert, good or bad. */
  witnessed(): void {
    const now = this.#options.now();
    if (this.#windowFrom === undefined || since(now, this.#windowFrom) >= WITNESSED_WINDOW) {
      this.#windowFrom = now;
      this.#witnessed = 0;
    }
    this.#witnessed += 1;
    // As many as that may be the rest of more than its queue could hold.
    if (this.#witnessed > WITNESSED_MAX && this.#witnessSince !== undefined) {
      this.#witnessSince = now;
    }
  }
}
