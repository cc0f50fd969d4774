// The state machine as a picture. Which cause stands at which arrow comes from the closed list of
// transitions that the metrics count; a test holds the arrows to the whole of that list.
import { CAUSES, type Cause, type State } from '../../src/election/effects.ts';
import {
  STATE_LABELS,
  TRANSITION_SERIES,
  type StateLabel,
} from '../../src/metrics/catalogue/label-values.ts';
import { badge, COLOURS, INK, line, MUTED, picture, rect, text } from './svg.ts';

const WIDTH = 960;
const LEFT = 24;
const BOX = { width: 150, height: 64, y: 112 } as const;
const ROW_HEIGHT = 19;
const LEGEND_TOP = 308;

const INIT_X = 40;
const HELD_X = 290;
const BACKUP_X = 540;
const MASTER_X = 770;

const STATES: readonly { readonly state: State; readonly x: number; readonly tells: string }[] = [
  { state: 'INIT', x: INIT_X, tells: 'cannot take part' },
  { state: 'HELD', x: HELD_X, tells: 'may not promote' },
  { state: 'BACKUP', x: BACKUP_X, tells: 'hears the master' },
  { state: 'MASTER', x: MASTER_X, tells: 'has the virtual IP' },
];

/** One arrow of the picture: each of its causes leads from each `from` to each `to`. */
export interface Arrow {
  readonly name: string;
  readonly title: string;
  readonly from: readonly State[];
  readonly to: readonly State[];
}

export const ARROWS: readonly Arrow[] = [
  { name: '1', title: 'INIT to HELD or BACKUP', from: ['INIT'], to: ['HELD', 'BACKUP'] },
  { name: '2', title: 'HELD to BACKUP', from: ['HELD'], to: ['BACKUP'] },
  { name: '3', title: 'BACKUP to HELD', from: ['BACKUP'], to: ['HELD'] },

  { name: '4', title: 'BACKUP to MASTER', from: ['BACKUP'], to: ['MASTER'] },
  {
    name: '5',
    title: 'MASTER to BACKUP, or to HELD or INIT where the link or the interface asks for it',
    from: ['MASTER'],
    to: ['BACKUP', 'HELD', 'INIT'],
  },
  {
    name: '6',
    title: 'any state to INIT',
    from: ['HELD', 'BACKUP', 'MASTER'],
    to: ['INIT'],
  },
];

/** "held -> backup: gate-opened", as the metrics have it. */
export function changeKey(from: StateLabel, to: StateLabel, cause: string): string {
  return `${from} -> ${to}: ${cause}`;
}

const COUNTED: ReadonlySet<string> = new Set(
  TRANSITION_SERIES.map(({ from, to, cause }) => `${from} -> ${to}: ${cause}`),
);

/** The changes of state that an arrow stands for with this cause. */
export function changesOf({ from, to }: Arrow, cause: Cause): readonly string[] {
  return from.flatMap((source) =>
    to.map((target) => changeKey(STATE_LABELS[source], STATE_LABELS[target], cause)),
  );
}

/** The causes that stand at an arrow, in the order of the code. */
export function causesOf(arrow: Arrow): readonly Cause[] {
  return Object.keys(CAUSES)
    .filter(isCause)
    .filter((cause) => changesOf(arrow, cause).every((key) => COUNTED.has(key)));
}

export function statesSvg(): string {
  const rows = ARROWS.flatMap((arrow) => ['', ...causesOf(arrow)]).length;
  const height = LEGEND_TOP + rows * ROW_HEIGHT + ARROWS.length * 8 + 16;
  const title = 'The states of an instance, and what moves it from one to the next';
  return picture(WIDTH, height, title, [
    text(LEFT, 32, title, { size: 16, bold: true }),
    text(
      LEFT,
      54,
      'The numbers lead to the causes below. The log, the metrics and the events use',
      {
        fill: MUTED,
      },
    ),
    text(LEFT, 72, 'the same names.', { fill: MUTED }),
    ...STATES.flatMap(stateBox),
    ...arrows(),
    ...legend(),
  ]);
}

