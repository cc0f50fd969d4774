// The options of the CARP sockets as setsockopt takes them. The numbers are those of Linux on every
// machine Node is built for (asm-generic/socket.h, linux/in.h); raw-socket names but a few of them.

export const CARP_PROTOCOL = 112;
/** The protocol of sockets that only send, with a header of their own (raw(7)). */
export const IPPROTO_RAW = 255;

export const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
/** Yields the protocol the socket was made with. */
export const SO_PROTOCOL = 38;

/** Memory and drops of a socket, as nine 32-bit numbers (sk_get_meminfo in net/core/sock.c). */
export const SO_MEMINFO = 55;
export const MEMINFO_BYTES = 36;
export const MEMINFO_DROPS = 8;

const SOL_IP = 0;
const IP_HDRINCL = 3;
const IP_RECVERR = 11;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const IP_MULTICAST_ALL = 49;

/**
 * Twenty thousand adverts: what comes in while the process stands still for a while, or in 0.4 s of
 * a flood of 50,000 packets a second. The kernel takes the memory only while they wait.
 */
const RECEIVE_BUFFER_BYTES = 8_388_608;

/** One setsockopt; `instead` is tried where the kernel refuses it. */
export interface SocketOption {
  readonly level: number;
  readonly option: number;
  readonly value: number | Buffer;
  readonly instead?: SocketOption;
}

/** What setOption needs of a socket. */
interface OptionSocket {
  setOption(level: number, option: number, value: number): void;
  setOption(level: number, option: number, value: Buffer, length: number): void;
}

/** The interface a socket is for. */
export interface BoundTo {
  readonly interfaceName: string;
  readonly ifindex: number;
}

/** Sets one option; throws what raw-socket throws. */
export function setOption(socket: OptionSocket, option: SocketOption): void {
  const { level, option: number, value, instead } = option;
  try {
    if (typeof value === 'number') socket.setOption(level, number, value);
    else socket.setOption(level, number, value, value.length);
  } catch (error) {
    if (instead === undefined) throw error;
    setOption(socket, instead);
  }
}

/** The options of the socket that hears, but for the memberships. */
export function carpReceiveOptions(bound: BoundTo): readonly SocketOption[] {
  const capped = { level: SOL_SOCKET, option: SO_RCVBUF, value: RECEIVE_BUFFER_BYTES };
  return [
    bindToDevice(bound),
    { ...capped, option: SO_RCVBUFFORCE, instead: capped },
    // Multicast groups that other programs have joined on this host are no concern of ours.
    { level: SOL_IP, option: IP_MULTICAST_ALL, value: 0 },
  ];
}

/** The options of the socket that sends. */
export function carpSendOptions(bound: BoundTo): readonly SocketOption[] {
  return [
    bindToDevice(bound),
    { level: SOL_IP, option: IP_HDRINCL, value: 1 },
    { level: SOL_IP, option: IP_MULTICAST_IF, value: ipMreqn('0.0.0.0', bound.ifindex) },
    { level: SOL_IP, option: IP_MULTICAST_LOOP, value: 0 },
    // Without it the kernel keeps to itself that a queue dropped the packet (ENOBUFS).
    { level: SOL_IP, option: IP_RECVERR, value: 1 },
  ];
}

/** Joining or leaving an IPv4 multicast group in dotted-quad text. */
export function membership(
  what: 'join' | 'leave',
  multicast: string,
  ifindex: number,
): SocketOption {
  const option = what === 'join' ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
  return { level: SOL_IP, option, value: ipMreqn(multicast, ifindex) };
}

function bindToDevice({ interfaceName }: BoundTo): SocketOption {
  return { level: SOL_SOCKET, option: SO_BINDTODEVICE, value: Buffer.from(`${interfaceName}\0`) };
}

/** struct ip_mreqn: multicast group, any local address, index in the machine's byte order. */
function ipMreqn(multicast: string, ifindex: number): Buffer {
  const request = Buffer.alloc(12);
  request.set(multicast.split('.').map(Number), 0);
  request.set(new Uint8Array(Int32Array.of(ifindex).buffer), 8);
  return request;
}
