// Socket errors with the name of their errno, wherever they come from: the addon gives Errors a
// `code`, raw-socket gives nothing but the text of strerror.
import { CarpdError, messageOf, type ErrorCode } from '../../base/errors.ts';

/** A socket could not be opened, set up or used. */
export class SocketError extends CarpdError {
  /** The errno's name ("ENOBUFS"); undefined where no system call failed (a time limit, say). */
  readonly errno: string | undefined;

  constructor(
    code: ErrorCode,
    operation: string,
    reason: string,
    detail: { readonly errno?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(code, operation, reason, detail.cause);
    this.errno = detail.errno;
  }
}

/** What was being done, for the remedies that depend on it. */
export type SocketPhase = 'open' | 'filter' | 'use';

/** The SocketError for what a socket function threw. */
export function socketError(operation: string, phase: SocketPhase, error: unknown): CarpdError {
  if (error instanceof CarpdError) return error;
  const errno = errnoOf(error);
  const remedy = errno === undefined ? undefined : REMEDIES[phase][errno];
  const code = codeOf(phase, errno);
  return new SocketError(code, operation, remedy ?? messageOf(error), { errno, cause: error });
}

/** The errno's name of anything a socket function threw. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return ERRNO_BY_TEXT.get(error.message.toLowerCase());
}

const NO_DEVICE = 'the interface is gone (ENODEV)';
const NO_RIGHTS =
  'run as root or with CAP_NET_RAW and CAP_NET_ADMIN; where it has them, SELinux or AppArmor ' +
  'refuses, and its log says what (ausearch -m AVC, dmesg)';

const REMEDIES: Readonly<Record<SocketPhase, Readonly<Record<string, string>>>> = {
  open: {
    EPERM: `not permitted (EPERM); ${NO_RIGHTS}`,
    EACCES: `not permitted (EACCES); ${NO_RIGHTS}`,
    ENODEV: NO_DEVICE,
    ENXIO: 'the interface is gone (ENXIO)',
    EMFILE: 'too many open files (EMFILE); raise the limit (ulimit -n, LimitNOFILE=)',
    ENOBUFS: 'no more memberships or buffers (ENOBUFS); raise net.ipv4.igmp_max_memberships',
    EAFNOSUPPORT: 'the kernel has no such sockets (EAFNOSUPPORT); load the module af_packet',
  },
  filter: {
    EINVAL: 'the kernel refuses the filter (EINVAL); use Linux 4.18 or later',
    ENOMEM: 'no memory for the filter (ENOMEM); raise net.core.optmem_max',
    EBADF: 'the socket is closed',
  },
  use: {
    EPERM: 'refused by a firewall rule (EPERM); allow IP protocol 112 out on this interface',
    ENETDOWN: 'the interface is down (ENETDOWN)',
    ENODEV: NO_DEVICE,
    ENXIO: 'the interface is gone (ENXIO)',
    ENETUNREACH: 'no route (ENETUNREACH); the interface is down or has no IPv4 address',
    ENOBUFS:
      'no room to send (ENOBUFS): the queue of the interface is full, as on a link that passes ' +
      'no frames, a rule at its egress drops, or the neighbour table of the host is full',
  },
};

function codeOf(phase: SocketPhase, errno: string | undefined): ErrorCode {
  if (errno === 'ENODEV' || errno === 'ENXIO') return 'CARPD_INTERFACE';
  if (phase === 'open' && (errno === 'EPERM' || errno === 'EACCES')) return 'CARPD_PRIVILEGES';
  return 'CARPD_SOCKET';
}

/** strerror of glibc; where musl says something else, that follows. */
const ERRNO_BY_TEXT: ReadonlyMap<string, string> = new Map([
  ['operation not permitted', 'EPERM'],
  ['permission denied', 'EACCES'],
  ['no such device', 'ENODEV'],
  ['no such device or address', 'ENXIO'],
  ['bad file descriptor', 'EBADF'],
  ['resource temporarily unavailable', 'EAGAIN'],
  ['cannot allocate memory', 'ENOMEM'],
  ['out of memory', 'ENOMEM'],
  ['invalid argument', 'EINVAL'],
  ['too many open files', 'EMFILE'],
  ['no file descriptors available', 'EMFILE'],
  ['too many open files in system', 'ENFILE'],
  ['message too long', 'EMSGSIZE'],
  ['message too large', 'EMSGSIZE'],
  ['protocol not available', 'ENOPROTOOPT'],
  ['address already in use', 'EADDRINUSE'],
  ['address in use', 'EADDRINUSE'],
  ['cannot assign requested address', 'EADDRNOTAVAIL'],
  ['address not available', 'EADDRNOTAVAIL'],
  ['network is down', 'ENETDOWN'],
  ['network is unreachable', 'ENETUNREACH'],
  ['network unreachable', 'ENETUNREACH'],
  ['no route to host', 'EHOSTUNREACH'],
  ['host is unreachable', 'EHOSTUNREACH'],
  ['no buffer space available', 'ENOBUFS'],
]);
