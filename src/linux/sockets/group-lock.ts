// One group, one daemon on a host, and one virtual IP, one instance. Who serves a group on an
// interface holds two names of the abstract namespace of Unix sockets: the group's, and that of its
// virtual IP, which two groups would take off each other. The kernel has one such namespace for
// each network namespace, and takes a name back from a process however it ends.
import { readFileSync } from 'node:fs';
import { CarpdError, messageOf } from '../../base/errors.ts';
import { formatIpv4, type Ipv4 } from '../../base/addresses.ts';
import { DatagramSocket } from './datagram-socket.ts';
import { native } from './native.ts';
import { errnoOf } from './socket-error.ts';

/** A group on an interface of this network namespace. */
export interface GroupPlace {
  readonly ifindex: number;
  readonly vhid: number;
  /** The address that its adverts go to. */
  readonly destination: string;
  /** The address that the group moves between hosts. */
  readonly virtualIp: string;
}

/** The process that serves a group. */
export interface GroupHolder {
  /** Undefined where it can't be seen from here, as in the pid namespace of a container. */
  readonly pid: number | undefined;
  readonly program: string | undefined;
  /** It is on its way out, and the group will soon be free. */
  readonly leaving: boolean;
  /** What it has of the place: the group, or the virtual IP in another group. */
  readonly has: 'group' | 'virtual IP';
}

export interface GroupLock {
  /** Tells others that they need not wait for long. */
  leaving(): void;
  /** The second time does nothing. */
  release(): void;
}

export type LockAttempt =
  | { readonly kind: 'locked'; readonly lock: GroupLock }
  | { readonly kind: 'held'; readonly holder: GroupHolder };

/**
 * Any user may take a name, and could keep a daemon from starting by it: a holder that may open no
 * raw socket is no daemon, and the next name counts instead.
 */
const NAMES_MAX = 8;
const CAP_NET_RAW = 13n;

/** Takes the lock; throws a CarpdError where neither that nor its holder can be had. */
export function lockGroup(place: GroupPlace): LockAttempt {
  const group = lockOne(place, 'group');
  if (group.kind === 'held') return group;
  const virtualIp = lockOne(place, 'virtual IP');
  if (virtualIp.kind === 'held') {
    group.lock.release();
    return virtualIp;
  }
  const both = [group.lock, virtualIp.lock];
  const lock = {
    leaving: (): void => both.forEach((one) => void one.leaving()),
    release: (): void => both.forEach((one) => void one.release()),
  };
  return { kind: 'locked', lock };
}

/** Who serves the group, or its virtual IP; undefined: no daemon does. Throws a CarpdError. */
export function groupHolder(place: GroupPlace): GroupHolder | undefined {
  for (const what of ['group', 'virtual IP'] as const) {
    for (const name of namesOf(place, what)) {
      const found = lookUp(name, what);
      if (found?.isDaemon === true) return found.holder;
    }
  }
  return undefined;
}

/**
 * Whether another process keeps this address as a virtual IP on the interface. False also where
 * that can't be asked: it is as if there were no other process then.
 */
export function isServedElsewhere(address: Ipv4, ifindex: number): boolean {
  const place = { ifindex, vhid: 0, destination: '', virtualIp: formatIpv4(address) };
  try {
    return namesOf(place, 'virtual IP').some((name) => {
      const found = lookUp(name, 'virtual IP');
      return found?.isDaemon === true && found.holder.pid !== process.pid;
    });
  } catch {
    return false;
  }
}

/**
 * Takes a name for a moment in which no other daemon of this host may have it. Undefined: one has
 * it now. Where it can't be had otherwise, nothing is held, and nobody has to wait for that.
 */
export function takeTurn(name: string): { release(): void } | undefined {
  const nothing = { release: (): void => undefined };
  try {
    const socket = openName(name);
    if (socket !== undefined) return { release: () => void socket.close() };
    return isTurnTaken(name) ? undefined : nothing;
  } catch {
    return nothing;
  }
}

/** Whether another daemon of this host has the name of `takeTurn`. */
export function isTurnTaken(name: string): boolean {
  try {
    return lookUp(name, 'group')?.isDaemon === true;
  } catch {
    return false;
  }
}

/** "serves vhid 7 on eth0": what the holder has of this place, with the name of the interface. */
export function describeHeld(
  { has }: GroupHolder,
  { vhid, virtualIp }: Omit<GroupPlace, 'ifindex'>,
  interfaceName: string,
): string {
  return has === 'group'
    ? `serves vhid ${vhid} on ${interfaceName}`
    : `has ${virtualIp} on ${interfaceName} as the virtual IP of another group`;
}

