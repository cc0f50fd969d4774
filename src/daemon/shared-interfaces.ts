// The interfaces of a daemon: one shared interface for each, by whatever names the instances call
// it.
import type { LinkChange, LinkWatch } from '../linux/links/link-watch.ts';
import type { SharedInterface } from './interface/shared-interface.ts';

/** What is asked of one here; `memberNames`: what each instance on it calls the interface. */
export type KnownInterface = Pick<
  SharedInterface,
  | 'interfaceName'
  | 'memberNames'
  | 'link'
  | 'isAbout'
  | 'refreshSoon'
  | 'otherChanged'
  | 'standAside'
  | 'close'
>;

/** Makes the shared interface; `ifindex` is undefined while there is none. */
export type CreateInterface<Shared> = (
  interfaceName: string,
  links: LinkWatch,
  ifindex: number | undefined,
) => Shared;

/** The shared interfaces by index, each made when the first instance asks for it. */
export class SharedInterfaces<Shared extends KnownInterface> implements Iterable<Shared> {
  readonly #create: CreateInterface<Shared>;
  readonly #all = new Set<Shared>();
  /** Where each of them was seen last. */
  readonly #indexes = new Map<Shared, number>();

  constructor(create: CreateInterface<Shared>) {
    this.#create = create;
  }

  [Symbol.iterator](): Iterator<Shared> {
    return this.#all.values();
  }

  /**
   * That of the interface which has this name, or this alternative name, now, though others work on
   * one that had it. One that does not exist yet is known by the name alone. `ifindex`: that of the
   * interface which is meant, if it is known better.
   */
  of(
    interfaceName: string,
    links: LinkWatch,
    ifindex = links.find(interfaceName)?.ifindex,
  ): Shared {
    const known = [...this.#all].find((shared) => {
      const index = shared.link()?.ifindex;
      return index === ifindex && (ifindex !== undefined || shared.interfaceName === interfaceName);
    });
    if (known !== undefined) return known;
    const shared = this.#create(interfaceName, links, ifindex);
    this.#all.add(shared);
    this.#noteIndex(shared);
    return shared;
  }

  /** Closes it where nobody is on it any more. */
  leave(shared: Shared): void {
    if (shared.memberNames.length > 0) return;
    shared.close();
    this.#all.delete(shared);
    this.#indexes.delete(shared);
  }

  /**
   * Passes on a change of an interface. Returns those that have no interface from now on, so
   * that their instances have to be made anew: those that have turned out to be of the interface of
   * another one, since only one may write to an interface; and those whose interface is gone, which
   * their instances call by several names, since each name may mean another one from now on.
   */
  linkChanged(change: LinkChange): readonly Shared[] {
    const aside = [...new Set([...this.#doubles(), ...this.#broken(change)])];
    for (const shared of aside) {
      shared.standAside();
      this.#indexes.delete(shared);
    }
    for (const shared of this.#all) {
      this.#noteIndex(shared);
      if (shared.isAbout(change)) void shared.refreshSoon();
      else shared.otherChanged(change.ifindex);
    }
    return aside;
  }

  #noteIndex(shared: Shared): void {
    const ifindex = shared.link()?.ifindex;
    if (ifindex !== undefined) this.#indexes.set(shared, ifindex);
  }

  #broken({ ifindex }: LinkChange): readonly Shared[] {
    return [...this.#all].filter((shared) => {
      const isGone = this.#indexes.get(shared) === ifindex && shared.link()?.ifindex !== ifindex;
      return isGone && shared.memberNames.some((name) => name !== shared.interfaceName);
    });
  }

  #doubles(): readonly Shared[] {
    const taken = new Set<number>();
    return [...this.#all].filter((shared) => {
      const ifindex = shared.link()?.ifindex;
      if (ifindex === undefined) return false;
      if (taken.has(ifindex)) return true;
      taken.add(ifindex);
      return false;
    });
  }
}
