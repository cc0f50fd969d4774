// `carpd status` as a table of all instances, 80 columns wide. Pure.
import type { InstanceReport, StatusReport } from './report.ts';
import { shortTimeText } from './report-words.ts';
import { COLUMNS, plainText, wrap } from './text-format.ts';

/** A longer name gets a line of its own above its row, so that it can be copied whole. */
const NAME_COLUMNS_MAX = 16;
const NOTE_INDENT = '    ';

const HEAD = ['NAME', 'STATE', 'FOR', 'VIP', 'MASTER HEARD', 'GATE', 'NOTE'] as const;

/** One row for each instance; ends with a line feed. */
export function statusTable({ instances }: StatusReport): string {
  const rows = instances.map(cells);
  const shown = [HEAD, ...rows].map((row) => (isLong(row[0]) ? ['', ...row.slice(1)] : row));
  const widths = HEAD.map((_, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0)));
  const lines = [HEAD, ...rows].flatMap((row) => tableRow(row, widths));
  return `${lines.join('\n')}\n`;
}

type Cells = readonly [string, ...string[]];

function cells(report: InstanceReport): Cells {
  const { name, state, stateForMs, vip, master, link } = report;
  const [address = vip] = vip.split('/');
  const gate = link === null ? '-' : link.gate.open ? 'open' : 'closed';
  return [
    plainText(name),
    state,
    shortTimeText(stateForMs),
    address,
    master?.address ?? '-',
    gate,
    noteText(report),
  ];
}

/** What is worth a look, by the names that explain, logs and metrics use. */
function noteText({ state, fault, link, holdReasons, leaving, demoted }: InstanceReport): string {
  const notes: string[] = [];
  if (state === 'INIT' && fault !== null) notes.push(fault);
  if (leaving !== null) notes.push(`leaving: ${leaving.name}`);
  if (link !== null && link.doubt !== null) notes.push(`in doubt: ${link.doubt.cause}`);
  if (demoted) notes.push('demoted: sends fail');
  for (const { name } of holdReasons) if (name !== 'gate-closed') notes.push(name);
  if (state !== 'INIT') notes.push(...(link?.gate.reasons ?? []).map(({ name }) => name));
  notes.push(...(link?.warnings ?? []).map(({ name }) => name));
  if (link?.silent === true && state === 'BACKUP') notes.push('no advert heard');
  return plainText(notes.join(', '));
}

function tableRow(row: Cells, widths: readonly number[]): readonly string[] {
  const [name, ...rest] = row;
  const above = isLong(name) ? [name] : [];
  const first = above.length > 0 ? '' : name;
  const note = rest.at(-1) ?? '';
  const body = [first, ...rest.slice(0, -1)]
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join('  ');
  const whole = `${body}  ${note}`.trimEnd();
  if (whole.length <= COLUMNS) return [...above, whole];
  // A note that does not fit beside its row stands below it.
  return [...above, body.trimEnd(), ...wrap(note, NOTE_INDENT, NOTE_INDENT)];
}

function isLong(name: string): boolean {
  return name.length > NAME_COLUMNS_MAX;
}
