// What carpd told of itself: the lines of its log, by their event.
import type { EventName } from '../src/events/events.ts';
import type { Child, OutputLine } from './child.ts';
import type { Peer } from './peer.ts';
import { readTextEntry } from './text-log.ts';

/** One line of carpd's log. */
export interface LogEntry {
  /** When it arrived, on the lab's time line. */
  readonly atMs: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a line must be like: its event, or one of these, and fields that must be equal. */
export interface LogMatch {
  readonly event: EventName | readonly EventName[];
  readonly level?: LogEntry['level'];
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Only lines later than this on the lab's time line. */
  readonly afterMs?: number;
}

/** The lines so far that match, in order. */
export function logEntries(from: Peer | Child, match: LogMatch): readonly LogEntry[] {
  return childOf(from)
    .lines.map(readEntry)
    .filter((entry) => entry !== undefined)
    .filter((entry) => matches(entry, match));
}

/** The first line that matches, at once or when it comes. */
export function logEntry(from: Peer | Child, match: LogMatch, withinMs: number): Promise<LogEntry> {
  const what = `the line ${JSON.stringify(match)}`;
  return childOf(from).until(() => logEntries(from, match)[0], what, withinMs);
}

/** The events of level warning and above so far, each once. */
export function loudEvents(from: Peer | Child): readonly string[] {
  const entries = childOf(from).lines.map(readEntry);
  const loud = entries.filter((entry) => entry !== undefined).filter(isLoud);
  return [...new Set(loud.map(({ event }) => event))];
}

/** Reads a line of JSON or, as the `ucarp` front end writes it, of text. */
export function readEntry(line: OutputLine): LogEntry | undefined {
  const { text, atMs } = line;
  if (!text.startsWith('{')) return readTextEntry(line);
  try {
    const { level, event, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    const known = LEVELS.get(level);
    if (known === undefined || typeof event !== 'string') return undefined;
    return { atMs, level: known, event, message: String(msg), fields };
  } catch {
    // A process that is killed can leave half a line.
    return undefined;
  }
}

const LEVELS = new Map<unknown, LogEntry['level']>([
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
]);

function childOf(from: Peer | Child): Child {
  return 'child' in from ? from.child : from;
}

function isLoud({ level }: LogEntry): boolean {
  return level === 'warn' || level === 'error' || level === 'fatal';
}

function matches(entry: LogEntry, match: LogMatch): boolean {
  return (
    [match.event].flat().some((event) => event === entry.event) &&
    (match.level === undefined || entry.level === match.level) &&
    (match.afterMs === undefined || entry.atMs > match.afterMs) &&
    Object.entries(match.fields ?? {}).every(([key, value]) => entry.fields[key] === value)
  );
}
