// Measures carpd beside the stock ucarp, live, in network namespaces (needs root):
//
//   npm run bench -- [--runs N] [--only NAME[,NAME...]] [--write]
//   npm run bench -- scale [--sizes N,...] [--programs NAME,...] [--runs N] [--quiet SECONDS]
//
// The second form has hundreds of groups, and keepalived besides; it only prints its table.
// The report goes to standard output, every single measurement to standard error; --write keeps the
// report in docs/benchmarks.md. Ends with 0 if everything could be measured, whatever came out.
import { existsSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/base/errors.ts';
import { labSkipReason } from '../lab/namespaces.ts';
import { ucarpSkipReason } from '../lab/ucarp-peer.ts';
import { benchFootprint, footprintTable, WINDOW_SECONDS, type Footprint } from './footprint.ts';
import { benchScale } from './scale/main.ts';
import { report, rowTable, type Figure, type Progress, type Row } from './report.ts';
import { benchShutdown } from './shutdown.ts';
import { benchStepDown } from './step-down.ts';
import { benchTakeover } from './takeover.ts';

const REPORT_FILE = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
const BUILT = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const RUNS_DEFAULT = 10;
const GROUPS_FEW = 1;
const GROUPS_MANY = 50;
/** Labs that measure at the same time; more would take the processor from each other. */
const LANES = 2;

const TIMED = ['takeover', 'step-down', 'shutdown'] as const;
type Timed = (typeof TIMED)[number];
const NAMES: readonly string[] = [...TIMED, 'footprint'];

const TITLES: Readonly<Record<Timed, string>> = {
  takeover: 'Takeover from a killed master',
  'step-down': 'A better master is heard',
  shutdown: 'The master is told to end',
};

const TEXTS: Readonly<Record<Timed, string>> = {
  takeover:
    'Last advert of a master killed (SIGKILL) at a random phase to the first advert of its\n' +
    'backup. Both have advskew 0, so the dead interval is 3000 ms by the formula. carpd has its\n' +
    'gate on unless said otherwise: what it costs a failover is the difference.',
  'step-down':
    'A better advert (advskew 0) injected at a random phase to the end of the mastership of a\n' +
    'node with advskew 50: its farewell advert on the wire, and the transition in its log,\n' +
    'which carpd stamps with whole milliseconds.',
  shutdown:
    'SIGTERM of the master at a random phase to the first answer of its peer to a client that\n' +
    'pings the virtual IP every 10 ms, and to the first gratuitous ARP of the peer. carpd moves\n' +
    'the address itself, ucarp (with `-z`) by its scripts, and ucarp ends without a word, so\n' +
    'its peer waits for the dead interval.',
};

const FOOTPRINT_TEXT =
  `Processor seconds in ${WINDOW_SECONDS} quiet seconds of a master's side and of a backup's,\n` +
  "the memory of the master's side, and the time from SIGKILL of all masters until the backup's\n" +
  'side has announced the last address. carpd is one process, ucarp one for each group. PSS is\n' +
  'smaller than what a host with a single Node process needs: here several share its code.';

/** One measurement that needs a lab of its own. */
interface Job {
  readonly name: Timed;
  readonly run: (runs: number, progress: Progress) => Promise<readonly Row[]>;
}

/** The longest first, so that the lanes end at about the same time. */
const JOBS: readonly Job[] = [
  { name: 'takeover', run: (...how) => benchTakeover(['ucarp', 'carpd'], ...how) },
  { name: 'shutdown', run: (...how) => benchShutdown(['carpd', 'ucarp'], ...how) },
  { name: 'takeover', run: (...how) => benchTakeover(['ucarp', 'ucarp'], ...how) },
  { name: 'takeover', run: (...how) => benchTakeover(['carpd', 'carpd'], ...how) },
  { name: 'takeover', run: (...how) => benchTakeover(['carpd', 'carpd'], ...how, 'off') },
  { name: 'shutdown', run: (...how) => benchShutdown(['ucarp', 'ucarp'], ...how) },
  { name: 'step-down', run: (...how) => benchStepDown('ucarp', ...how) },
  { name: 'shutdown', run: (...how) => benchShutdown(['carpd', 'carpd'], ...how) },
  { name: 'step-down', run: (...how) => benchStepDown('carpd', ...how) },
];

interface Options {
  readonly runs: number;
  readonly names: readonly string[];
  readonly write: boolean;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stderr.write(`bench: ${options}\n`);
    return 2;
  }
  const obstacle = (await labSkipReason()) || ucarpSkipReason() || unbuiltReason();
  if (obstacle !== false) {
    process.stderr.write(`bench: ${obstacle}\n`);
    return 1;
  }
  const [loadBefore = NaN] = loadavg();
  const failures: string[] = [];
  const figures = [
    ...(await timedFigures(options, failures)),
    ...(options.names.includes('footprint') ? await footprintFigure(failures) : []),
  ];
  const command = ['npm run bench', ...withWords(process.argv.slice(2))].join(' ');
  const text = report(figures, { command, loadBefore });
  process.stdout.write(`\n${text}`);
  for (const failed of failures) process.stderr.write(`bench: could not measure ${failed}\n`);
  if (failures.length > 0) return 1;
  if (options.write) writeFileSync(REPORT_FILE, text);
  return 0;
}

