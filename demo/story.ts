// What the demo plays: the same faults with any cast, what must come of them, and the table of two
// runs side by side.
import type { Cast, Loss, Outcome, Program, Stage } from './stage.ts';

/** Two carpd, and a stock ucarp as the last to take over. */
export const MIXED: Cast = { a: 'carpd', b: 'carpd', c: 'ucarp' };
/** The same with stock ucarp alone. */
export const STOCK: Cast = { a: 'ucarp', b: 'ucarp', c: 'ucarp' };

interface Act {
  readonly loss: Loss;
  /** Start what does not run before the loss. */
  readonly refill: boolean;
  /** Who loses the address to whom in the mixed cast. */
  readonly from: Program;
  readonly to: Program;
}

const ACTS: readonly Act[] = [
  { loss: 'cut', refill: true, from: 'carpd', to: 'carpd' },
  { loss: 'stop', refill: false, from: 'carpd', to: 'ucarp' },
  { loss: 'cut', refill: true, from: 'ucarp', to: 'carpd' },
  { loss: 'stop', refill: false, from: 'carpd', to: 'carpd' },
];

/**
 * Plays all acts; yields what came of each. Throws when there is not exactly one master after one,
 * when the address does not answer, or when a mixed cast does not change the roles as planned.
 */
export async function play(stage: Stage, cast: Cast): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const act of ACTS) {
    if (act.refill) await stage.startAll();
    const outcome = await stage.lose(await stage.settled(), act.loss);
    if (cast === MIXED) expectRoles(outcome, act);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** The figures of both runs, an act a line. */
export function table(mixed: readonly Outcome[], stock: readonly Outcome[]): string[] {
  const rows = ACTS.map(({ loss }, index) => {
    const left = mixed[index];
    const right = stock[index];
    if (left === undefined || right === undefined) throw new Error('an act has no outcome');
    const what = loss === 'cut' ? 'power cut' : 'planned stop';
    const who = `${left.from} to ${left.to}`;
    const figures = [left.takeoverMs, left.gapMs, right.takeoverMs, right.gapMs].map(milliseconds);
    return [what, who, ...figures];
  });
  return [
    `${' '.repeat(16)}| ${'carpd and ucarp mixed'.padEnd(37)}  |  stock ucarp alone`,
    row(['', 'who to whom', 'takeover', 'ping gap', 'takeover', 'ping gap']),
    row(['-'.repeat(12), '-'.repeat(14), ...Array<string>(4).fill('-'.repeat(9))]),
    ...rows.map(row),
  ];
}

/** The longest ping gap of a planned stop. */
export function worstStopMs(outcomes: readonly Outcome[]): number {
  return Math.max(...outcomes.filter((_, i) => ACTS[i]?.loss === 'stop').map(({ gapMs }) => gapMs));
}

function expectRoles({ from, to }: Outcome, act: Act): void {
  if (from === act.from && to === act.to) return;
  throw new Error(`${act.to} should have followed ${act.from}; ${to} has followed ${from}`);
}

function milliseconds(value: number): string {
  return `${Math.round(value)} ms`;
}

function row([what = '', who = '', ...figures]: readonly string[]): string {
  const [takeover = '', gap = '', ...stock] = figures.map((figure) => figure.padStart(9));
  const left = `${what.padEnd(12)}  | ${who.padEnd(14)}  ${takeover}  ${gap}`;
  return `  ${left}  |  ${stock.join('  ')}`.trimEnd();
}
