// When a master listens by the frame witness for adverts that a firewall may keep from its socket.
import { fromSeconds, micros, plus, type Micros } from '../base/time.ts';

const LISTEN_PAUSE = fromSeconds(60);
const LISTEN_MIN = fromSeconds(1);

/**
 * A master that has heard nobody by its CARP socket can't tell whether a firewall would let it hear
 * a second master, so it listens by the witness as well: for a dead interval, which is one second
 * at least, when it is promoted, when it stood still, and after each pause.
 */
export class Listening {
  #since: Micros | undefined;
  #until: Micros | undefined;
  #on = false;

  /** The witness is wanted for it now. */
  get on(): boolean {
    return this.#on;
  }

  /** Begins anew at the next look. */
  restart(): void {
    this.#since = undefined;
  }

  /** `wanted`: it is a master that has a gate, and its socket has heard nobody. */
  update(wanted: boolean, deadInterval: Micros, now: Micros): void {
    const span = micros(Math.max(deadInterval, LISTEN_MIN));
    if (!wanted) this.#since = undefined;
    else if (this.#since === undefined || this.#againAt(span, this.#since) <= now)
      this.#since = now;
    this.#until = this.#since === undefined ? undefined : plus(this.#since, span);
    this.#on = (this.#until ?? now) > now;
  }

  /** When it ends and begins again. */
  get deadlines(): readonly Micros[] {
    return this.#until === undefined ? [] : [this.#until, plus(this.#until, LISTEN_PAUSE)];
  }

  #againAt(span: Micros, since: Micros): Micros {
    return plus(plus(since, span), LISTEN_PAUSE);
  }
}
