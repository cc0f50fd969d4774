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

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
