// The interfaces of a host in memory as a process knows them: by events that wait in its netlink
// socket until it reads them.
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
  #closed = false;
  #version = 0;

  constructor(watch: LinkWatchOptions, options: HostLinksOptions) {
    this.#watch = watch;
    this.#options = options;
    this.#table = new Map([...options.links].map((link) => [link.ifindex, link]));
  }

  tell(news: NetlinkNews): void {
    this.#waiting.push(news);
    this.#options.readable(() => this.drain());
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
