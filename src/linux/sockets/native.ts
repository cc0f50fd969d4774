// The native addon (native/*.c): the datagram sockets that Node does not have. Loaded on first use,
// so that commands which open no socket run without it.
import { createRequire } from 'node:module';
import { CarpdError, messageOf } from '../../base/errors.ts';

/** A datagram, in bytes that no later call touches. */
export interface Datagram {
  readonly bytes: Uint8Array;
  /** The datagram was longer than any buffer of the addon, and its end is lost. */
  readonly truncated: boolean;
  /** Packet sockets: PACKET_HOST 0, _BROADCAST 1, _MULTICAST 2, _OTHERHOST 3, _OUTGOING 4. */
  readonly packetType?: number;
  /** Packet sockets: the interface it came in through; of a bond, the port (PACKET_ORIGDEV). */
  readonly ifindex?: number;
  /** Packet sockets: the EtherType. */
  readonly protocol?: number;
  /** Packet sockets: the 802.1Q tag (16 bits) that the kernel took out of the frame. */
  readonly vlan?: number;
  /** Netlink sockets: the sender's port; 0 is the kernel. */
  readonly port?: number;
}

/**
 * The functions of the addon. A socket is its file descriptor; each function throws an Error whose
 * `code` is an errno name, and EBADF for a descriptor that the addon did not open or has closed.
 */
export interface NativeSockets {
  /**
   * Opens a packet socket on one interface. `protocol` is an EtherType, 3 (ETH_P_ALL) for all, or 0
   * for a socket that only sends. `filter` is an array of struct sock_filter. Nothing is received
   * that came before the filter was in place.
   */
  openPacket(
    ifindex: number,
    protocol: number,
    filter: Uint8Array | undefined,
    ignoreOutgoing: boolean,
  ): number;
  attachFilter(fd: number, filter: Uint8Array): void;
  /**
   * Packet sockets: has the interface take in frames to a multicast MAC address (6 bytes), which a
   * network card drops otherwise, until the socket is closed.
   */
  joinLinkGroup(fd: number, address: Uint8Array): void;
  /** Opens a NETLINK_ROUTE socket; `multicastGroups` is a mask of RTMGRP_*. */
  openNetlink(multicastGroups: number): number;
  /** Sends one datagram at once, or throws; never waits. */
  send(fd: number, bytes: Uint8Array): void;
  /** Reads one datagram; undefined if none waits. Never waits. */
  receive(fd: number): Datagram | undefined;
  setReceiveBuffer(fd: number, bytes: number): void;
  /** Calls back when the socket can be read, until `unwatch` or `close`. */
  watch(fd: number, callback: () => void): void;
  unwatch(fd: number): void;
  close(fd: number): void;
  /**
   * Takes a name of the abstract namespace, which belongs to this network namespace, until `close`;
   * EADDRINUSE where another process has it. `watch` and `receive` let go those who ask for it.
   */
  openName(name: string): number;
  /**
   * Who has the name; undefined: nobody. The pid is 0 where it is in a pid namespace that can't be
   * seen from here. EAGAIN: somebody has it, and does not say who.
   */
  holderOfName(name: string): { readonly pid: number; readonly uid: number } | undefined;
  /**
   * Netlink sockets: sends one request to the kernel on another thread, and calls back when it was
   * sent, which is after the kernel has answered: the kernel may make a request wait for long.
   */
  request(fd: number, bytes: Uint8Array, callback: (error: Error | undefined) => void): void;
  /** Every descriptor of this process but the standard ones is closed in its children. */
  closeOnExec(): void;
  /** Sends one datagram to a Unix socket; a path that begins with "@" is an abstract name. */
  sendUnixDatagram(path: string, bytes: Uint8Array): void;
}

// From src/linux and from dist/linux alike, the package's root is two levels up.
const ADDON = '../../../native/build/Release/carpd_sockets.node';

let loaded: NativeSockets | undefined;

/** The addon; throws CARPD_NATIVE where it is missing or does not fit this machine. */
export function native(): NativeSockets {
  loaded ??= load();
  return loaded;
}

/**
 * Has every descriptor of this process closed in its children, the standard ones apart. Nothing
 * where the addon is not in use: then there is no socket but Node's own, which are closed anyway.
 */
export function keepDescriptorsFromChildren(): void {
  try {
    loaded?.closeOnExec();
  } catch {
    // No descriptor is left to look at them by: those that were marked at their opening stay so.
  }
}

function load(): NativeSockets {
  const require = createRequire(import.meta.url);
  let addon: unknown;
  try {
    addon = require(ADDON);
  } catch (error) {
    throw new CarpdError('CARPD_NATIVE', 'load the native addon', remedy(error), error);
  }
  if (isNativeSockets(addon)) return addon;
  throw new CarpdError(
    'CARPD_NATIVE',
    'load the native addon',
    'it is of another version; run "npm rebuild" in the package directory',
  );
}

function remedy(error: unknown): string {
  const [reason = ''] = messageOf(error).split('\n');
  return `${reason}; run "npm ci" (or "npm rebuild") in the package directory, with a C compiler`;
}

const FUNCTIONS: readonly (keyof NativeSockets)[] = [
  'openPacket',
  'attachFilter',
  'joinLinkGroup',
  'openNetlink',
  'send',
  'receive',
  'setReceiveBuffer',
  'watch',
  'unwatch',
  'close',
  'sendUnixDatagram',
  'openName',
  'holderOfName',
  'request',
  'closeOnExec',
];

function isNativeSockets(addon: unknown): addon is NativeSockets {
  if (typeof addon !== 'object' || addon === null) return false;
  const members = new Map<string, unknown>(Object.entries(addon));
  return FUNCTIONS.every((name) => typeof members.get(name) === 'function');
}
