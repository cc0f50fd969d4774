// The incident as text: both runs side by side, one line an event, in the order of time.
import type { Incident, IncidentEvent } from './incident.ts';
import type { Paint, Tone } from './timeline.ts';

const STAMP_COLUMNS = 7;
const COLUMNS = 43;
const TITLES = { ucarp: 'B runs stock ucarp', carpd: 'B runs carpd' } as const;
const TONES = {
  plain: 'plain',
  good: 'green',
  bad: 'red',
  step: 'yellow',
} as const satisfies Record<IncidentEvent['tone'], Tone>;

/** The lines, at most 100 columns wide; the runs in the order they are given. */
export function incidentText(runs: readonly Incident[], paint: Paint): string[] {
  const cell = (text: string, tone: Tone): string => paint(tone, text.padEnd(COLUMNS));
  const row = (stamp: string, cells: readonly string[]): string =>
    [stamp.padStart(STAMP_COLUMNS), ...cells].join(' | ').trimEnd();
  const heads = runs.map(({ program }) => cell(TITLES[program], 'bold'));
  const rules = ['-'.repeat(STAMP_COLUMNS), ...runs.map(() => '-'.repeat(COLUMNS))].join('-+-');
  const entries = runs.flatMap(({ events }, column) => events.map((event) => ({ event, column })));
  const ordered = entries.sort((one, other) => one.event.atMs - other.event.atMs);
  const lines = ordered.flatMap(({ event, column }) =>
    wrap(event.text).map((text, index) => {
      const stamp = index === 0 ? `${(Math.max(0, event.atMs) / 1_000).toFixed(2)} s` : '';
      const filled = runs.map((_, other) =>
        other === column ? cell(text, TONES[event.tone]) : cell('', 'plain'),
      );
      return row(stamp, filled);
    }),
  );
  return [row('', heads), rules, ...lines];
}

/** Breaks at spaces, so that each line fits into a cell. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(lines.length === 0 ? word : `  ${word}`);
    }
  }
  return lines;
}
