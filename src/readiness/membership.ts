// When to leave and join the multicast groups again: snooping switches forget who listens, and the
// return of the carrier alone sends no report.
import { fromSeconds, micros, plus, since, type Micros } from '../base/time.ts';

const REJOIN_INTERVAL = fromSeconds(60);
/** Many instances that miss their adverts at once need no more than one report to the switch. */
const REJOIN_PAUSE = fromSeconds(1);

/** The membership of one interface. */
export class Membership {
  #rejoinAt: Micros | undefined;

  /** When it is to be renewed at the latest; undefined: nobody takes part. */
  get deadline(): Micros | undefined {
    return this.#rejoinAt;
  }

  /** Nobody takes part any more. */
  end(): void {
    this.#rejoinAt = undefined;
  }

  /** Somebody takes part; says whether to renew it now. `missed`: an advert is missing. */
  isDue(missed: boolean, now: Micros): boolean {
    // The sockets of the first instance have joined just now.
    this.#rejoinAt ??= plus(now, REJOIN_INTERVAL);
    const rested = since(now, micros(this.#rejoinAt - REJOIN_INTERVAL)) >= REJOIN_PAUSE;
    return this.#rejoinAt <= now || (missed && rested);
  }

  renewed(now: Micros): void {
    this.#rejoinAt = plus(now, REJOIN_INTERVAL);
  }
}
