// Whether a descriptor leads into the journal of systemd.
import { fstatSync } from 'node:fs';

/**
 * systemd names the socket that it gives a service as its standard output or error in
 * JOURNAL_STREAM (systemd.exec(5)). A shell that redirects the output leaves the variable as it is,
 * so the two are compared.
 */
export function leadsToJournal(
  fd: number,
  stream: string | undefined = process.env['JOURNAL_STREAM'],
): boolean {
  if (stream === undefined) return false;
  try {
    // Of type bigint: see the look at descriptors in log/log-output.ts.
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
