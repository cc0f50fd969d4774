// The clock of one host, which runs a little faster or slower than those of the others, as quartz
// does and a guest on a busy machine even more so.
import { micros, type Micros } from '../../../src/base/time.ts';
import type { VirtualClock } from '../../fakes/clock.ts';
import { promisesRunAlone, VirtualTime } from '../../fakes/time.ts';

export class PacedTime extends VirtualTime {
  readonly #rate: number;

  /** `rate`: seconds of this clock in one of the world. */
  constructor(clock: VirtualClock, rate: number) {
    super(clock, promisesRunAlone);
    this.#rate = rate;
  }

  override readonly now = (): Micros => micros(Math.floor(this.worldNow * this.#rate));

  override after(delay: Micros, run: () => void): () => void {
    return super.after(micros(Math.ceil(delay / this.#rate)), run);
  }
}
