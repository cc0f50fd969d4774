// How long a takeover takes: from the moment at which the old master was due to be replaced until
// neighbours are told of the new one.
import { since, toMillis, type Micros } from '../../base/time.ts';
import type { Cause } from '../../election/effects.ts';
import type { Publish } from '../bus.ts';
import type { InstanceEventFields } from '../events.ts';

interface Takeover {
  readonly cause: Cause;
  readonly term: number;
}

/** Measures a takeover. A term that ends before it is announced is not measured. */
export class TakeoverWatch {
  readonly #publish: Publish<InstanceEventFields>;
  #pending: (Takeover & { readonly dueAt: Micros }) | undefined;

  constructor(publish: Publish<InstanceEventFields>) {
    this.#publish = publish;
  }

  /** The node is master from now on; `dueAt`: since when it should be. */
  promoted(takeover: Takeover, dueAt: Micros): void {
    this.#pending = { ...takeover, dueAt };
  }

  /** A gratuitous ARP has left. */
  announced(now: Micros): void {
    if (this.#pending === undefined) return;
    const { cause, term, dueAt } = this.#pending;
    this.#pending = undefined;
    const durationMs = toMillis(since(now, dueAt));
    this.#publish({ event: 'takeover', cause, term, durationMs });
  }

  /** The node is master no more. */
  ended(): void {
    this.#pending = undefined;
  }
}
