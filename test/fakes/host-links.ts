// The interfaces of a host in memory as a process knows them: by events that wait in its netlink
// socket until it reads them.
import { isDeepStrictEqual } from 'node:util';
import type {
  AddressEvent,
  Link,
  LinkChange,
  LinkWatch,
  LinkWatchOptions,
} from '../../src/linux/links/link-watch.ts';

/** What the kernel tells at one moment; `link` undefined: it is gone. */
export interface NetlinkNews {
  readonly ifindex: number;
  readonly link: Link | undefined;
  readonly changes: readonly LinkChange[];
  readonly address?: AddressEvent;
}

export interface HostLinksOptions {
  /** As it is when the socket is opened. */
  readonly links: Iterable<Link>;
  /** Tells the process, in its turn, that there is something to read. */
  readonly readable: (read: () => void) => void;
  /** The process asks for what the kernel does not tell by itself. */
  readonly onAsked: () => void;
  readonly onClosed: (watch: HostLinks) => void;
}

/** The netlink of one process on a host in memory. */
export class HostLinks implements LinkWatch {
  readonly #watch: LinkWatchOptions;
  readonly #options: HostLinksOptions;
  readonly #table: Map<number, Link>;
  #waiting: NetlinkNews[] = [];
  #late: NetlinkNews[] = [];
  #closed = false;
  #version = 0;

  constructor(watch: LinkWatchOptions, options: HostLinksOptions) {
    this.#watch = watch;
    this.#options = options;
    this.#table = new Map([...options.links].map((link) => [link.ifindex, link]));
  }

  /** `isLate`: it reaches the socket only with `catchUp`. */
  tell(news: NetlinkNews, isLate = false): void {
    if (isLate) return void this.#late.push(news);
    this.#waiting.push(news);
    this.#options.readable(() => this.drain());
  }

  /** What was late comes at once; or it was too much, is lost, and all is asked for anew. */
  catchUp(how: 'told' | 'lost', links: Iterable<Link>): void {
    const late = this.#late;
    this.#late = [];
    if (how === 'lost' && late.length > 0) this.#overrun(links);
    else for (const news of late) this.tell(news);
  }

  #overrun(links: Iterable<Link>): void {
    this.#waiting = [];
    const now = new Map([...links].map((link) => [link.ifindex, link]));
    this.#options.readable(() => {
      if (this.#closed) return;
      this.#watch.onAddress?.({ kind: 'gap' });
      const gone = [...this.#table.values()].filter(({ ifindex }) => !now.has(ifindex));
      for (const link of gone) this.#take({ ...link, link: undefined, changes: [link] });
      for (const link of now.values()) {
        const known = this.#table.get(link.ifindex);
        if (isDeepStrictEqual(known, link)) continue;
        const before = known === undefined || known.name === link.name ? [] : [known];
        this.#take({ ifindex: link.ifindex, link, changes: [...before, link] });
      }
    });
  }

  get version(): number {
    return this.#version;
  }

  find(name: string): Link | undefined {
    for (const link of this.#table.values()) {
      if (link.name === name || link.altNames?.includes(name) === true) return link;
    }
    return undefined;
  }

  byIndex(ifindex: number): Link | undefined {
    return this.#table.get(ifindex);
  }

  all(): Iterable<Link> {
    return this.#table.values();
  }

  ask(): void {
    this.#options.onAsked();
  }

  askVlans(): void {
    this.#options.onAsked();
  }

  drain(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#take(next);
    }
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#options.onClosed(this);
  }

  #take({ ifindex, link, changes, address }: NetlinkNews): void {
    this.#version += 1;
    if (link === undefined) this.#table.delete(ifindex);
    else this.#table.set(ifindex, link);
    if (address !== undefined) this.#watch.onAddress?.(address);
    for (const change of changes) if (!this.#closed) this.#watch.onChange(change);
  }
}