function stateBox({ state, x, tells }: (typeof STATES)[number]): readonly string[] {
  const ink = state === 'INIT' ? INK : '#ffffff';
  const middle = x + BOX.width / 2;
  return [
    rect(x, BOX.y, BOX.width, BOX.height, COLOURS[state]),
    text(middle, BOX.y + 28, state, { size: 16, bold: true, fill: ink, anchor: 'middle' }),
    text(middle, BOX.y + 48, tells, { size: 12, fill: ink, anchor: 'middle' }),
  ];
}

type Point = readonly [number, number];

const HEAD = BOX.y;
const FOOT = BOX.y + BOX.height;
const ABOVE = BOX.y + 20;
const BELOW = BOX.y + 46;
const OVER = BOX.y - 24;
const UNDER = FOOT + 34;
const GROUND = FOOT + 76;

/** Down from a state, along below the others, and up into one. */
function lane(y: number, from: number, to: number): readonly Point[] {
  return [
    [from, FOOT],
    [from, y],
    [to, y],
    [to, FOOT + 2],
  ];
}

function arrows(): readonly string[] {
  const right = (x: number): number => x + BOX.width;
  const over: readonly Point[] = [
    [INIT_X + 60, HEAD],
    [INIT_X + 60, OVER],
    [BACKUP_X + 75, OVER],
    [BACKUP_X + 75, HEAD - 2],
  ];
  const ways: readonly (readonly Point[])[] = [
    [
      [right(INIT_X), ABOVE],
      [HELD_X - 2, ABOVE],
    ],
    over,
    [
      [right(HELD_X), ABOVE],
      [BACKUP_X - 2, ABOVE],
    ],
    [
      [BACKUP_X, BELOW],
      [right(HELD_X) + 2, BELOW],
    ],
    [
      [right(BACKUP_X), ABOVE],
      [MASTER_X - 2, ABOVE],
    ],
    [
      [MASTER_X, BELOW],
      [right(BACKUP_X) + 2, BELOW],
    ],
    lane(UNDER, MASTER_X + 100, HELD_X + 110),
    lane(GROUND, MASTER_X + 125, INIT_X + 60),
  ];
  const joins: readonly (readonly Point[])[] = [HELD_X + 60, BACKUP_X + 40].map((x) => [
    [x, FOOT],
    [x, GROUND],
  ]);
  const names: readonly (readonly [number, number, string])[] = [
    [right(INIT_X) + 45, ABOVE, '1'],
    [HELD_X + 75, OVER, '1'],
    [right(HELD_X) + 45, ABOVE, '2'],
    [right(HELD_X) + 45, BELOW, '3'],
    [right(BACKUP_X) + 38, ABOVE, '4'],
    [right(BACKUP_X) + 38, BELOW, '5'],
    [BACKUP_X + 75, UNDER, '5'],
    [HELD_X - 40, GROUND, '6'],
    [MASTER_X + 20, GROUND, '5'],
    [MASTER_X + 50, GROUND, '6'],
  ];
  return [
    ...ways.map((points) => line(points, true)),
    ...joins.map((points) => line(points)),
    ...names.map(([x, y, name]) => badge(x, y, name)),
  ];
}

function legend(): readonly string[] {
  let y = LEGEND_TOP;
  return ARROWS.flatMap((arrow) => {
    const head = [
      badge(LEFT + 11, y - 4.5, arrow.name),
      text(LEFT + 32, y, arrow.title, { bold: true }),
    ];
    const rows = causesOf(arrow).flatMap((cause) => {
      y += ROW_HEIGHT;
      return [
        text(LEFT + 32, y, cause, { size: 12, mono: true }),
        text(LEFT + 190, y, CAUSES[cause], { size: 12 }),
      ];
    });
    y += ROW_HEIGHT + 8;
    return [...head, ...rows];
  });
}

function isCause(name: string): name is Cause {
  return Object.hasOwn(CAUSES, name);
}
