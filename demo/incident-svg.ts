// The incident as a picture: for each run the states of both nodes over time, and what the switch
// port did. Plain SVG, readable on a light and on a dark page.
import { isKept, type Bar, type Incident } from './incident.ts';

const WIDTH = 960;
const LEFT = 150;
const RIGHT = 36;
const PANEL_TOP = 64;
const PANEL_HEIGHT = 164;
const LANE_HEIGHT = 26;
const LANE_STEP = 36;
const FIRST_SECOND = -2;

const COLOURS = {
  INIT: '#d0d7de',
  HELD: '#9a6700',
  BACKUP: '#6e7781',
  MASTER: '#1a7f37',
  second: '#cf222e',
  blocked: '#57606a',
  forwards: '#b6e3ff',
} as const;

const TITLES = {
  ucarp: 'B runs stock ucarp',
  carpd: 'B runs carpd',
} as const;

/** A whole SVG document; the runs below each other on one scale of time. */
export function incidentSvg(runs: readonly Incident[]): string {
  const height = PANEL_TOP + runs.length * PANEL_HEIGHT + 36;
  const lastSecond = Math.floor(Math.min(...runs.map(({ endMs }) => endMs)) / 1_000);
  const x = (ms: number): number => {
    const share = (ms / 1_000 - FIRST_SECOND) / (lastSecond - FIRST_SECOND);
    return LEFT + Math.min(1, Math.max(0, share)) * (WIDTH - LEFT - RIGHT);
  };
  const panels = runs.flatMap((run, index) => panel(run, PANEL_TOP + index * PANEL_HEIGHT, x));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img"`,
    `  aria-label="${label(runs)}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>`,
    text(20, 28, 'Node B boots onto a bond with carrier and LACP that passes nothing', 16, true),
    text(20, 48, 'A: healthy master, stock ucarp. Seconds since B was started, from one real run.'),
    ...panels,
    ...axis(lastSecond, height, x),
    '</svg>',
  ].join('\n')}\n`;
}

function panel(run: Incident, top: number, x: (ms: number) => number): string[] {
  const kept = isKept(run);
  const verdict = kept ? 'A keeps the address' : 'B takes the address from the healthy master';
  const heading = top + 24;
  const lane = (index: number): number => top + 36 + index * LANE_STEP;
  const port = [
    rect(x(-Infinity), lane(0), x(run.forwardsMs), COLOURS.blocked, 'blocked', '#ffffff'),
    rect(x(run.forwardsMs), lane(0), x(Infinity), COLOURS.forwards, 'forwards', '#24292f'),
  ];
  const bars = run.bars.map((bar) =>
    rect(x(bar.fromMs), lane(bar.node === 'a' ? 1 : 2), x(bar.toMs), colour(bar), bar.state),
  );
  return [
    text(20, heading, TITLES[run.program], 14, true),
    text(LEFT + 40, heading, verdict, 14, true, kept ? COLOURS.MASTER : COLOURS.second),
    text(20, lane(0) + 18, 'switch port'),
    text(20, lane(1) + 18, 'A (healthy)'),
    text(20, lane(2) + 18, 'B (boots)'),
    ...port,
    ...bars,
  ];
}

/** B has no business being master in this script. */
function colour({ node, state }: Bar): string {
  return node === 'b' && state === 'MASTER' ? COLOURS.second : COLOURS[state];
}

function rect(
  fromX: number,
  y: number,
  toX: number,
  fill: string,
  name: string,
  ink = '#ffffff',
): string {
  const width = Math.max(0, toX - fromX);
  const size = `width="${fixed(width)}" height="${LANE_HEIGHT}"`;
  const box = `<rect x="${fixed(fromX)}" y="${y}" ${size} fill="${fill}"/>`;
  // About eight units a letter: a name that does not fit says nothing.
  if (width < name.length * 8 + 10) return box;
  return `${box}\n${text(fromX + 6, y + 18, name, 13, true, ink)}`;
}

function axis(lastSecond: number, height: number, x: (ms: number) => number): string[] {
  const y = height - 30;
  const marks: string[] = [];
  for (let second = FIRST_SECOND; second <= lastSecond; second += 2) {
    const at = x(second * 1_000);
    marks.push(
      `<line x1="${fixed(at)}" y1="${y}" x2="${fixed(at)}" y2="${y + 6}" stroke="#24292f"/>`,
      text(at - 6, y + 20, `${second} s`),
    );
  }
  const line = `<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#24292f"/>`;
  return [line, ...marks];
}

function text(
  x: number,
  y: number,
  words: string,
  size = 13,
  bold = false,
  fill = '#24292f',
): string {
  const weight = bold ? ' font-weight="bold"' : '';
  const at = `x="${fixed(x)}" y="${y}"`;
  return `<text ${at} font-size="${size}"${weight} fill="${fill}">${escaped(words)}</text>`;
}

function label(runs: readonly Incident[]): string {
  const words = runs.map(
    (run) => `${TITLES[run.program]}: ${isKept(run) ? 'A keeps' : 'B takes'} the address`,
  );
  return escaped(words.join('; '));
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
