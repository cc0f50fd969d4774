// A takeover as a client's network card saw it: the adverts of both hosts, the announcements and the
// answers to a ping, from one real run.
import { COLOURS, INK, line, MUTED, picture, rect, text } from './svg.ts';

const WIDTH = 960;
const HEIGHT = 330;
const LEFT = 190;
const RIGHT = 30;
const LANE = { top: 92, step: 44 } as const;

/** A run; all times in milliseconds since the last advert of the master that was killed. */
export interface Takeover {
  readonly fromMs: number;
  readonly toMs: number;
  readonly killedMs: number;
  readonly adverts: readonly { readonly node: 'a' | 'b'; readonly atMs: number }[];
  /** Gratuitous ARPs of the node that took over. */
  readonly announcements: readonly number[];
  /** The time in which no ping of the client was answered. */
  readonly silence: { readonly fromMs: number; readonly toMs: number };
}

export function takeoverSvg(run: Takeover): string {
  const x = (ms: number): number =>
    LEFT + ((ms - run.fromMs) / (run.toMs - run.fromMs)) * (WIDTH - LEFT - RIGHT);
  const y = (index: number): number => LANE.top + index * LANE.step;
  const ticks = (times: readonly number[], index: number, colour: string): readonly string[] =>
    times.map((atMs) => rect(x(atMs) - 2, y(index), 4, 24, colour));
  const of = (node: string): readonly number[] =>
    run.adverts.filter((advert) => advert.node === node).map(({ atMs }) => atMs);
  const [first = run.toMs] = of('b');
  const title = `A takeover on the wire: ${seconds(first)} after the last advert, B is master`;
  const { silence } = run;
  return picture(WIDTH, HEIGHT, title, [
    text(20, 32, title, { size: 16, bold: true }),
    text(
      20,
      54,
      'One real run: host A is killed with SIGKILL and its network is cut. Times from A’s last advert.',
      {
        fill: MUTED,
      },
    ),
    ...['adverts of A', 'adverts of B', 'gratuitous ARPs of B', 'pings to the virtual IP'].map(
      (words, index) => text(20, y(index) + 17, words),
    ),
    ...ticks(of('a'), 0, COLOURS.MASTER),
    ...ticks(of('b'), 1, COLOURS.MASTER),
    ...ticks(run.announcements, 2, COLOURS.sky),
    rect(x(run.fromMs), y(3), x(silence.fromMs) - x(run.fromMs), 24, COLOURS.MASTER),
    rect(x(silence.fromMs), y(3), x(silence.toMs) - x(silence.fromMs), 24, COLOURS.alarm),
    rect(x(silence.toMs), y(3), x(run.toMs) - x(silence.toMs), 24, COLOURS.MASTER),
    text(
      x(silence.fromMs) + 8,
      y(3) + 17,
      `no answer for ${seconds(silence.toMs - silence.fromMs)}`,
      {
        bold: true,
        fill: '#ffffff',
      },
    ),
    text(x(run.killedMs) + 6, y(0) + 17, 'A is killed', { bold: true, fill: COLOURS.alarm }),
    line([
      [x(run.killedMs), y(0) - 8],
      [x(run.killedMs), y(3) + 32],
    ]),
    ...axis(run, x, y(4) + 4),
  ]);
}

function axis(run: Takeover, x: (ms: number) => number, y: number): readonly string[] {
  const marks: string[] = [
    line([
      [x(run.fromMs), y],
      [x(run.toMs), y],
    ]),
  ];
  for (let second = Math.ceil(run.fromMs / 1_000); second * 1_000 <= run.toMs; second += 1) {
    const at = x(second * 1_000);
    marks.push(
      line([
        [at, y],
        [at, y + 6],
      ]),
    );
    marks.push(text(at, y + 22, `${second} s`, { anchor: 'middle', fill: INK }));
  }
  const dead = x(3_000);
  return [
    ...marks,
    text(dead, y + 40, 'dead interval', { anchor: 'middle', size: 12, fill: MUTED }),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
