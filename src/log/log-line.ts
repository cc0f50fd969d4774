// A line of the log before it is written: what an event comes to, as plain data.
import type { Micros } from '../base/time.ts';
import type { LogEventName } from './line-names.ts';
import type { LogFields } from './log.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface LogLine {
  readonly level: LogLevel;
  readonly event: LogEventName;
  /** A sentence for people. */
  readonly message: string;
  readonly fields?: LogFields;
  /** What it is of its event, from a closed list, where each has a quota of its own. */
  readonly kind?: string;
  /** It is told in any case: nothing comes after it, or it says what to do at once. */
  readonly unlimited?: true;
  /** Lines with this key are written once in the period; besides the quota of the kind. */
  readonly limit?: { readonly key: string; readonly period: Micros };
}

/** Makes the lines of one level. */
export function lineOf(
  level: LogLevel,
  event: LogEventName,
  message: string,
  fields: LogFields = {},
): LogLine {
  return { level, event, message, fields };
}