/** "process 123 (carpd)"; this one where another of its instances has the group. */
export function describeHolder({ pid, program }: GroupHolder): string {
  if (pid === process.pid) return 'another instance of this process';
  if (pid === undefined) return 'another process of this network namespace';
  return program === undefined ? `process ${pid}` : `process ${pid} (${program})`;
}

function lockOne(place: GroupPlace, what: GroupHolder['has']): LockAttempt {
  let stranger: GroupHolder | undefined;
  for (const name of namesOf(place, what)) {
    const socket = openName(name);
    if (socket !== undefined) return { kind: 'locked', lock: new HeldLock(name, socket) };
    const found = lookUp(name, what);
    if (found?.isDaemon === true) return { kind: 'held', holder: found.holder };
    stranger ??= found?.holder;
  }
  const holder = stranger ?? { pid: undefined, program: undefined, leaving: true, has: what };
  return { kind: 'held', holder };
}

class HeldLock implements GroupLock {
  readonly #name: string;
  readonly #socket: DatagramSocket;
  #mark: DatagramSocket | undefined;

  constructor(name: string, socket: DatagramSocket) {
    this.#name = name;
    this.#socket = socket;
  }

  leaving(): void {
    try {
      this.#mark ??= openName(markOf(this.#name));
    } catch {
      // Without the mark others give up at once instead of waiting.
    }
  }

  release(): void {
    // In this order: nobody may see the lock without the mark in between.
    this.#socket.close();
    this.#mark?.close();
  }
}

function namesOf(
  { ifindex, vhid, destination, virtualIp }: GroupPlace,
  what: GroupHolder['has'],
): readonly string[] {
  const name =
    what === 'group'
      ? `carpd/${ifindex}/${vhid}/${destination}`
      : `carpd/${ifindex}/vip/${virtualIp}`;
  return Array.from({ length: NAMES_MAX }, (_, n) => (n === 0 ? name : `${name}/${n}`));
}

function markOf(name: string): string {
  return `${name}/leaving`;
}

/** Undefined: somebody has it. */
function openName(name: string): DatagramSocket | undefined {
  try {
    return new DatagramSocket({
      what: 'the lock of a group',
      open: () => native().openName(name),
      listens: true,
      onDatagram: () => undefined,
      onError: () => undefined,
    });
  } catch (error) {
    if (errnoOf(causeOf(error)) === 'EADDRINUSE') return undefined;
    throw error;
  }
}

interface Found {
  readonly holder: GroupHolder;
  readonly isDaemon: boolean;
}

/** Undefined: nobody has it. */
function lookUp(name: string, has: GroupHolder['has']): Found | undefined {
  let who: { readonly pid: number; readonly uid: number } | undefined;
  try {
    who = native().holderOfName(name);
  } catch (error) {
    // Too many have asked at once, while the holder stands still.
    if (errnoOf(error) !== 'EAGAIN') {
      throw new CarpdError('CARPD_SOCKET', 'ask for the lock of a group', messageOf(error), error);
    }
    const holder = { pid: undefined, program: undefined, leaving: false, has };
    return { holder, isDaemon: true };
  }
  if (who === undefined) return undefined;
  const pid = who.pid === 0 ? undefined : who.pid;
  const program = pid === undefined ? undefined : programOf(pid);
  const leaving = native().holderOfName(markOf(name)) !== undefined;
  return { holder: { pid, program, leaving, has }, isDaemon: isDaemon(who) };
}

function isDaemon({ pid, uid }: { readonly pid: number; readonly uid: number }): boolean {
  return pid === 0 || uid === 0 || uid === process.geteuid?.() || mayOpenRawSockets(pid);
}

function mayOpenRawSockets(pid: number): boolean {
  try {
    const [, mask = '0'] = /^CapEff:\t([0-9a-f]+)$/m.exec(read(pid, 'status')) ?? [];
    return ((BigInt(`0x${mask}`) >> CAP_NET_RAW) & 1n) === 1n;
  } catch {
    return false;
  }
}

function programOf(pid: number): string | undefined {
  try {
    return read(pid, 'comm')
      .trim()
      .replaceAll(/[^\w .:/-]/g, '?');
  } catch {
    return undefined;
  }
}

function read(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'latin1');
}

function causeOf(error: unknown): unknown {
  return error instanceof CarpdError ? (error.cause ?? error) : error;
}
