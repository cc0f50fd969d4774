// A screen of `carpd explain` with notes beside it. The screen is one that a real daemon printed.
import { COLOURS, line, MUTED, picture, rect, text } from './svg.ts';

const WIDTH = 1080;
const TOP = 76;
const ROW_HEIGHT = 18;
const SCREEN = { x: 20, width: 640 } as const;
const NOTE_X = 700;

/** A note belongs to the first line that begins so. */
export const NOTES: readonly { readonly at: string; readonly tells: readonly string[] }[] = [
  { at: 'vip is ', tells: ['The answer, in one sentence.'] },
  { at: '  state ', tells: ['Since when, what it was before,', 'and the cause of the change.'] },
  { at: '  master ', tells: ['Whom it follows. Here: nobody.'] },
  { at: '  gate ', tells: ['Why it is held: MISSING is the answer.'] },
  { at: '  epoch ', tells: ['Older proof does not count.'] },
  { at: '  evidence ', tells: ['The proof so far.'] },
  { at: '  asking ', tells: ['Whom carpd asks by ARP right now.'] },
  { at: 'Missing:', tells: ['What is missing,'] },
  { at: '  > ', tells: ['and what you can do about it.'] },
];

export function explainSvg(screen: string): string {
  const lines = screen.trimEnd().split('\n');
  const height = TOP + lines.length * ROW_HEIGHT + 28;
  const label = 'A screen of carpd explain, with a note beside each row that matters';
  const notes = NOTES.flatMap(({ at, tells }) => {
    const index = lines.findIndex((words) => words.startsWith(at));
    if (index === -1) throw new Error(`no line of the screen begins with "${at}"`);
    const y = TOP + index * ROW_HEIGHT;
    return [
      line(
        [
          [NOTE_X - 8, y - 4],
          [SCREEN.x + SCREEN.width + 2, y - 4],
        ],
        true,
      ),
      ...tells.map((words, row) => text(NOTE_X, y + row * 16, words, { fill: COLOURS.sky })),
    ];
  });
  return picture(WIDTH, height, label, [
    text(20, 32, 'Reading carpd explain', { size: 16, bold: true }),
    text(210, 32, 'a real screen: this node has just started, and nobody else speaks', {
      fill: MUTED,
    }),
    rect(
      SCREEN.x,
      TOP - 26,
      SCREEN.width,
      lines.length * ROW_HEIGHT + 32,
      COLOURS.paper,
      COLOURS.line,
    ),
    ...lines.map((words, row) =>
      text(SCREEN.x + 12, TOP + row * ROW_HEIGHT, words, { size: 12.5, mono: true }),
    ),
    ...notes,
  ]);
}
