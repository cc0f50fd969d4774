// Whether the daemon lives and whether it is ready, as load balancers and supervisors ask: alive is
// a loop that turns, ready is taking part with everything it is configured to, as master or not.
import type { Driver } from './interface/driver.ts';
import type { EventBus } from '../events/bus.ts';
import type { Ports } from '../ports/ports.ts';

export interface LivenessOptions extends Pick<Ports, 'startTimer'> {
  readonly driver: Pick<Driver, 'post'>;
  readonly events: EventBus;
  /** Why instances can't take part now, each with its interface. */
  readonly faults: () => readonly string[];
}

/** A loop that drains its sockets after a stall, or works off a flood, takes less. */
const ANSWER_MS_MAX = 2_000;

/** Says whether the loop turns, and whether every instance takes part. */
export class Liveness {
  readonly #options: LivenessOptions;
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  #rejected = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    const names = [
      'daemon-started',
      'daemon-stopping',
      'configuration-rejected',
      'configuration-reloaded',
    ] as const;
    options.events.subscribe(names, ({ event }) => {
      if (event === 'daemon-started') this.#phase = 'running';
      else if (event === 'daemon-stopping') this.#phase = 'stopping';
      else this.#rejected = event === 'configuration-rejected';
    });
  }

  /** What is wrong with the process; undefined: its loop has answered just now. */
  livenessFailure(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const text = `the loop has not answered for ${ANSWER_MS_MAX / 1_000} s`;
      const { driver, startTimer } = this.#options;
      const cancel = startTimer(ANSWER_MS_MAX, () => resolve(text));
      driver.post(() => {
        cancel();
        resolve(undefined);
      });
    });
  }

  /** Why it does not take part with all it is configured to; empty: it does. */
  readinessFailures(): readonly string[] {
    if (this.#phase !== 'running') return [`carpd is ${this.#phase}`];
    const rejected = 'the new configuration was rejected, and the old one is in force; see the log';
    return [...(this.#rejected ? [rejected] : []), ...this.#options.faults()];
  }
}
