// Descriptors kept for `ip`: where the process has none left, these are given up for the time that
// a child is being started, since an address that can't be taken off is an address on two hosts.
import { closeSync, openSync } from 'node:fs';

/** Three pipes, their other ends, and what starting a process needs on the way, twice. */
const SPARE_COUNT = 24;

/** Holds some descriptors and gives them up while a child is started. */
export class SpareDescriptors {
  readonly #count: number;
  #held: number[] = [];

  constructor(count = SPARE_COUNT) {
    this.#count = count;
  }

  /** Takes as many as are missing and as there are to be had. */
  take(): void {
    while (this.#held.length < this.#count) {
      try {
        this.#held.push(openSync('/dev/null', 'r'));
      } catch {
        // The next call may have more luck.
        return;
      }
    }
  }

  /** Closes them; whether there were any. */
  release(): boolean {
    const held = this.#held;
    this.#held = [];
    for (const descriptor of held) closeSync(descriptor);
    return held.length > 0;
  }
}

/** Those of this process; none are held before the daemon has taken them. */
export const spareDescriptors = new SpareDescriptors();
