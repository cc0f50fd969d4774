// The frame witness of a simulated daemon: how wide it is open, and for which epoch.
import type { WitnessWish } from '../../src/segment/witness-wish.ts';
import type { Frame } from './frame.ts';

export class Tap {
  #wish: WitnessWish | undefined;

  want(wish: WitnessWish | undefined): void {
    this.#wish = wish;
  }

  /** What it sees bears this number. */
  get epoch(): number {
    return this.#wish?.epoch ?? 0;
  }

  /** Whether it sees every advert that comes in; what is open for a single frame is no ear. */
  get hearsAdverts(): boolean {
    const { mode = 'arp-replies', once = false } = this.#wish ?? {};
    return mode !== 'arp-replies' && !once;
  }

  sees(kind: Frame['kind']): boolean {
    switch (this.#wish?.mode) {
      case 'any-frame':
        return true;
      case 'adverts':
        return kind === 'advert' || kind === 'arp-reply';
      case 'arp-replies':
        return kind === 'arp-reply';
      case undefined:
        return false;
    }
  }
}
