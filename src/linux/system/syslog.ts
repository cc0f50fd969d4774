// Lines to the local syslog (RFC 3164 form, as openlog and syslog of the C library write them).
import { native } from '../sockets/native.ts';

/** Facility names of syslog.conf and their numbers (sys/syslog.h), older names included. */
export const SYSLOG_FACILITIES: ReadonlyMap<string, number> = new Map([
  ...numbered('kern user mail daemon auth syslog lpr news uucp cron authpriv ftp', 0),
  ...numbered('local0 local1 local2 local3 local4 local5 local6 local7', 16),
  ['security', 4],
]);

export type SyslogSeverity = 'err' | 'warning' | 'info' | 'debug';

const SEVERITIES: Readonly<Record<SyslogSeverity, number>> = {
  err: 3,
  warning: 4,
  info: 6,
  debug: 7,
};

const FACILITY_DAEMON = 3;
/** What rsyslog and journald take in one message. */
const LINE_BYTES_MAX = 8_192;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

export interface SyslogOptions {
  /** A name of SYSLOG_FACILITIES in any case; "none" writes nothing, any other means daemon. */
  readonly facility: string;
  /** Program name in front of each line. */
  readonly ident: string;
  /** Where the socket of the syslog daemon is. */
  readonly path?: string;
}

/** A line at a time; a syslog that is away or slow costs the line and nothing else. */
export class Syslog {
  readonly #options: SyslogOptions;
  readonly #facility: number | undefined;
  #failures = 0;

  constructor(options: SyslogOptions) {
    this.#options = options;
    const name = options.facility.toLowerCase();
    this.#facility = name === 'none' ? undefined : (SYSLOG_FACILITIES.get(name) ?? FACILITY_DAEMON);
  }

  /** Lines that could not be handed over. */
  get failures(): number {
    return this.#failures;
  }

  /** Never throws and never waits. */
  write(severity: SyslogSeverity, line: string): void {
    if (this.#facility === undefined) return;
    const priority = this.#facility * 8 + SEVERITIES[severity];
    const { ident, path = '/dev/log' } = this.#options;
    // A line break would begin a line of its own, with whatever a sender may have put there.
    const text = line.replaceAll(/[\0\r\n]+/g, ' ');
    const message = `<${priority}>${timestamp(new Date())} ${ident}[${process.pid}]: ${text}`;
    try {
      native().sendUnixDatagram(
        path,
        new TextEncoder().encode(message).subarray(0, LINE_BYTES_MAX),
      );
    } catch {
      this.#failures += 1;
    }
  }
}

function numbered(names: string, first: number): [string, number][] {
  return names.split(' ').map((name, index) => [name, first + index]);
}

function timestamp(date: Date): string {
  const day = String(date.getDate()).padStart(2, ' ');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()];
  const clock = time.map((part) => String(part).padStart(2, '0')).join(':');
  return `${MONTHS[date.getMonth()] ?? ''} ${day} ${clock}`;
}
