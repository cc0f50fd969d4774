// The log: pino JSON for machines, one readable line each on a terminal.
import pino from 'pino';
import type { LogEventName } from './log-events.ts';
import { LogOutput } from './log-output.ts';
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
  /** Writes out what is buffered, for a fifth of a second at most: before the process ends. */
  flush(): Promise<void>;
  /** The same without the event loop, for the end after a fault. */
  flushSync(): void;
  /** A write hangs, and process.exit() would wait for it. */
  holdsUpExit(): boolean;
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

/** Opens the log. */
export function openLog(options: LogOptions): Logger {
  const { level, format, fd, tee } = options;
  const output = new LogOutput({
    fd,
    onGap: (lostLines) =>
      log.warn('log-gap', `${lostLines} line(s) are missing here: nobody took them`, { lostLines }),
  });
  const root = pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    lineWriter(output, format, tee),
  );
  const log = wrap(root, {
    flush: () => output.flush(),
    flushSync: () => output.flushSync(),
    holdsUpExit: () => output.holdsUpExit,
    droppedLines: () => output.dropped,
  });
  return log;
}

function lineWriter(
  output: LogOutput,
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

type Method = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

function wrap(logger: pino.Logger, shared: Omit<Logger, Method | 'forInstance'>): Logger {
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
