// Text for terminals and syslog: one readable line for each JSON log line, and wrapped lines.

/** How wide a terminal may be taken to be. */
export const COLUMNS = 80;

const LEVELS = new Map([
  [20, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARN'],
  [50, 'ERROR'],
  [60, 'FATAL'],
]);

/** Fields that the line shows in a place of their own, or that say nothing to a reader. */
const SHOWN_APART = new Set(['level', 'time', 'pid', 'msg', 'instance', 'event']);

/** A log line as text. */
export interface TextLine {
  /** pino's number of the level: 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number;
  /** With time and level in front. */
  readonly line: string;
  /** Without them, for a log that adds its own. */
  readonly plain: string;
  /** The same with the event among the fields, for a log that is searched. */
  readonly searchable: string;
}

/** Turns one line of JSON into text; fields that the message does not show follow in brackets. */
export function formatText(json: string): TextLine {
  const entry = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const level = typeof entry['level'] === 'number' ? entry['level'] : 30;
  const who = typeof entry['instance'] === 'string' ? `${entry['instance']}: ` : '';
  const message = `${who}${plainText(entry['msg'])}`;
  const fields = Object.entries(entry)
    .filter(([key]) => !SHOWN_APART.has(key))
    .map(([key, value]) => `${key}=${plainText(value)}`);
  const plain = fields.length > 0 ? `${message} [${fields.join(' ')}]` : message;
  const searchable = `${message} [${[`event=${plainText(entry['event'])}`, ...fields].join(' ')}]`;
  const label = (LEVELS.get(level) ?? String(level)).padEnd(5);
  return { level, line: `${plainText(entry['time'])} ${label} ${plain}`, plain, searchable };
}

/**
 * The text in lines of at most 80 columns, but for a single word that is longer; `first` stands
 * before it, `rest` before every further line.
 */
export function wrap(text: string, first: string, rest: string): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  const words = plainText(text).split(' ');
  for (const word of words) {
    if (!empty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line = empty ? `${line}${word}` : `${line} ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}

/** "1 packet", "2 packets"; `word` takes an s for more than one. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** Control characters could forge lines or steer a terminal; hook output and peers are not ours. */
export function plainText(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\p{Cc}/gu, '?');
}
