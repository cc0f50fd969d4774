// `carpd status` as text, 80 columns wide: a table of all instances with what would happen next and
// the peers they heard, and a table of the links they stand on. Pure.
import type { State } from '../election/effects.ts';
import type { LinkReport } from './link-report.ts';
import { nextText } from './next-text.ts';
import type { InstanceReport, PeerReport, ReloadReport, StatusReport } from './report.ts';
import { hasAddressUnasked, isAlone, standbyLine } from './standby-text.ts';
import { ageText, STATUS_WORDS } from './words.ts';
import { COLUMNS, plainText, wrap } from '../base/text.ts';

/** How it is shown; what is not given is off. */
export interface StatusStyle {
  /** States in colour, as escape sequences of a terminal. */
  readonly colour?: boolean;
  /** Also those instances that would be folded, where there are many. */
  readonly all?: boolean;
}

/** So many instances are shown in whole; more of them get a line each, if at all. */
const WHOLE_MAX = 8;

/** A longer name gets a line of its own above its row, so that it can be copied whole. */
const NAME_COLUMNS_MAX = 16;
const INDENT = '    ';

const INSTANCE_HEAD = ['NAME', 'STATE', 'FOR', 'VIP', 'MASTER HEARD', 'GATE', 'NOTE'] as const;
const LINK_HEAD = ['LINK', 'READY', 'EPOCH', 'CONDITIONS'] as const;

/** SGR codes: green, cyan, yellow, red. */
const COLOURS: ReadonlyMap<string, number> = new Map<State | 'yes' | 'no', number>([
  ['MASTER', 32],
  ['BACKUP', 36],
  ['HELD', 33],
  ['INIT', 31],
  ['yes', 32],
  ['no', 33],
]);

/** All that a daemon reports, on a screen; ends with a line feed. */
export function statusText({ instances, reload }: StatusReport, style: StatusStyle = {}): string {
  const lines =
    instances.length > WHOLE_MAX
      ? foldedLines(instances, style)
      : table(INSTANCE_HEAD, instances.map(wholeRow), style);
  const links = linkRows(instances);
  const more = links.length === 0 ? [] : ['', ...table(LINK_HEAD, links, style)];
  return `${[...reloadLines(reload), ...lines, ...more].join('\n')}\n`;
}

/** That the file is not in force, ahead of what is. */
function reloadLines(reload: ReloadReport | null): readonly string[] {
  if (reload === null || reload.outcome === 'applied') return [];
  const ago = `${ageText(reload.agoMs)} ago`;
  const what =
    reload.outcome === 'refused'
      ? `RELOAD REFUSED ${ago}: the older configuration is in force.`
      : `RELOAD IN PART ${ago}: some of the new configuration is not in force.`;
  const reasons = reload.reasons.flatMap((one) => wrap(plainText(one), INDENT, INDENT));
  return [what, ...reasons, `${INDENT}Correct that, and run: carpd reload`, ''];
}

function wholeRow(report: InstanceReport): Row {
  return {
    cells: instanceCells(report),
    below: [
      ...wrap(nextText(report), `${INDENT}next  `, `${INDENT}      `),
      ...standbyLines(report),
      ...report.peers.flatMap(peerLines),
    ],
  };
}

/** Trouble first, a line for each; all that is well is one line, unless it is wanted as well. */
function foldedLines(instances: readonly InstanceReport[], style: StatusStyle): readonly string[] {
  const rowOf = (report: InstanceReport): Row => ({ cells: instanceCells(report), below: [] });
  const [bad, good] = [false, true].map((well) => instances.filter((one) => isWell(one) === well));
  const shown = [...(bad ?? []), ...(style.all === true ? (good ?? []) : [])];
  const rest = instances.length - shown.length;
  const lines = shown.length === 0 ? [] : table(INSTANCE_HEAD, shown.map(rowOf), style);
  if (rest === 0) return lines;
  const masters = (good ?? []).filter(({ state }) => state === 'MASTER').length;
  const states = `${masters} MASTER, ${rest - masters} BACKUP`;
  const text = `${rest} healthy: ${states}; carpd status --all lists them, carpd status NAME one`;
  return [...lines, ...wrap(text, '', INDENT)];
}

/** It takes part, and nothing about it is worth a look. */
function isWell(report: InstanceReport): boolean {
  const { state } = report;
  return (state === 'MASTER' || state === 'BACKUP') && noteText(report) === '';
}

type Cells = readonly [string, ...string[]];

interface Row {
  readonly cells: Cells;
  /** Lines of its own under the row. */
  readonly below: readonly string[];
}

function instanceCells(report: InstanceReport): Cells {
  const { name, state, stateForMs, vip, master, link } = report;
  const [address = vip] = vip.split('/');
  const gate = link === null ? '-' : link.gate.open ? 'open' : 'closed';
  const heard = master?.address ?? '-';
  return [plainText(name), state, ageText(stateForMs), address, heard, gate, noteText(report)];
}

/**
 * What is worth a look: by the names that explain, logs and metrics use, then in words. '' is
 * nothing.
 */
export function noteText(report: InstanceReport): string {
  const sentences = noteSentences(report);
  const names = noteNames(report).join(', ');
  return plainText([...(names === '' ? [] : [names]), ...sentences].join('; '));
}

