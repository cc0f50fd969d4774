// What a terminal gets that a pipe does not: colour and lines that fit; and the local time.
import { wrap } from '../base/text.ts';

/** What of an output decides how it looks. */
export interface TerminalLike {
  readonly isTTY?: boolean;
}

/** Colour on a terminal that has it, unless the user asks for none (no-color.org). */
export function hasColour({ isTTY }: TerminalLike): boolean {
  const refused = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return isTTY === true && !refused;
}

/** One entry of a list, wrapped at words on a terminal; in a pipe it stays one line. */
export function fitted(line: string, { isTTY }: TerminalLike): string {
  return isTTY === true ? wrap(line, '', '    ').join('\n') : line;
}

/** "2026-11-23 10:41:07+01:00" of a time in ISO 8601, where this process is. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const day = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(twoDigits).join('-');
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  return `${day} ${clock}${offsetText(at)}`;
}

/** "10:41:07.123+01:00", of milliseconds in Unix time. */
export function localTimeOfDay(unixMs: number): string {
  const at = new Date(unixMs);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  return `${clock}.${String(at.getMilliseconds()).padStart(3, '0')}${offsetText(at)}`;
}

function offsetText(at: Date): string {
  // Minutes that local time is behind UTC, so that the sign is the other way round.
  const behind = at.getTimezoneOffset();
  const minutes = Math.abs(behind);
  const parts = [Math.floor(minutes / 60), minutes % 60].map(twoDigits);
  return `${behind > 0 ? '-' : '+'}${parts.join(':')}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
