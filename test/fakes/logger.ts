// A logger that keeps what it is told.
import type { EventName } from '../../src/events/events.ts';
import type { LogFields, Logger } from '../../src/log/log.ts';

export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly event: EventName;
  readonly message: string;
  readonly fields: LogFields;
  readonly instance: string | undefined;
}

/** The logger, and the lines it was given so far, those of its children included. */
export function recordingLogger(): { logger: Logger; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const build = (instance: string | undefined): Logger => {
    const writer =
      (level: LoggedLine['level']): Logger['info'] =>
      (event, message, fields = {}) =>
        void lines.push({ level, event, message, fields, instance });
    return {
      debug: writer('debug'),
      info: writer('info'),
      warn: writer('warn'),
      error: writer('error'),
      fatal: writer('fatal'),
      configure: () => undefined,
      forInstance: build,
      flush: () => Promise.resolve(),
      flushSync: () => undefined,
      holdsUpExit: () => false,
      droppedLines: () => 0,
      onGap: () => undefined,
    };
  };
  return { logger: build(undefined), lines };
}
