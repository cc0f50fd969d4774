// The frame witness of a simulated daemon: how wide it is open, and for which epoch.
import { fromMillis, micros, plus, type Micros } from '../../src/base/time.ts';
import type { Frame } from './frame.ts';

/** How long the answer to a probe may take. */
const ANSWER_PATIENCE = fromMillis(1_500);

type Wanted = 'any-frame' | 'one-frame' | 'adverts';

export class Tap {
  /** The epoch for which it was opened last: what it sees bears its number. */
  epoch = 1;
  #wanted: Wanted | undefined;
  #answersUntil = micros(0);

  want(wanted: Wanted | undefined, epoch: number): void {
    this.#wanted = wanted;
    this.epoch = epoch;
  }

  /** A probe goes out: its answer is wanted, however closed it is otherwise. */
  awaitAnswers(epoch: number, now: Micros): void {
    this.#answersUntil = plus(now, ANSWER_PATIENCE);
    this.epoch = epoch;
  }

  sees(kind: Frame['kind'], now: Micros): boolean {
    if (this.#wanted === 'any-frame' || this.#wanted === 'one-frame') return true;
    if (this.#wanted === 'adverts') return kind === 'advert' || kind === 'arp-reply';
    return kind === 'arp-reply' && this.#answersUntil > now;
  }
}
