// What the benches found, as text: tables that are Markdown and readable as they are.
import { availableParallelism, cpus, release } from 'node:os';

/** Told after every single measurement. */
export type Progress = (what: string, ms: number) => void;

/** The measurements of one quantity. */
export interface Row {
  readonly label: string;
  /** Milliseconds. */
  readonly values: readonly number[];
  /** What no run should exceed; without it there is nothing to meet. */
  readonly targetMs?: number;
}

/** Rows that belong together. */
export interface Figure {
  readonly title: string;
  /** What is measured, as a sentence or two. */
  readonly text: string;
  /** The finished table. */
  readonly table: string;
}

/** The table of `rows`: runs, median, least and most of each, and whether its target was met. */
export function rowTable(rows: readonly Row[]): string {
  const header = ['', 'runs', 'median ms', 'min ms', 'max ms', 'target ms', ''];
  const body = rows.map((row) => {
    const { label, values, targetMs } = row;
    const numbers = [median(values), Math.min(...values), Math.max(...values)].map(oneDecimal);
    const target = targetMs === undefined ? '' : `<= ${targetMs}`;
    return [label, String(values.length), ...numbers, target, verdict(row)];
  });
  return table(header, body);
}

/** A Markdown table: columns without a heading are text, the others numbers, aligned right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) =>
    Math.max(3, ...[header, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const isLeft = (column: number): boolean => header[column] === '';
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? '';
      return isLeft(column) ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) =>
    isLeft(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/** The middle of the values; the mean of the two in the middle if their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  return (lower + upper) / 2;
}

/** How the figures came about. */
export interface Circumstances {
  readonly command: string;
  /** One minute's load average from before the first measurement: what else used the cores. */
  readonly loadBefore: number;
}

/** The whole report; the same text goes to the terminal and into the documentation. */
export function report(figures: readonly Figure[], circumstances: Circumstances): string {
  const sections = figures.map(
    ({ title, text, table: rows }) => `## ${title}\n\n${text}\n\n${rows}\n`,
  );
  return [`# Benchmarks\n\n${conditions(circumstances)}\n`, ...sections].join('\n');
}

function conditions({ command, loadBefore }: Circumstances): string {
  const model = cpus()[0]?.model.trim() ?? '';
  const known = model === '' || model === 'unknown' ? '' : ` (${model})`;
  return [
    `Measured by \`${command}\` on ${new Date().toISOString().slice(0, 10)}:`,
    `${availableParallelism()} cores${known}, Linux ${release()}, Node ${process.version},`,
    `load average ${loadBefore.toFixed(1)} before it began,`,
    'stock ucarp 1.5.2 in the same run, all in network namespaces of one machine.',
    'Frames are timed by the kernel that captured them. A target is met if no run exceeded it.',
  ].join('\n');
}

function verdict({ values, targetMs }: Row): string {
  if (targetMs === undefined) return '';
  if (Math.max(...values) <= targetMs) return 'met';
  return median(values) <= targetMs ? 'met by the median' : 'missed';
}

function oneDecimal(value: number): string {
  return value.toFixed(1);
}
