// The interfaces of a daemon: one hub for each, by whatever names the instances call it.
import type { LinkChange, LinkWatch } from '../linux/links/link-watch.ts';
import type { InterfaceHub } from './interface/shared-interface.ts';

/** What is asked of a hub here; `memberNames`: what each instance on it calls the interface. */
export type KnownHub = Pick<
  InterfaceHub,
  | 'interfaceName'
  | 'memberNames'
  | 'link'
  | 'isAbout'
  | 'refreshSoon'
  | 'otherChanged'
  | 'standAside'
  | 'close'
>;

/** Makes the hub of an interface; `ifindex` is undefined while there is none. */
export type CreateHub<Hub> = (
  interfaceName: string,
  links: LinkWatch,
  ifindex: number | undefined,
) => Hub;

/** See the head of this file. */
export class Hubs<Hub extends KnownHub> implements Iterable<Hub> {
  readonly #create: CreateHub<Hub>;
  readonly #all = new Set<Hub>();
  /** Where each of them was seen last. */
  readonly #indexes = new Map<Hub, number>();

  constructor(create: CreateHub<Hub>) {
    this.#create = create;
  }

  [Symbol.iterator](): Iterator<Hub> {
    return this.#all.values();
  }

  /**
   * That of the interface which has this name, or this alternative name, now, though others work on
   * one that had it. One that does not exist yet is known by the name alone. `ifindex`: that of the
   * interface which is meant, if it is known better.
   */
  of(interfaceName: string, links: LinkWatch, ifindex = links.find(interfaceName)?.ifindex): Hub {
    const known = [...this.#all].find((hub) => {
      const hubIndex = hub.link()?.ifindex;
      return hubIndex === ifindex && (ifindex !== undefined || hub.interfaceName === interfaceName);
    });
    if (known !== undefined) return known;
    const hub = this.#create(interfaceName, links, ifindex);
    this.#all.add(hub);
    this.#noteIndex(hub);
    return hub;
  }

  /** Closes it where nobody is on it any more. */
  leave(hub: Hub): void {
    if (hub.memberNames.length > 0) return;
    hub.close();
    this.#all.delete(hub);
    this.#indexes.delete(hub);
  }

  /**
   * Passes on a change of an interface. Returns the hubs that have no interface from now on, so
   * that their instances have to be made anew: those that have turned out to be of the interface of
   * another hub, since only one may write to an interface; and those whose interface is gone, which
   * their instances call by several names, since each name may mean another one from now on.
   */
  linkChanged(change: LinkChange): readonly Hub[] {
    const aside = [...new Set([...this.#doubles(), ...this.#broken(change)])];
    for (const hub of aside) {
      hub.standAside();
      this.#indexes.delete(hub);
    }
    for (const hub of this.#all) {
      this.#noteIndex(hub);
      if (hub.isAbout(change)) void hub.refreshSoon();
      else hub.otherChanged(change.ifindex);
    }
    return aside;
  }

  #noteIndex(hub: Hub): void {
    const ifindex = hub.link()?.ifindex;
    if (ifindex !== undefined) this.#indexes.set(hub, ifindex);
  }

  #broken({ ifindex }: LinkChange): readonly Hub[] {
    return [...this.#all].filter((hub) => {
      const isGone = this.#indexes.get(hub) === ifindex && hub.link()?.ifindex !== ifindex;
      return isGone && hub.memberNames.some((name) => name !== hub.interfaceName);
    });
  }

  #doubles(): readonly Hub[] {
    const taken = new Set<number>();
    return [...this.#all].filter((hub) => {
      const ifindex = hub.link()?.ifindex;
      if (ifindex === undefined) return false;
      if (taken.has(ifindex)) return true;
      taken.add(ifindex);
      return false;
    });
  }
}
