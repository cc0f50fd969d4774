// Values of ucarp's options: numbers as strtoul with base 0 reads them, and the gate of ours. Pure.
import { fail, ok } from '../../base/result.ts';
import { PROMOTE_AFTER_MS } from '../config.ts';
import { show, type Read } from '../values.ts';

/** What the gate is asked to do; see the documentation of the gate. */
export type GateRequest =
  | { readonly policy: 'hold' }
  | { readonly policy: 'off' }
  | { readonly policy: 'promote-after'; readonly promoteAfterMs: number };

/** ucarp 1.5.2's names of syslog facilities (its own table), and `none` for no syslog. */
const FACILITIES = [
  ...['none', 'auth', 'authpriv', 'cron', 'daemon', 'ftp', 'kern', 'lpr', 'mail', 'mark', 'news'],
  ...['security', 'syslog', 'user', 'uucp'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
] as const;
export type Facility = (typeof FACILITIES)[number];

/**
 * A number as strtoul(..., 0) takes it: 42, 052 (octal), 0x2a, white space and "+" before it. What
 * ucarp lets pass and turns into another number is refused: signs, words after it, too large.
 */
export function strtoul(text: string, min: number, max: number): Read<number> {
  const match = /^[ \t-\r]*\+?(0[xX][\da-fA-F]+|\d+)$/.exec(text);
  const digits = match?.[1];
  if (digits === undefined || /^0\d*[89]/.test(digits)) {
    const hint = digits === undefined ? '' : ' (a leading 0 means octal)';
    return fail(`${show(text)} is not a whole number ${range(min, max)}${hint}`);
  }
  const isOctal = /^0\d/.test(digits);
  const value = isOctal ? Number.parseInt(digits, 8) : Number(digits);
  if (value < min || value > max) return fail(`${show(text)} is out of range ${range(min, max)}`);
  return ok(value);
}

/** The gate's policy: hold, off, or promote-after:SECONDS with up to three decimals. */
export function gateRequest(text: string): Read<GateRequest> {
  if (text === 'hold' || text === 'off') return ok({ policy: text });
  const match = /^promote-after:(\d{1,6}(?:\.\d{1,3})?)$/.exec(text);
  const promoteAfterMs = Math.round(Number(match?.[1]) * 1_000);
  const { min, max } = PROMOTE_AFTER_MS;
  if (promoteAfterMs >= min && promoteAfterMs <= max) {
    return ok({ policy: 'promote-after', promoteAfterMs });
  }
  const seconds = range(min / 1_000, max / 1_000);
  return fail(`${show(text)} is not one of hold, off, promote-after:SECONDS (SECONDS ${seconds})`);
}

/** The facility in lower case; undefined for a name that ucarp does not know either. */
export function facilityName(text: string): Facility | undefined {
  return FACILITIES.find((name) => name === text.toLowerCase());
}

function range(min: number, max: number): string {
  return `${String(min)}-${String(max)}`;
}
