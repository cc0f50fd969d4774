// The interfaces of this network namespace and their IPv4 addresses, as the kernel tells of them by
// netlink. Driven by events; asked again for what has none. Nothing is spawned.
import { unreachable } from '../../base/assert.ts';
import type { CarpdError } from '../../base/errors.ts';
import { DatagramSocket } from '../sockets/datagram-socket.ts';
import { LinkTable, type Link, type LinkChange } from './link-table.ts';
import { native, type Datagram } from '../sockets/native.ts';
import { readNetlink, type AddressMessage, type NetlinkEvent } from './netlink.ts';
import {
  dumpAddresses,
  dumpLinks,
  dumpVlans,
  LINK_AND_IPV4_ADDRESS_GROUPS,
  requestLinks,
} from './netlink-requests.ts';
import { errnoOf, SocketError } from '../sockets/socket-error.ts';

export type { LinkAddress } from './address-list.ts';
export type { Link, LinkChange } from './link-table.ts';

/**
 * What the kernel told of an address. `request` is the same for all that one request has brought
 * about. `gap`: the buffer was full, and events of any interface are lost.
 */
export type AddressEvent =
  | {
      readonly kind: 'added' | 'removed';
      readonly request: string;
      readonly address: AddressMessage;
    }
  | { readonly kind: 'gap' };

export interface LinkWatchOptions {
  /** Called after each change, with both names after a rename; the watch shows the new state. */
  readonly onChange: (change: LinkChange) => void;
  /** Called with everything that is told of addresses, in its order; before `onChange`. */
  readonly onAddress?: (event: AddressEvent) => void;
  /** Something could not be read; the watch goes on, and asks again for everything. */
  readonly onError: (error: CarpdError) => void;
  /** Bytes of the socket's receive buffer; a larger one loses fewer events. */
  readonly receiveBufferBytes?: number;
  /** What asks for the tables of VLANs; the usual request if not given. */
  readonly dumpVlans?: (sequence: number) => Uint8Array;
}

/** The interfaces as last heard of; also after `close`. */
export interface LinkWatch {
  /** Another number after every change; as long as it is the same, nothing has changed. */
  readonly version: number;
  /** By its name or an alternative one. */
  find(name: string): Link | undefined;
  byIndex(ifindex: number): Link | undefined;
  /** All of them, in no particular order. */
  all(): Iterable<Link>;
  /**
   * Asks the kernel how these interfaces are now: it tells of no change of an LACP port state, of
   * the partner or of the active aggregator by itself. Never waits: the request leaves on another
   * thread, where it may have to wait for whoever is changing interfaces meanwhile, and the answers
   * come as events do, in the kernel's order. While one request is under way the next one waits,
   * and takes along all that is asked for until then. Only what differs is told of. An interface
   * that does not exist is passed over: its end is an event of its own. A request that could not be
   * sent goes to `onError`. After `close` it does nothing.
   */
  ask(ifindexes: readonly number[]): void;
  /**
   * Asks for the VLANs that bridges carry on their ports, as `ask` does. Only what differs is told
   * of; where the kernel refuses, what was not known before is "unread" from then on.
   */
  askVlans(): void;
  /** Takes in, now, every event that the kernel has queued. */
  drain(): void;
  /** The second time does nothing. */
  close(): void;
}

const RECEIVE_BUFFER_BYTES = 4 * 1_048_576;
const DUMP_MS_MAX = 5_000;
const RETRY_DELAY_MS = 1_000;
/** Dumps that were disturbed by changes, one after the other, before one is taken as it is. */
const DISTURBED_MAX = 8;
const DRAIN_BATCHES_MAX = 64;

/** Opens the watch; resolves once everything there is is known. Rejects with a CarpdError. */
export async function openLinkWatch(options: LinkWatchOptions): Promise<LinkWatch> {
  const watch = new NetlinkWatch(options);
  try {
    await watch.start();
  } catch (error) {
    watch.close();
    throw error;
  }
  return watch;
}

/** Three dumps make a whole picture: the interfaces, their addresses, the VLANs of bridges. */
interface Dump {
  readonly part: 'links' | 'addresses' | 'vlans';
  readonly sequence: number;
  readonly timer: NodeJS.Timeout;
  disturbed: boolean;
}

