// How wide the frame witness is to be open: what the readiness of the link looks for, what answers
// to our own questions are on their way, and what a flood keeps from the CARP socket.
import { fromMillis, micros, plus, type Micros } from '../base/time.ts';
import type { ReadinessEffect } from '../readiness/effects.ts';

/** any-frame: all that counts as data. adverts: those and ARP replies. arp-replies: only these. */
export type WitnessMode = 'any-frame' | 'adverts' | 'arp-replies';

/** The frame witness as it is wanted; undefined stands for a closed one. */
export interface WitnessWish {
  /** What it sees bears this epoch: a socket that was opened for another one is opened anew. */
  readonly epoch: number;
  readonly mode: WitnessMode;
  /** It may close by itself at the first frame that counts. */
  readonly once: boolean;
  /** Of "any-frame": what it may narrow to by itself at the first frame that counts. */
  readonly then: WitnessMode | undefined;
  /** Of "adverts": those of masters that are known alone, since the CARP socket is flooded. */
  readonly onlyMasters: boolean;
}

type Wanted = Extract<ReadinessEffect, { kind: 'open-witness' }>['wanted'];

/** How long the answer to a probe may take. */
const ANSWER_PATIENCE = fromMillis(1_500);

/** Keeps what everybody wants of the witness of one interface. */
export class WitnessWishes {
  /** Of the readiness. */
  wanted: Wanted | undefined;
  /** The CARP socket loses packets. */
  flooded = false;
  #answersUntil = micros(0);
  #last: WitnessWish | undefined;

  /** A question leaves: its answer is wanted, however closed the witness is otherwise. */
  asked(now: Micros): void {
    this.#answersUntil = plus(now, ANSWER_PATIENCE);
  }

  /** Whether the wish is another one than when this was called last; `wish` says which. */
  hasChanged(epoch: number, now: Micros): boolean {
    const wish = this.#judge(epoch, now);
    const isSame = keyOf(wish) === keyOf(this.#last);
    this.#last = wish;
    return !isSame;
  }

  get wish(): WitnessWish | undefined {
    return this.#last;
  }

  #judge(epoch: number, now: Micros): WitnessWish | undefined {
    const answers = this.#answersUntil > now ? 'arp-replies' : undefined;
    const beside = this.flooded ? 'adverts' : answers;
    const { wanted } = this;
    const isOneFrame = wanted === 'one-frame';
    const mode = (wanted === 'one-frame' ? 'any-frame' : wanted) ?? beside;
    if (mode === undefined) return undefined;
    return {
      epoch,
      mode,
      // Whoever wants more than one frame has to go on seeing what it wants.
      once: isOneFrame && beside === undefined,
      then: isOneFrame ? beside : undefined,
      onlyMasters: this.flooded && mode === 'adverts',
    };
  }
}

function keyOf(wish: WitnessWish | undefined): string {
  if (wish === undefined) return 'closed';
  const { epoch, mode, once, then, onlyMasters } = wish;
  return [epoch, mode, once, then, onlyMasters].join(' ');
}
