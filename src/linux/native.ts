// The native addon (native/*.c): the datagram sockets that Node does not have. Loaded on first use,
// so that commands which open no socket run without it.
import { createRequire } from 'node:module';
import { CarpdError, messageOf } from '../base/errors.ts';

/** A datagram, in bytes that no later call touches. */
export interface Datagram {
  readonly bytes: Uint8Array;
  /** The datagram was longer than any buffer of the addon, and its end is lost. */
  readonly truncated: boolean;
  /** Packet sockets: PACKET_HOST 0, _BROADCAST 1, _MULTICAST 2, _OTHERHOST 3, _OUTGOING 4. */
  readonly packetType?: number;
  /** Packet sockets: the interface it came in through. */
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
   * Packet sockets: has the interface take in frames to a group's MAC address (6 bytes), which a
   * network card drops otherwise, until the socket is closed.
   */
  joinLinkGroup(fd: number, address: Uint8Array): void;
  /** Opens a NETLINK_ROUTE socket; `groups` is a mask of RTMGRP_*. */
  openNetlink(groups: number): number;
  /** Sends one datagram at once, or throws; never waits. */
  send(fd: number, bytes: Uint8Array): void;
  /** Reads one datagram; undefined if none waits. Never waits. */
  receive(fd: number): Datagram | undefined;
  setReceiveBuffer(fd: number, bytes: number): void;
  /** Calls back when the socket can be read, until `unwatch` or `close`. */
  watch(fd: number, callback: () => void): void;
  unwatch(fd: number): void;
  close(fd: number): void;
  /** Sends one datagram to a Unix socket; a path that begins with "@" is an abstract name. */
  sendUnixDatagram(path: string, bytes: Uint8Array): void;
}

// From src/linux and from dist/linux alike, the package's root is two levels up.
const ADDON = '../../native/build/Release/carpd_sockets.node';

let loaded: NativeSockets | undefined;

/** The addon; throws CARPD_NATIVE where it is missing or does not fit this machine. */
export function native(): NativeSockets {
  loaded ??= load();
  return loaded;
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
];

function isNativeSockets(addon: unknown): addon is NativeSockets {
  if (typeof addon !== 'object' || addon === null) return false;
  const members = new Map<string, unknown>(Object.entries(addon));
  return FUNCTIONS.every((name) => typeof members.get(name) === 'function');
}