class NetlinkWatch implements LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #socket: DatagramSocket;
  readonly #table = new LinkTable();
  #sequence = 0;
  #dump: Dump | undefined;
  /** Events were lost while a dump was running, so that another has to follow. */
  #dumpAgain = false;
  #vlansAgain = false;
  #disturbedCount = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #opening: { resolve: () => void; reject: (error: CarpdError) => void } | undefined;
  /** Asked for while an earlier request was under way; undefined: none is. */
  #askedMeanwhile: Set<number> | undefined;
  #closed = false;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    this.#socket = new DatagramSocket({
      what: 'netlink socket',
      open: () => openNetlink(options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES),
      listens: true,
      onDatagram: (datagram) => this.#take(datagram),
      onError: (error) => this.#receiveFailed(error),
    });
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#beginDump('links');
    });
  }

  get version(): number {
    return this.#table.version;
  }

  find(name: string): Link | undefined {
    return this.#table.find(name);
  }

  byIndex(ifindex: number): Link | undefined {
    return this.#table.byIndex(ifindex);
  }

  all(): Iterable<Link> {
    return this.#table.all();
  }

  ask(ifindexes: readonly number[]): void {
    if (this.#closed || ifindexes.length === 0) return;
    if (this.#askedMeanwhile !== undefined) {
      for (const ifindex of ifindexes) this.#askedMeanwhile.add(ifindex);
      return;
    }
    this.#askedMeanwhile = new Set();
    this.#sequence += 1;
    this.#socket.request(requestLinks(ifindexes, this.#sequence), (error) => {
      const next = [...(this.#askedMeanwhile ?? [])];
      this.#askedMeanwhile = undefined;
      if (error !== undefined) {
        const reason = 'the request could not be sent';
        this.#options.onError(
          new SocketError('CARPD_SOCKET', 'ask for interfaces', reason, { cause: error }),
        );
      }
      this.ask(next);
    });
  }

  askVlans(): void {
    if (this.#closed) return;
    if (this.#dump === undefined) this.#beginDump('vlans');
    // Those that come now may be told of in the answer that is under way, or not.
    else this.#vlansAgain = true;
  }

  drain(): void {
    for (let batch = 0; batch < DRAIN_BATCHES_MAX; batch += 1) {
      if (this.#socket.drain()) return;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#dump?.timer);
    clearTimeout(this.#retryTimer);
    this.#socket.close();
    this.#opening?.reject(new SocketError('CARPD_SOCKET', 'read the interfaces', 'closed'));
    this.#opening = undefined;
  }

  #take({ bytes, port }: Datagram): void {
    // Any process may send to this socket if it may administer the network; only the kernel counts.
    if (port !== 0) return;
    const changes = new Map<string, LinkChange>();
    for (const event of readNetlink(bytes)) {
      for (const change of this.#apply(event)) {
        changes.set(`${change.ifindex} ${change.name}`, change);
      }
    }
    // Until the first picture is whole there is nobody who could have known another.
    if (this.#opening !== undefined) return;
    for (const change of changes.values()) {
      if (!this.#closed) this.#options.onChange(change);
    }
  }

  #apply(event: NetlinkEvent): LinkChange[] {
    if (event.interrupted && this.#dump !== undefined) this.#dump.disturbed = true;
    switch (event.kind) {
      case 'link':
        return this.#table.setLink(event.link);
      case 'port':
        return this.#portChanged(event);
      case 'link-gone':
        return this.#table.removeLink(event.link.ifindex);
      case 'address':
        return this.#addressChanged(
          'added',
          event,
          this.#table.setAddress(event.address, event.dumped),
        );
      case 'address-gone':
        return this.#addressChanged('removed', event, this.#table.removeAddress(event.address));
      case 'done':
        if (event.sequence !== this.#dump?.sequence) return [];
        if (event.error === 0) return this.#endDump(this.#dump);
        this.#dumpFailed(`the kernel ended the answer with error ${-event.error}`);
        return [];
      case 'error':
        // Else it answers `ask`: the interface is gone.
        if (event.sequence !== this.#dump?.sequence) return [];
        this.#dumpFailed(`the kernel refused with error ${-event.error}`);
        return [];
      default:
        return unreachable(event);
    }
  }

  #portChanged({ bridgePort, dumped }: Extract<NetlinkEvent, { kind: 'port' }>): LinkChange[] {
    const { ifindex, vlans, isOther } = bridgePort;
    const changed = this.#table.setPort(bridgePort, dumped);
    // An empty table is left out of an event, as is one that the kernel does not tell of.
    const isUnclear = !dumped && !isOther && vlans === undefined;
    if (isUnclear && this.#table.filtersVlans(ifindex)) this.askVlans();
    return changed;
  }

  /** Tells of an event when the table shows what has `changed` by it. */
  #addressChanged(
    kind: 'added' | 'removed',
    { dumped, port, sequence, address }: Extract<NetlinkEvent, { address: AddressMessage }>,
    changed: LinkChange[],
  ): LinkChange[] {
    // What a dump tells has happened before.
    if (!dumped) this.#options.onAddress?.({ kind, request: `${port} ${sequence}`, address });
    return changed;
  }

  #beginDump(part: Dump['part']): void {
    clearTimeout(this.#dump?.timer);
    clearTimeout(this.#retryTimer);
    this.#sequence += 1;
    const timer = setTimeout(() => {
      this.#dumpFailed(`no answer from the kernel within ${DUMP_MS_MAX} ms`);
    }, DUMP_MS_MAX);
    this.#dump = { part, sequence: this.#sequence, timer, disturbed: false };
    const request = this.#requestFor(part);
    if (part === 'links') this.#table.beginLinkDump();
    if (part === 'addresses') this.#table.beginAddressDump();
    const begun = this.#dump;
    this.#socket.request(request, (error) => {
      if (error === undefined || this.#dump !== begun) return;
      this.#dumpFailed('the request could not be sent', error);
    });
  }

  #requestFor(part: Dump['part']): Uint8Array {
    switch (part) {
      case 'links':
        return dumpLinks(this.#sequence);
      case 'addresses':
        return dumpAddresses(this.#sequence);
      case 'vlans':
        return (this.#options.dumpVlans ?? dumpVlans)(this.#sequence);
      default:
        return unreachable(part);
    }
  }

  #endDump({ part, timer, disturbed }: Dump): LinkChange[] {
    clearTimeout(timer);
    this.#dump = undefined;
    this.#disturbedCount = disturbed ? this.#disturbedCount + 1 : 0;
    const again = disturbed && this.#disturbedCount <= DISTURBED_MAX;
    const changes: LinkChange[] = [];
    if (part === 'links') changes.push(...this.#table.endLinkDump(!disturbed));
    if (part === 'addresses') changes.push(...this.#table.endAddressDump(!disturbed));
    if (part === 'vlans' && !again) changes.push(...this.#table.endVlanDump());
    if (again) this.#beginDump(part);
    else if (part === 'links') this.#beginDump('addresses');
    else if (part === 'addresses') this.#beginDump('vlans');
    else this.#pictureWhole();
    return changes;
  }

  #pictureWhole(): void {
    if (this.#dumpAgain) {
      this.#dumpAgain = false;
      this.#beginDump('links');
      return;
    }
    this.#opening?.resolve();
    this.#opening = undefined;
    if (!this.#vlansAgain) return;
    this.#vlansAgain = false;
    this.askVlans();
  }

  #dumpFailed(reason: string, cause?: unknown): void {
    const part = this.#dump?.part;
    clearTimeout(this.#dump?.timer);
    this.#dump = undefined;
    if (this.#closed) return;
    if (part === 'vlans') return this.#vlansUnread();
    const error = new SocketError('CARPD_SOCKET', 'read the interfaces', reason, {
      errno: errnoOf(cause),
      cause,
    });
    if (this.#opening !== undefined) {
      this.#opening.reject(error);
      this.#opening = undefined;
      return;
    }
    this.#options.onError(error);
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#beginDump('links'), RETRY_DELAY_MS);
  }

  /** Nobody who has no such bridge has to care; what is not known counts for less. */
  #vlansUnread(): void {
    const changes = this.#table.endVlanDump();
    const wasOpening = this.#opening !== undefined;
    this.#pictureWhole();
    if (!wasOpening) for (const change of changes) this.#options.onChange(change);
  }

  #receiveFailed(error: CarpdError): void {
    if (this.#closed) return;
    const errno = error instanceof SocketError ? error.errno : undefined;
    // Two threads were at the same dump, the one that asks and the one that reads: who comes late
    // finds it done, and is told of a fault where none is (af_netlink.c, netlink_dump).
    if (errno === 'EINVAL') return;
    // The kernel had more events than the buffer could hold, and some are lost: ask for all again.
    if (errno !== 'ENOBUFS') this.#options.onError(error);
    this.#options.onAddress?.({ kind: 'gap' });
    if (this.#dump === undefined) this.#beginDump('links');
    else this.#dumpAgain = true;
  }
}

function openNetlink(receiveBufferBytes: number): number {
  const fd = native().openNetlink(LINK_AND_IPV4_ADDRESS_GROUPS);
  try {
    native().setReceiveBuffer(fd, receiveBufferBytes);
  } catch (error) {
    native().close(fd);
    throw error;
  }
  return fd;
}
