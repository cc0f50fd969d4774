// The log: pino JSON for machines, one readable line each on a terminal and in the journal.
import { isatty } from 'node:tty';
import pino from 'pino';
import type { LogConfig, LogFormat } from '../config/config.ts';
import { definitionOf, type EventName } from '../events/events.ts';
import { leadsToJournal } from '../linux/system/journal.ts';
import { LogOutput } from './log-output.ts';
import { formatText } from '../base/text.ts';

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes log lines; the message is a sentence, the fields are for machines. */
export interface Logger {
  debug(event: EventName, message: string, fields?: LogFields): void;
  info(event: EventName, message: string, fields?: LogFields): void;
  warn(event: EventName, message: string, fields?: LogFields): void;
  error(event: EventName, message: string, fields?: LogFields): void;
  fatal(event: EventName, message: string, fields?: LogFields): void;
  /** Goes by another level and format from the next line on, those of all instances included. */
  configure(settings: LogConfig): void;
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
  /** Called with the number of lines that are missing, where the log says so. */
  onGap(listener: (lostLines: number) => void): void;
}

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** auto: text on a terminal and in the journal, else JSON. */
  readonly format: LogFormat;
  /** File descriptor to write to: 1 or 2. */
  readonly fd: number;
  /** Also given every line that is written, in text form: syslog. */
  readonly tee?: (level: number, line: string) => void;
}

/** Opens the log. */
export function openLog(options: LogOptions): Logger {
  const { level, fd } = options;
  const gapListeners: ((lostLines: number) => void)[] = [];
  const output = new LogOutput({
    fd,
    onGap: (lostLines) => {
      log.warn('log-gap', definitionOf('log-gap').text({ event: 'log-gap', lostLines }), {
        lostLines,
      });
      for (const listener of gapListeners) listener(lostLines);
    },
  });
  const writer = lineWriter(output, options);
  const root = pino(
    { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    writer,
  );
  const log = wrap(root, {
    setFormat: (format) => writer.setFormat(format),
    flush: () => output.flush(),
    flushSync: () => output.flushSync(),
    holdsUpExit: () => output.holdsUpExit,
    droppedLines: () => output.dropped,
    onGap: (listener) => void gapListeners.push(listener),
  });
  return log;
}

interface LineWriter extends pino.DestinationStream {
  setFormat(format: LogFormat): void;
}

function lineWriter(output: LogOutput, { format, fd, tee }: LogOptions): LineWriter {
  const journal = leadsToJournal(fd);
  const isJson = (wanted: LogFormat): boolean =>
    wanted === 'json' || (wanted === 'auto' && !journal && !isatty(fd));
  let json = isJson(format);
  return {
    setFormat: (wanted) => {
      json = isJson(wanted);
    },
    write: (line) => {
      const needsText = !json || journal || tee !== undefined;
      const text = needsText ? formatText(line) : undefined;
      if (text === undefined) return output.write(line);
      const shown = json ? line : `${journal ? text.searchable : text.line}\n`;
      output.write(journal ? `<${priorityOf(text.level)}>${shown}` : shown);
      tee?.(text.level, text.plain);
    },
  };
}

/** What sd-daemon(3) has a line begin with: the journal takes it off and keeps it as priority. */
function priorityOf(level: number): number {
  const [, priority] = PRIORITIES.find(([atLeast]) => level >= atLeast) ?? [0, DEBUG_PRIORITY];
  return priority;
}

/** pino's levels, highest first, and syslog's priorities. */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
] as const;
const DEBUG_PRIORITY = 7;

type Method = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Instances whose loggers are kept; reloads may bring ever new names. */
const KEPT_MAX = 1_024;

/** What a logger and those of its instances have in common. */
type Shared = Omit<Logger, Method | 'configure' | 'forInstance'> & Pick<LineWriter, 'setFormat'>;

function wrap(logger: pino.Logger, shared: Shared): Logger {
  const writer =
    (method: Method): Logger[Method] =>
    (event, message, fields = {}) => {
      logger[method]({ event, ...fields }, message);
    };
  // To make one costs more than to write a line.
  const instances = new Map<string, Logger>();
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    fatal: writer('fatal'),
    configure: ({ level, format }) => {
      logger.level = level;
      // Each has a level of its own, which it took from here when it was made.
      instances.clear();
      shared.setFormat(format);
    },
    forInstance: (name) => {
      const known = instances.get(name) ?? wrap(logger.child({ instance: name }), shared);
      if (instances.size >= KEPT_MAX) instances.clear();
      instances.set(name, known);
      return known;
    },
    ...shared,
  };
}
