// Passes every log line on to the local syslog as well.
import { Syslog, type SyslogSeverity } from '../linux/system/syslog.ts';

/** For LogOptions.tee; `ident` is the program's name in front of each line. */
export function syslogTee(facility: string, ident: string): (level: number, line: string) => void {
  const syslog = new Syslog({ facility, ident });
  return (level, line) => {
    syslog.write(severityOf(level), line);
  };
}

/** pino's levels to syslog's. */
function severityOf(level: number): SyslogSeverity {
  if (level >= 50) return 'err';
  if (level >= 40) return 'warning';
  return level >= 30 ? 'info' : 'debug';
}
