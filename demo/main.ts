// The demo: two carpd and a real ucarp share a virtual IP, lose a master and keep answering; beside
// it the same with stock ucarp alone. Everything happens in network namespaces that are removed.
import { messageOf } from '../src/base/errors.ts';
import { labSkipReason } from '../test/lab/namespaces.ts';
import { ucarpSkipReason } from '../test/lab/ucarp-peer.ts';
import { Stage, VIP, type Outcome } from './stage.ts';
import { paint, Timeline } from './timeline.ts';

interface Mixed {
  readonly cut: Outcome;
  readonly stopToUcarp: Outcome;
  readonly cutUcarp: Outcome;
  readonly stopToCarpd: Outcome;
}

interface Stock {
  readonly cut: Outcome;
  readonly stop: Outcome;
}

/** Two carpd and one ucarp; every kind of change once. */
async function runMixed(stage: Stage): Promise<Mixed> {
  await stage.start('a', 'carpd', 0);
  await stage.settled('a');
  await stage.start('b', 'carpd', 20);
  await stage.start('c', 'ucarp', 40);
  await stage.steady();
  const cut = expectWinner(await stage.cut('a'), 'b');
  await stage.steady();
  const stopToUcarp = expectWinner(await stage.stop('b'), 'c');
  await stage.revive('a');
  await stage.start('a', 'carpd', 0);
  await stage.steady();
  const cutUcarp = expectWinner(await stage.cut('c'), 'a');
  await stage.start('b', 'carpd', 20);
  await stage.steady();
  const stopToCarpd = expectWinner(await stage.stop('a'), 'b');
  return { cut, stopToUcarp, cutUcarp, stopToCarpd };
}

/** The same hosts with stock ucarp on all of them. */
async function runStock(stage: Stage): Promise<Stock> {
  await stage.start('a', 'ucarp', 0);
  await stage.settled('a');
  await stage.start('b', 'ucarp', 20);
  await stage.start('c', 'ucarp', 40);
  await stage.steady();
  const cut = await stage.cut('a');
  await stage.steady();
  return { cut, stop: await stage.stop(cut.winner) };
}

function expectWinner(outcome: Outcome, expected: string): Outcome {
  if (outcome.winner === expected) return outcome;
  throw new Error(`${outcome.winner} has taken over, where ${expected} should have`);
}

function table(mixed: Mixed, stock: Stock): string {
  const ms = (value: number): string => `${Math.round(value)} ms`;
  const rows: readonly (readonly [string, string, string])[] = [
    ['', 'with carpd', 'ucarp alone'],
    ['power cut: last advert to next master', ms(mixed.cut.takeoverMs), ms(stock.cut.takeoverMs)],
    ['power cut: pings without an answer', ms(mixed.cut.pingGapMs), ms(stock.cut.pingGapMs)],
    ['power cut of ucarp, carpd takes over', ms(mixed.cutUcarp.takeoverMs), ''],
    ['planned stop, carpd to ucarp: pings', ms(mixed.stopToUcarp.pingGapMs), ''],
    ['planned stop, carpd to carpd: pings', ms(mixed.stopToCarpd.pingGapMs), ''],
    ['planned stop, ucarp to ucarp: pings', '', ms(stock.stop.pingGapMs)],
  ];
  const line = ([what, carpd, ucarp]: (typeof rows)[number]): string =>
    `  ${what.padEnd(40)}${carpd.padStart(12)}${ucarp.padStart(14)}`;
  return rows.map(line).join('\n');
}

async function main(): Promise<number> {
  const [option] = process.argv.slice(2);
  if (option !== undefined) {
    process.stderr.write(`demo: unknown option ${JSON.stringify(option)}; it takes none\n`);
    return 2;
  }
  const obstacle = (await labSkipReason()) || ucarpSkipReason();
  if (obstacle !== false) {
    process.stderr.write(`demo: ${obstacle}\n`);
    return 1;
  }
  process.stdout.write(
    `Hosts a, b and c share ${VIP}; a client pings it. Two runs side by side, each in network\n` +
      'namespaces of its own: carpd with a real ucarp among them, and stock ucarp alone.\n\n',
  );
  const startMs = performance.now();
  const stages = [
    await Stage.open(new Timeline('carpd+ucarp', startMs)),
    await Stage.open(new Timeline('ucarp alone', startMs)),
  ] as const;
  try {
    const [mixed, stock] = await Promise.all([runMixed(stages[0]), runStock(stages[1])]);
    process.stdout.write(`\n${table(mixed, stock)}\n\n`);
    const verdict = 'At every step exactly one living host had the address, and it answered again.';
    process.stdout.write(`${paint('bold', verdict)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`\ndemo: NOT as expected: ${messageOf(error)}\n`);
    return 1;
  } finally {
    for (const stage of stages) stage.close();
  }
}

process.exit(await main());
