// The log: pino JSON for machines, one readable line each on a terminal. Writing never blocks the
// election: what a stuck reader does not take is dropped and counted.
import pino from 'pino';
import type { LogEventName } from './log-events.ts';
import { formatText } from './text-format.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes log lines; the message is a sentence, the fields are for machines. */
export interface Logger {
  debug(event: LogEventName, message: string, fields?: LogFields): void;
  info(event: LogEventName, message: string, fields?: LogFields): void;
  warn(event: LogEventName, message: string, fields?: LogFields): void;
  error(event: LogEventName, message: string, fields?: LogFields): void;
  fatal(event: LogEventName, message: string, fields?: LogFields): void;
  /** A logger whose lines all bear the name of an instance. */
  forInstance(name: string): Logger;
  /** Writes out what is buffered; for the moments before the process ends. */
  flush(): void;
  /** Lines that were dropped since the start because nobody read them. */
  droppedLines(): number;
}

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'text';
  /** File descriptor to write to: 1 or 2. */
  readonly fd: number;
  /** Also given every line that is written, in text form: syslog. */
  readonly tee?: (level: number, line: string) => void;
}

/** Bytes that may wait for a slow reader before lines are dropped. */
const BUFFERED_BYTES_MAX = 1_048_576;

/** Opens the log. */
export function openLog(options: LogOptions): Logger {
  const { level, format, fd, tee } = options;
  let dropped = 0;
  const output = pino.destination({ fd, sync: false, maxLength: BUFFERED_BYTES_MAX });
  output.on('drop', () => {
    dropped += 1;
  });
  // A reader that went away must not take the daemon with it.
  output.on('error', () => undefined);
  const root = pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    lineWriter(output, format, tee),
  );
  return wrap(root, {
    flush: () => {
      try {
        output.flushSync();
      } catch {
        // Nobody reads the log any more; there is nothing left to tell and nobody to tell it to.
      }
    },
    droppedLines: () => dropped,
  });
}

function lineWriter(
  output: { write(data: string): boolean },
  format: LogOptions['format'],
  tee: LogOptions['tee'],
): pino.DestinationStream {
  return {
    write: (line) => {
      const text = format === 'text' || tee !== undefined ? formatText(line) : undefined;
      output.write(format === 'text' && text !== undefined ? `${text.line}\n` : line);
      if (text !== undefined) tee?.(text.level, text.plain);
    },
  };
}

function wrap(logger: pino.Logger, shared: Pick<Logger, 'flush' | 'droppedLines'>): Logger {
  type Method = 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  const writer =
    (method: Method): Logger[Method] =>
    (event, message, fields = {}) => {
      logger[method]({ event, ...fields }, message);
    };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    fatal: writer('fatal'),
    forInstance: (name) => wrap(logger.child({ instance: name }), shared),
    ...shared,
  };
}
