// What the system does wrong: a coded error with the operation that failed and how to go on.

/** Every code of a CarpdError, with what it means; the documentation lists exactly these. */
export const ERROR_CODES = {
  CARPD_PRIVILEGES: 'the process may not open raw or packet sockets',
  CARPD_SOCKET: 'a socket could not be opened, set up or used',
  CARPD_INTERFACE: 'a network interface is missing or cannot carry CARP',
  CARPD_COMMAND: 'a child process could not be started, failed or ran out of time',
  CARPD_ADDRESS: 'the virtual IP could not be added, removed or verified',
  CARPD_CONFIG: 'the configuration is not valid',
  CARPD_NATIVE: 'the native addon is missing or was built for another machine',
  CARPD_GROUP: 'another process of this host serves the group on this interface',
  CARPD_CONTROL: 'the control socket or the metrics listener cannot be served',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** A fault of the system around carpd: what failed (`operation`), why (`cause`), and its code. */
export class CarpdError extends Error {
  override readonly name = 'CarpdError';
  readonly code: ErrorCode;
  readonly operation: string;

  constructor(code: ErrorCode, operation: string, reason: string, cause?: unknown) {
    super(`${operation}: ${reason}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.operation = operation;
  }
}

/** What the system refused, in plain words, by the name of its error number. */
const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'it is there already',
  ENOTEMPTY: 'the folder is not empty',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'the quota of the disk is used up',
  EIO: 'the disk or device reports an error',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EINVAL: 'the system does not accept it',
  EMFILE: 'too many files are open in this process',
  ENFILE: 'too many files are open on this host',
  ENOMEM: 'no memory is left',
  EBUSY: 'it is in use',
  ETXTBSY: 'the program is being written',
  ENOEXEC: 'it is not a program',
  ENXIO: 'there is nothing behind it',
  ENODEV: 'there is no such device',
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this host does not have the address',
  ECONNREFUSED: 'nobody answers there',
  ECONNRESET: 'the other side ended the connection',
  EPIPE: 'the other side has closed it',
  ETIMEDOUT: 'no answer came in time',
  ENOTSOCK: 'it is not a socket',
  ESRCH: 'there is no such process',
  ENOTFOUND: 'there is no such host',
  ENETUNREACH: 'there is no route to it',
  EHOSTUNREACH: 'the host can not be reached',
};

/** The name of a system's error as Node.js puts it into a message: at its start or its end. */
const CODE =
  /^(?:\w+ )?(E[A-Z\d]{2,})(?:: |$)|^(?:spawn|connect|listen|bind)\w* .*\b(E[A-Z\d]{2,})\b/;

/** What the name of an error of the system means ("ENOENT"); undefined: it is not known. */
export function systemWords(code: string): string | undefined {
  return Object.hasOwn(SYSTEM_WORDS, code) ? SYSTEM_WORDS[code] : undefined;
}

/**
 * The text of anything that was thrown. Errors of the system are put in words: Node.js would quote
 * the name of the error, the system call and the path once more.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [, first, last] = CODE.exec(error.message) ?? [];
  const code = first ?? last;
  if (code === undefined) return error.message;
  return systemWords(code) ?? `the system refuses it (${code})`;
}
