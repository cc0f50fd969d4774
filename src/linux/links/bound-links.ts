// Interfaces by the names of the configuration, which stay with the interface that they meant at
// first: who renames an interface does not take it away from those that work on it.
import type { Link, LinkWatch } from './link-watch.ts';

/** A watch whose `find` follows interfaces by their index. */
export class BoundLinks implements LinkWatch {
  readonly #links: LinkWatch;
  readonly #bound: Map<string, number>;

  /** `known`: what these names mean already. */
  constructor(links: LinkWatch, known: Iterable<readonly [string, number]> = []) {
    this.#links = links;
    this.#bound = new Map(known);
  }

  get version(): number {
    return this.#links.version;
  }

  /**
   * The interface that had this name, or this alternative name, when it was asked for first, by
   * whatever name it goes now. When that one is gone, it is the one that has the name now.
   */
  find(name: string): Link | undefined {
    const ifindex = this.#bound.get(name);
    const followed = ifindex === undefined ? undefined : this.#links.byIndex(ifindex);
    if (followed !== undefined) return followed;
    const found = this.#links.find(name);
    if (found === undefined) this.#bound.delete(name);
    else this.#bound.set(name, found.ifindex);
    return found;
  }

  byIndex(ifindex: number): Link | undefined {
    return this.#links.byIndex(ifindex);
  }

  all(): Iterable<Link> {
    return this.#links.all();
  }

  ask(ifindexes: readonly number[]): void {
    this.#links.ask(ifindexes);
  }

  askVlans(): void {
    this.#links.askVlans();
  }

  drain(): void {
    this.#links.drain();
  }

  close(): void {
    this.#links.close();
  }
}