function noteNames({ state, link, holdReasons }: InstanceReport): readonly string[] {
  const warnings = (link?.warnings ?? []).map(({ name }) => name);
  // Nothing is known of a link that can't be used.
  if (state === 'INIT') return warnings;
  const holds = holdReasons.map(({ name }) => name).filter((name) => name !== 'gate-closed');
  return [...holds, ...(link?.gate.reasons ?? []).map(({ name }) => name), ...warnings];
}

function noteSentences(report: InstanceReport): readonly string[] {
  const { state, fault, link, leaving, demoted, elsewhere, stranger } = report;
  const notes: string[] = [];
  if (state === 'INIT' && fault !== null) notes.push(fault);
  if (leaving !== null) notes.push(`leaving: ${leaving.name}`);
  if (link !== null && link.doubt !== null) notes.push(`in doubt: ${link.doubt.cause}`);
  if (demoted) notes.push('demoted: sends fail');
  if (hasAddressUnasked(report)) notes.push('has the VIP though it is not master');
  if (elsewhere.length > 0) notes.push(`VIP also on ${elsewhere.join(' and ')} of this host`);
  if (stranger !== null) notes.push(`adverts of ${stranger.address} bear another digest`);
  if (isAlone(report)) notes.push('no standby answers');
  if (link?.silent === true && state === 'BACKUP') notes.push('no advert heard');
  return notes;
}

function standbyLines(report: InstanceReport): readonly string[] {
  const line = standbyLine(report);
  return line === undefined ? [] : wrap(`standby: ${line}`, INDENT, `${INDENT}      `);
}

function peerLines({ address, role, advbase, advskew, heardAgoMs }: PeerReport): readonly string[] {
  const pace =
    advbase === null || advskew === null ? '' : `, advbase ${advbase} advskew ${advskew}`;
  const ago = ageText(heardAgoMs);
  // Neither is a fault of the peer: a backup is silent.
  const what = {
    master: `master${pace}, heard ${ago} ago`,
    quiet: `quiet: its last advert came ${ago} ago`,
    left: `left: it stepped down ${ago} ago`,
  };
  const text = `${address} ${what[role]}`;
  return wrap(text, `${INDENT}peer  `, `${INDENT}      `);
}

/** Each link once, as the first instance on it sees it. */
function linkRows(instances: readonly InstanceReport[]): readonly Row[] {
  const links = new Map<string, LinkReport>();
  for (const { interface: name, link } of instances) {
    if (link !== null && !links.has(name)) links.set(name, link);
  }
  return [...links].map(([name, link]) => ({
    cells: linkCells(name, link),
    below: [...portLines(link), ...proofLines(link)],
  }));
}

function linkCells(name: string, { conditions, epoch }: LinkReport): Cells {
  const needed = conditions.filter(({ status }) => status !== 'not-applicable');
  const ready = needed.every(({ status }) => status === 'met');
  const words = needed.map((one) => `${one.name} ${STATUS_WORDS[one.status]}`);
  return [plainText(name), ready ? 'yes' : 'no', ageText(epoch.forMs), words.join(', ')];
}

function portLines({ bond }: LinkReport): readonly string[] {
  const ports = (bond?.ports ?? []).map(({ name, status, faults }) => {
    const [fault] = faults;
    return `${name} ${status === 'met' ? 'ready' : (fault?.name ?? status)}`;
  });
  if (ports.length === 0) return [];
  return wrap(ports.join(', '), `${INDENT}ports `, `${INDENT}      `);
}

function proofLines({ evidence }: LinkReport): readonly string[] {
  const [best] = evidence;
  if (best === undefined) return [];
  const text = `${best.kind} from ${best.from}, ${ageText(best.agoMs)} ago`;
  return wrap(text, `${INDENT}proof `, `${INDENT}      `);
}

function table(head: Cells, rows: readonly Row[], style: StatusStyle): readonly string[] {
  const all = [head, ...rows.map(({ cells }) => cells)];
  const shown = all.map((row) => (isLong(row[0]) ? ['', ...row.slice(1)] : row));
  const widths = head.map((_, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0)));
  return [
    ...tableRow(head, widths, {}),
    ...rows.flatMap(({ cells, below }) => [...tableRow(cells, widths, style), ...below]),
  ];
}

function tableRow(row: Cells, widths: readonly number[], style: StatusStyle): readonly string[] {
  const [name, ...rest] = row;
  const above = isLong(name) ? [name] : [];
  const first = above.length > 0 ? '' : name;
  const note = rest.at(-1) ?? '';
  const cells = [first, ...rest.slice(0, -1)].map((cell, column) =>
    cell.padEnd(widths[column] ?? 0),
  );
  const width = cells.join('  ').length + 2 + note.length;
  const body = cells
    .map((cell, column) => (style.colour === true && column === 1 ? painted(cell) : cell))
    .join('  ');
  if (width <= COLUMNS) return [...above, `${body}  ${note}`.trimEnd()];
  // A note that does not fit beside its row stands below it.
  return [...above, body.trimEnd(), ...wrap(note, INDENT, INDENT)];
}

function isLong(name: string): boolean {
  return name.length > NAME_COLUMNS_MAX;
}

/** Colours a cell that is one of the known words, and leaves its padding alone. */
function painted(cell: string): string {
  const word = cell.trimEnd();
  const code = COLOURS.get(word);
  return code === undefined ? cell : `\u001b[${code}m${word}\u001b[0m${cell.slice(word.length)}`;
}
