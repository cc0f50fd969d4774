// Reads single configuration values: each reader takes anything and gives the value it stands for
// or a sentence that says what is wrong with it and what would be right. Pure.
import { fail, ok, type Result } from '../base/result.ts';
import { ANY_IPV4, isMulticast, parseIpv4 } from '../base/addresses.ts';
import { parseVhid } from '../carp/group.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { Vhid } from '../carp/group.ts';
import type { PrefixedAddress } from './config.ts';

/** A value, or why there is none, as the end of the sentence "KEY: ...". */
export type Read<Value> = Result<Value, string>;
export type Reader<Value> = (value: unknown) => Read<Value>;

/** One day: longer is a slip of the unit. */
const DAY_MS = 86_400_000;

const SHOWN_LENGTH_MAX = 40;
/** Of an alternative name (ALTIFNAMSIZ); a name proper has at most 15 bytes. */
const INTERFACE_NAME_LENGTH_MAX = 127;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** The value as it may stand in a message: one line, short, collections by their kind only. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'no value';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return 'a mapping';
  // Printable ASCII only, so that a message stays one line and harmless on a terminal.
  const text = JSON.stringify(value).replaceAll(/[^ -~]/gu, codePoint);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}...` : text;
}

/** A whole number from `min` to `max`. Text is refused: 7 and "7" are not the same in YAML. */
export function integer(min: number, max: number): Reader<number> {
  const range = `${String(min)}-${String(max)}`;
  return (value) => {
    if (typeof value !== 'number') {
      return fail(`${show(value)} is not a number; give a whole number ${range}, without quotes`);
    }
    if (!Number.isInteger(value)) return fail(`${show(value)} is not a whole number ${range}`);
    if (value < min || value > max) return fail(`${show(value)} is out of range ${range}`);
    return ok(value);
  };
}

/** A virtual host id, 1 to 255. */
export function vhid(value: unknown): Read<Vhid> {
  const number = integer(1, 255)(value);
  if (!number.ok) return number;
  const id = parseVhid(number.value);
  return id === undefined ? fail('is out of range 1-255') : ok(id);
}

/** True or false; YAML's "yes", "on" and 1 are refused, since YAML 1.2 reads them as text. */
export function boolean(value: unknown): Read<boolean> {
  if (typeof value === 'boolean') return ok(value);
  return fail(`${show(value)} is not true or false; write true or false, without quotes`);
}

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): Reader<Word> {
  return (value) => {
    const word = words.find((candidate) => candidate === value);
    return word === undefined ? fail(`${show(value)} is not one of ${words.join(', ')}`) : ok(word);
  };
}

/** "250ms", "5s", "2m" or a number of seconds, in milliseconds from `minMs` to `maxMs`. */
export function durationMs(minMs: number, maxMs = DAY_MS): Reader<number> {
  const max = maxMs === DAY_MS ? '24 hours' : formatDuration(maxMs);
  return (value) => {
    const milliseconds = typeof value === 'number' ? value * 1_000 : durationText(value);
    if (milliseconds === undefined || !Number.isFinite(milliseconds)) {
      return fail(
        `${show(value)} is not a duration; write "250ms", "5s", "2m" or a number of seconds`,
      );
    }
    const whole = Math.round(milliseconds);
    if (whole < minMs || whole > maxMs) {
      return fail(`${show(value)} is out of range ${formatDuration(minMs)} to ${max}`);
    }
    return ok(whole);
  };
}

/** The same, or the word "off". YAML reads a bare `off` as a text, and `no` as well. */
export function durationOrOff(minMs: number, maxMs = DAY_MS): Reader<number | 'off'> {
  const duration = durationMs(minMs, maxMs);
  return (value) => (value === 'off' ? ok('off') : duration(value));
}

/** The shortest exact text of whole milliseconds: "10s", "1500ms". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds % 1_000 !== 0) return `${String(milliseconds)}ms`;
  return `${String(milliseconds / 1_000)}s`;
}

/** Dotted-quad text. */
function ipv4Value(value: unknown): Read<Ipv4> {
  const address = typeof value === 'string' ? parseIpv4(value) : undefined;
  if (address !== undefined) return ok(address);
  return fail(`${show(value)} is not an IPv4 address; write four numbers such as 10.9.0.10`);
}

/** An address a host can have: not 0.0.0.0/8, loopback, multicast, reserved or broadcast. */
export function hostAddress(value: unknown): Read<Ipv4> {
  const address = ipv4Value(value);
  if (!address.ok) return address;
  const problem = unicastProblem(address.value);
  return problem === undefined ? address : fail(`${show(value)} is ${problem}`);
}

/** Where adverts may go; whether it must be a multicast group depends on another key. */
export function destinationAddress(value: unknown): Read<Ipv4> {
  const address = ipv4Value(value);
  if (!address.ok || address.value !== ANY_IPV4) return address;
  return fail(`${show(value)} is not an address; 224.0.0.18 is the group of CARP`);
}

/** A host address with an optional prefix length of 1 to 32; 32 without one. */
export function prefixedAddress(value: unknown): Read<PrefixedAddress> {
  const [, host, prefix] =
    /^([^/]*)(?:\/(.*))?$/s.exec(typeof value === 'string' ? value : '') ?? [];
  const ip = host === undefined ? undefined : parseIpv4(host);
  if (ip === undefined) {
    return fail(`${show(value)} is not an IPv4 address; write it such as 10.9.0.100/24`);
  }
  const problem = unicastProblem(ip);
  if (problem !== undefined) return fail(`${show(value)} is ${problem}`);
  if (prefix === undefined) return ok({ ip, prefixLength: 32 });
  const prefixLength = /^(?:[1-9]|[12]\d|3[0-2])$/.test(prefix) ? Number(prefix) : undefined;
  if (prefixLength !== undefined) return ok({ ip, prefixLength });
  return fail(`${show(value)} has no prefix length 1-32 after the slash; 24 is usual, 32 for none`);
}

/** Why no host can have this address, or undefined if one can. */
function unicastProblem(address: Ipv4): string | undefined {
  const remedy = 'give a unicast address of the segment';
  if (address === ANY_IPV4) return `not an address; ${remedy}`;
  if (address === 0xffffffff) return `the broadcast address; ${remedy}`;
  if (address >>> 24 === 0) return `in 0.0.0.0/8, which no host can have; ${remedy}`;
  if (address >>> 24 === 127) return `a loopback address; ${remedy}`;
  if (isMulticast(address)) return `a multicast address; ${remedy}`;
  if (address >>> 28 === 0xf) return `in the reserved range 240.0.0.0/4; ${remedy}`;
  return undefined;
}

/** A name, also an alternative one, of an interface: 1-127 bytes, no "/", ":", space, dot names. */
export function interfaceName(value: unknown): Read<string> {
  if (typeof value !== 'string') {
    return fail(`${show(value)} is not an interface name; write a name such as bond0`);
  }
  const problem = interfaceNameProblem(value);
  return problem === undefined ? ok(value) : fail(`${show(value)} ${problem}`);
}

/** Why Linux takes no such interface name, as the end of a sentence; undefined if it does. */
export function interfaceNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty; name an interface such as bond0';
  if (new TextEncoder().encode(name).length > INTERFACE_NAME_LENGTH_MAX) {
    return `is longer than the ${String(INTERFACE_NAME_LENGTH_MAX)} bytes of an interface name`;
  }
  // Linux dev_valid_name: no "/", ":" or white space, not "." or "..".
  if (name === '.' || name === '..' || /[/:\s\0]/.test(name)) {
    return 'is not an interface name: no "/", ":" or space may be in it';
  }
  return undefined;
}

/** Program and arguments; the program by its absolute path. An empty list is none. */
export function command(value: unknown): Read<readonly string[]> {
  if (!Array.isArray(value)) {
    return fail(`${show(value)} is not a list; write [/path/to/program, argument]`);
  }
  const list: readonly unknown[] = value;
  const words: string[] = [];
  for (const word of list) {
    if (typeof word !== 'string') return fail(`${show(word)} in the list is not text; quote it`);
    if (word.includes('\0')) return fail('a word in the list holds a NUL byte; take it out');
    words.push(word);
  }
  const program = words[0];
  if (program !== undefined && !program.startsWith('/')) {
    return fail(`${show(program)} is not an absolute path; no shell and no PATH is used`);
  }
  return ok(words);
}

/** Text without NUL bytes, as one argument of a program. */
export function argument(value: unknown): Read<string> {
  if (typeof value !== 'string') return fail(`${show(value)} is not text; put it in quotes`);
  return value.includes('\0') ? fail('holds a NUL byte; take it out') : ok(value);
}

/** The longest path of a Unix socket: sun_path has room for 108 bytes, the closing NUL included. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** The absolute path of a Unix socket, or undefined for the word "off". */
export function socketPath(value: unknown): Read<string | undefined> {
  if (value === 'off') return ok(undefined);
  const path = argument(value);
  if (!path.ok || !path.value.startsWith('/')) {
    return fail(`${show(value)} is not an absolute path; write /run/carpd/control.sock, or off`);
  }
  if (path.value.endsWith('/')) return fail(`${show(value)} names a directory; add a file name`);
  if (new TextEncoder().encode(path.value).length > SOCKET_PATH_BYTES_MAX) {
    const limit = String(SOCKET_PATH_BYTES_MAX);
    return fail(`is longer than the ${limit} bytes of a Unix socket's path; choose a shorter one`);
  }
  return path;
}

/** Name or number of a Unix group; whether there is one is known only where the daemon runs. */
export function unixGroup(value: unknown): Read<string> {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return ok(String(value));
  if (typeof value === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/.test(value)) {
    return ok(value);
  }
  return fail(`${show(value)} is not a group; write its name or number, such as adm`);
}

/** The absolute path of a directory, or undefined for the word "off". */
export function directory(value: unknown): Read<string | undefined> {
  if (value === 'off') return ok(undefined);
  const path = argument(value);
  if (path.ok && path.value.startsWith('/')) return path;
  return fail(`${show(value)} is not an absolute path; write it such as /var/lib/carpd, or off`);
}

function codePoint(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function durationText(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m)$/.exec(value);
  const factor = UNIT_MS[match?.[2] ?? ''];
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}
