// The deadlines of many, with the earliest always at hand: a binary heap that knows where each one
// stands. To set one takes as long as the logarithm of their number, and to ask for the earliest
// takes no time.
import type { Micros } from './time.ts';

interface Entry<Key> {
  readonly key: Key;
  /** Who came first goes first where two are due at the same time. */
  readonly order: number;
  at: Micros;
}

/** One deadline, or none, for each key. */
export class Earliest<Key> {
  /** An entry is due no later than the two below it, at twice its place and one more or two. */
  readonly #heap: Entry<Key>[] = [];
  readonly #places = new Map<Key, number>();

  /** The earliest of all; undefined: none is set. */
  get at(): Micros | undefined {
    return this.#heap[0]?.at;
  }

  /** Whose that is. */
  get key(): Key | undefined {
    return this.#heap[0]?.key;
  }

  /**
   * Sets the deadline of a key, or takes it away where `at` is undefined. `order` decides between
   * those that are due at the same time: the lowest is first.
   */
  set(key: Key, at: Micros | undefined, order: number): void {
    const place = this.#places.get(key);
    if (at === undefined) return this.delete(key);
    if (place === undefined) {
      this.#heap.push({ key, at, order });
      this.#rise(this.#heap.length - 1);
      return;
    }
    const entry = this.#heap[place];
    if (entry === undefined || entry.at === at) return;
    const isSooner = at < entry.at;
    entry.at = at;
    if (isSooner) this.#rise(place);
    else this.#sink(place);
  }

  /** Takes the deadline of a key away; nothing if it has none. */
  delete(key: Key): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    const last = this.#heap.pop();
    if (last === undefined || place === this.#heap.length) return;
    this.#put(last, place);
    this.#rise(place);
    this.#sink(this.#places.get(last.key) ?? place);
  }

  /** The keys whose deadlines have come, in no particular order; as long as those are many. */
  due(now: Micros): Key[] {
    const found: Key[] = [];
    const look = (place: number): void => {
      const entry = this.#heap[place];
      if (entry === undefined || entry.at > now) return;
      found.push(entry.key);
      look(2 * place + 1);
      look(2 * place + 2);
    };
    look(0);
    return found;
  }

  #put(entry: Entry<Key>, place: number): void {
    this.#heap[place] = entry;
    this.#places.set(entry.key, place);
  }

  #rise(from: number): void {
    const entry = this.#heap[from];
    if (entry === undefined) return;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = this.#heap[above];
      if (other === undefined || !isBefore(entry, other)) break;
      this.#put(other, place);
      place = above;
    }
    this.#put(entry, place);
  }

  #sink(from: number): void {
    const entry = this.#heap[from];
    if (entry === undefined) return;
    let place = from;
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const other = isRight ? right : left;
      if (!isBefore(other, entry)) break;
      this.#put(other, place);
      place = 2 * place + (isRight ? 2 : 1);
    }
    this.#put(entry, place);
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
