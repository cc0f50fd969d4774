// The demo: two carpd and a real ucarp share a virtual IP, lose their masters and keep answering;
// beside it the same with stock ucarp alone. Everything happens in network namespaces, which are
// removed at the end, also at an early one. With --bond: the incident that carpd is there for, on
// real bonds. Exit code 0 only if all went as it should.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../src/base/errors.ts';
import { nowMs } from '../lab/clock.ts';
import { labSkipReason } from '../lab/namespaces.ts';
import { ucarpSkipReason } from '../lab/ucarp-peer.ts';
import { showIncident } from './bond.ts';
import { Stage, VIP, type Cast, type Outcome } from './stage.ts';
import { MIXED, play, STOCK, table, worstStopMs } from './story.ts';
import { painter, Timeline, wantsColour } from './timeline.ts';

/** Events are held back this long, so that those of slower sources find their place. */
const HOLD_BACK_MS = 400;
const PRINT_EVERY_MS = 100;

const USAGE = `usage: npm run demo [-- --help | --bond [--svg FILE]]

Shows two carpd and a stock ucarp sharing a virtual IP through power cuts and planned stops, and the
same with stock ucarp alone. Needs root; takes under a minute. NO_COLOR=1 turns colours off.

--bond shows the incident that carpd is there for, on real LACP bonds: a node boots onto a link that
passes nothing. Stock ucarp takes the address from the healthy master, carpd does not. Where the
kernel has no bonding it happens in a qemu machine. --svg also writes it as a picture.`;

const paint = painter(wantsColour(process.stdout, process.env));

process.exit(await main(process.argv.slice(2)));

async function main(words: readonly string[]): Promise<number> {
  const [word, option, svgFile] = words;
  if (word === '--help' || word === '-h') {
    say(USAGE);
    return 0;
  }
  if (word === '--bond' && (option === undefined || (option === '--svg' && words.length === 3))) {
    return (await obstacle()) ? 1 : showIncident({ say, paint, svgFile });
  }
  if (word !== undefined) {
    complain(`unknown option ${JSON.stringify(words.join(' '))}; see --help`);
    return 2;
  }
  if (await obstacle()) return 1;
  leaveCleanly();
  introduce();
  return show();
}

/** Says why nothing can be shown here, if that is so. */
async function obstacle(): Promise<boolean> {
  const text = await obstacleToDemo();
  if (text !== false) complain(text);
  return text !== false;
}

/** Plays both runs at once, each on hosts and a switch of its own, and sums them up. */
async function show(): Promise<number> {
  const startMs = nowMs();
  const live = new Timeline(startMs, paint);
  const beside = new Timeline(startMs, paint);
  const print = (timeline: Timeline, beforeMs?: number): void =>
    timeline.take(beforeMs).forEach((line) => say(line));
  const printer = setInterval(() => print(live, nowMs() - HOLD_BACK_MS), PRINT_EVERY_MS);
  const [mixed, stock] = await Promise.allSettled([run(MIXED, live), run(STOCK, beside)]);
  clearInterval(printer);
  print(live);
  say(`\n${paint('bold', 'Meanwhile, the same with stock ucarp alone')}\n`);
  print(beside);
  if (mixed.status === 'rejected') return fail('carpd and ucarp', mixed.reason);
  if (stock.status === 'rejected') return fail('ucarp alone', stock.reason);
  conclude(mixed.value, stock.value);
  return 0;
}

async function run(cast: Cast, timeline: Timeline): Promise<Outcome[]> {
  const stage = await Stage.open(cast, timeline);
  try {
    return await play(stage, cast);
  } finally {
    stage.close();
  }
}

async function obstacleToDemo(): Promise<string | false> {
  if (!existsSync(fileURLToPath(new URL('../dist/main.js', import.meta.url)))) {
    return 'carpd is not built yet; build it with: npm ci';
  }
  return (await labSkipReason()) || ucarpSkipReason();
}

function introduce(): void {
  say(`${paint('bold', 'carpd demo')}: hosts a and b run carpd, host c runs the stock ucarp.`);
  say(`Together they keep ${VIP} on exactly one of them. A client pings it all along.`);
  say('Times are seconds since the start. It takes most of a minute; Ctrl-C ends it cleanly.\n');
}

function conclude(mixed: readonly Outcome[], stock: readonly Outcome[]): void {
  say(`\n${paint('bold', 'Side by side')} (same faults, same settings, at the same time)\n`);
  table(mixed, stock).forEach((line) => say(line));
  say('\n  takeover: from the last advert of the old master to the first of the new one');
  say(`  ping gap: the longest time without an answer from ${VIP}`);
  say('  Every fault comes half a second after an advert of the master.\n');
  const [ours, theirs] = [worstStopMs(mixed), worstStopMs(stock)].map((ms) => Math.round(ms));
  say(`  The slowest planned stop: ${ours} ms with carpd, ${theirs} ms with ucarp alone.\n`);
  const verdict = `exactly one master after every fault, and ${VIP} answered again each time.`;
  say(paint('green', `PASSED: ${verdict}`));
}

/** Says what went wrong; details, such as the logs of the programs, go to standard error. */
function fail(where: string, error: unknown): number {
  const [first = '', ...rest] = messageOf(error).split('\n');
  if (rest.length > 0) process.stderr.write(`${rest.join('\n')}\n`);
  say(`\n${paint('red', `FAILED (${where}): ${first}`)}`);
  return 1;
}

/** Ctrl-C pressed again, or passed on by npm as well, must not cut the clean-up short. */
function leaveCleanly(): void {
  let told = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!told) say('\nInterrupted: removing the namespaces.');
      told = true;
    });
  }
  // The reader of a pipe has gone: nobody is left to show anything to.
  process.stdout.on('error', () => process.exit(1));
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string): void {
  process.stderr.write(`demo: ${text}\n`);
}
