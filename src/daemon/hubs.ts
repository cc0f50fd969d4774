// The interfaces of a daemon: one hub for each, by whatever names the instances call it.
import type { LinkChange, LinkWatch } from '../linux/link-watch.ts';
import type { InterfaceHub } from './interface-hub.ts';

/** What is asked of a hub here. */
export type KnownHub = Pick<
  InterfaceHub,
  | 'interfaceName'
  | 'memberCount'
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
    return hub;
  }

  /** Closes it where nobody is on it any more. */
  leave(hub: Hub): void {
    if (hub.memberCount > 0) return;
    hub.close();
    this.#all.delete(hub);
  }

  /**
   * Passes on a change of an interface. Returns the hubs that have turned out by it to be of the
   * interface of another hub, which they leave alone from now on: their instances have to be made
   * anew. Only one may write to an interface.
   */
  linkChanged(change: LinkChange): readonly Hub[] {
    const aside = this.#doubles();
    for (const hub of aside) hub.standAside();
    for (const hub of this.#all) {
      if (hub.isAbout(change)) void hub.refreshSoon();
      else hub.otherChanged(change.ifindex);
    }
    return aside;
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