async function timedFigures(options: Options, failures: string[]): Promise<Figure[]> {
  const wanted = JOBS.filter(({ name }) => options.names.includes(name));
  const rows = new Map<Job, readonly Row[]>();
  const queue = [...wanted];
  const lane = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      try {
        rows.set(job, await job.run(options.runs, progress));
      } catch (error) {
        failures.push(`${job.name}: ${messageOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return TIMED.map((name) => {
    const all = wanted.filter((job) => job.name === name).flatMap((job) => rows.get(job) ?? []);
    const sorted = all.toSorted((a, b) => a.label.localeCompare(b.label));
    return { title: TITLES[name], text: TEXTS[name], rows: sorted };
  })
    .filter(({ rows: { length } }) => length > 0)
    .map(({ title, text, rows: measured }) => ({ title, text, table: rowTable(measured) }));
}

async function footprintFigure(failures: string[]): Promise<Figure[]> {
  const found: Footprint[] = [];
  for (const groups of [GROUPS_FEW, GROUPS_MANY]) {
    try {
      found.push(...(await benchFootprint(['carpd', 'ucarp'], groups)));
    } catch (error) {
      failures.push(`the footprint of ${groups} groups: ${messageOf(error)}`);
    }
  }
  if (found.length === 0) return [];
  return [{ title: 'Footprint', text: FOOTPRINT_TEXT, table: footprintTable(found) }];
}

function progress(what: string, ms: number): void {
  process.stderr.write(`${what}: ${ms.toFixed(1)} ms\n`);
}

/** The options, or what is wrong with the words. */
function readOptions(words: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        runs: { type: 'string', default: String(RUNS_DEFAULT) },
        only: { type: 'string', default: NAMES.join(',') },
        write: { type: 'boolean', default: false },
      },
    });
    const runs = Number(values.runs);
    if (!Number.isInteger(runs) || runs < 1) return `--runs ${values.runs}: not a number above 0`;
    const names = values.only.split(',');
    const unknown = names.filter((name) => !NAMES.includes(name));
    if (unknown.length > 0) return `--only ${unknown.join(',')}: there are ${NAMES.join(', ')}`;
    const partial = NAMES.some((name) => !names.includes(name));
    if (values.write && partial) return '--write keeps the whole report: leave out --only';
    return { runs, names, write: values.write };
  } catch (error) {
    return messageOf(error);
  }
}

function unbuiltReason(): string | false {
  return existsSync(BUILT) ? false : 'carpd is not built; run "npm run build"';
}

/** The words as npm takes them. */
function withWords(words: readonly string[]): readonly string[] {
  return words.length === 0 ? [] : ['--', ...words];
}

const [first, ...others] = process.argv.slice(2);
process.exitCode = first === 'scale' ? await benchScale(others) : await main();
