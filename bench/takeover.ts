// How long a group is without adverts after its master was killed.
import { Capture } from '../lab/capture.ts';
import { Pair, wallNowMs, type Gate, type Program } from './pair.ts';
import type { Progress, Row } from './report.ts';

/** deadRatio x advbase, with ucarp's defaults. */
const FORMULA_MS = 3_000;
/** What carpd may need beyond the formula. */
const CARPD_SLACK_MS = 30;
const WAIT_MS = 10_000;

/**
 * Last advert of a master killed at a random phase to the first advert of its backup, both as they
 * were on the wire. The programs of a mixed pair take turns, so that each is `runs` times the
 * backup. One row for each kind of backup.
 */
export async function benchTakeover(
  programs: readonly [Program, Program],
  runs: number,
  progress: Progress,
  gate: Gate = 'hold',
): Promise<Row[]> {
  const rounds = programs[0] === programs[1] ? runs : 2 * runs;
  const samples = new Map<string, { backup: Program; values: number[] }>();
  const pair = await Pair.start(programs, gate);
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const { master, backup } = pair;
      const note = gate === 'off' ? ', gate off' : '';
      const label = `${backup.program} takes over from ${master.program}${note}`;
      const sample = samples.get(label) ?? { backup: backup.program, values: [] };
      samples.set(label, sample);
      const ms = await takeoverMs(pair);
      sample.values.push(ms);
      progress(`${label}, round ${round} of ${rounds}`, ms);
      if (round < rounds) await pair.swap();
    }
  } finally {
    pair.lab.close();
  }
  return [...samples].map(([label, { backup, values }]) => ({
    label,
    values,
    ...(backup === 'carpd' ? { targetMs: FORMULA_MS + CARPD_SLACK_MS } : {}),
  }));
}

async function takeoverMs(pair: Pair): Promise<number> {
  const { master, backup } = pair;
  const capture = await Capture.start(pair.lab.switch);
  await pair.settle(capture);
  const killedMs = wallNowMs();
  const ended = master.peer.kill();
  const source = backup.host.address;
  const first = await capture.advert(1, { source, afterMs: killedMs }, WAIT_MS);
  const last = capture.adverts({ source: master.host.address }).at(-1);
  await ended;
  await capture.stop();
  if (last === undefined) throw new Error('no advert of the killed master was captured');
  return first.atMs - last.atMs;
}
