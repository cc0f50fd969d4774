// The text lines of carpd's `ucarp` front end as entries of a log. Text does not name the event, so
// the wording tells it, for the events that tests ask for.
import type { OutputLine } from './child.ts';
import type { LogEntry } from './carpd-log.ts';

const LINE = /^(\S+Z) (DEBUG|INFO|WARN|ERROR|FATAL) +(.*?)(?: \[([^\]]*)\])?$/;

const LEVELS = new Map<string | undefined, LogEntry['level']>([
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['ERROR', 'error'],
  ['FATAL', 'fatal'],
]);

const EVENTS: readonly (readonly [RegExp, string])[] = [
  [/: (?:INIT|HELD|BACKUP|MASTER) -> /, 'transition'],
  [/: (?:INIT|HELD|BACKUP|MASTER) on \S+ id \d+ for /, 'state'],
  [/ (?:up|down) hook ended well /, 'hook-finished'],
  [/^woke \d+ ms late/, 'late-wake'],
  [/: heard (?:a worse|an equal) master/, 'conflict'],
  [/: could not send the /, 'send-failed'],
  [/: could not announce /, 'announce-failed'],
  [/ says that \S+ is its own /, 'vip-contested'],
  [/ fault=[a-z-]+/, 'interface-unusable'],
];

/** Reads a line; an event whose wording is not known here is called "unknown". */
export function readTextEntry({ text, atMs }: OutputLine): LogEntry | undefined {
  const [, time, label, message = '', bracket = ''] = LINE.exec(text) ?? [];
  const level = LEVELS.get(label);
  if (level === undefined) return undefined;
  const known = EVENTS.find(([pattern]) => pattern.test(`${message} ${bracket}`));
  const fields = bracket.split(' ').map((word) => readField(word));
  return {
    atMs,
    level,
    event: known?.[1] ?? 'unknown',
    message: message.replace(/^vhid-\d+: /, ''),
    fields: { time, ...Object.fromEntries(fields) },
  };
}

function readField(word: string): readonly [string, unknown] {
  const [name = '', value = ''] = word.split('=', 2);
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, /^\d+$/.test(value) ? Number(value) : value];
}
