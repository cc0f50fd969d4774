// Runs the test suites and ends with one closing line: "N passed, N failed, N skipped".
//
//   node scripts/run-tests.mjs [SUITE...]        default: every suite but the long ones
//
// Pure suites take the cores they get. Live suites wait more than they compute, so many of their
// files run at once. A skip is a failure, and so is a run that executed no test.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

const cores = availableParallelism();

/**
 * A suite is a folder of test; `atOnce` files of it run side by side; `covers`: see coverage. A suite
 * with a `runner` is that program, which ends with a closing line like that of this one.
 */
const suites = [
  { name: 'tidy', atOnce: cores },
  { name: 'unit', atOnce: cores, covers: true },
  { name: 'property', atOnce: cores, covers: true },
  { name: 'scenario', atOnce: cores, covers: true },
  { name: 'sim', atOnce: cores },
  { name: 'contract', atOnce: cores },
  { name: 'netns', atOnce: cores * 2 },
  { name: 'interop', atOnce: cores * 4 },
  { name: 'gate', atOnce: cores * 4 },
  { name: 'prometheus', atOnce: cores },
  { name: 'package', atOnce: cores },
  { name: 'bond-incident', runner: ['test/bond/run.ts', 'test/bond/incident.test.ts'] },
  { name: 'long', atOnce: cores * 4, onRequest: true },
  { name: 'release', atOnce: 1, onRequest: true },
  { name: 'boot', atOnce: 1, onRequest: true },
];

const pureLayers = [
  'src/base/addresses.ts',
  'src/carp/**',
  'src/election/**',
  'src/readiness/**',
  'src/segment/**',
  'src/vip/plan.ts',
];
/** What joins the pure layers to what is outside: `Daemon` and the rooms that it is made of. */
const wiring = [
  ...['addressing', 'daemon', 'events/publish', 'groups', 'ports', 'process', 'traffic'].map(
    (folder) => `src/${folder}/**`,
  ),
  ...[
    'src/base/soon.ts',
    'src/base/in-slices.ts',
    'src/config/instance-diff.ts',
    'src/vip/address-hold.ts',
    'src/vip/hook-rights.ts',
  ],
];
/** What the suites that need no root have to cover, in percent. */
const coverageGates = [
  { layers: pureLayers, min: { lines: 100, branches: 100, functions: 100 } },
  // A file that nobody loads has a single branch: its lines tell of it.
  { layers: wiring, min: { lines: 90, branches: 90 } },
];
/** Files of types alone: nothing of them runs. */
const uncoverable = [
  'src/daemon/interface/link-driver-options.ts',
  'src/daemon/interface/segment-member.ts',
  'src/ports/ports.ts',
  'src/election/inputs.ts',
  'src/election/settings.ts',
  'src/election/snapshot.ts',
  'src/readiness/effects.ts',
  'src/readiness/facts.ts',
  'src/readiness/inputs.ts',
  'src/readiness/snapshot.ts',
  'src/segment/effects.ts',
  'src/segment/inputs.ts',
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  const known = suites.map(({ name }) => name).join(', ');
  console.error(`no such suite: ${unknown.join(', ')}; there are: ${known}`);
  process.exit(2);
}

const totals = { pass: 0, fail: 0, skipped: 0 };
const coverage = mkdtempSync(join(tmpdir(), 'carpd-coverage-'));
for (const suite of suites) {
  const isWanted = wanted.length > 0 ? wanted.includes(suite.name) : suite.onRequest !== true;
  if (isWanted) await (suite.runner === undefined ? runSuite(suite) : runRunner(suite));
}
if (wanted.length === 0) for (const gate of coverageGates) await checkCoverage(gate);
rmSync(coverage, { recursive: true, force: true });
if (totals.pass + totals.fail === 0) {
  console.error('no test was executed');
  totals.fail += 1;
}
console.log(`${totals.pass} passed, ${totals.fail} failed, ${totals.skipped} skipped`);
process.exitCode = totals.fail > 0 || totals.skipped > 0 ? 1 : 0;

async function runSuite({ name, atOnce, covers = false }) {
  const files = testFiles(join('test', name));
  if (files.length === 0) {
    console.error(`suite ${name} has no test file`);
    totals.fail += 1;
    return;
  }
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'carpd-tests-'));
  const tap = join(folder, 'tap');
  const exitCode = await run(
    process.execPath,
    [
      '--import=tsx',
      '--test',
      `--test-concurrency=${atOnce}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${tap}`,
      ...files,
    ],
    covers ? { NODE_V8_COVERAGE: coverage } : {},
  );
  const counts = readCounts(existsSync(tap) ? readFileSync(tap, 'utf8') : '');
  rmSync(folder, { recursive: true, force: true });
  // A runner that failed without a failed test (a crash while loading, say) has failed all the same.
  if (exitCode !== 0 && counts.fail === 0) counts.fail = 1;
  conclude(name, counts, started);
}

async function runRunner({ name, runner }) {
  const started = performance.now();
  let said = '';
  const exitCode = await run(process.execPath, ['--import=tsx', ...runner], {}, (text) => {
    process.stdout.write(text);
    said = (said + text).slice(-1_000);
  });
  const line = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(said) ?? [];
  const [, pass, fail, skipped] = line.map(Number);
  const counts = { pass: pass ?? 0, fail: fail ?? 0, skipped: skipped ?? 0 };
  if (exitCode !== 0 && counts.fail === 0) counts.fail = 1;
  conclude(name, counts, started);
}

function conclude(name, counts, started) {
  for (const key of Object.keys(totals)) totals[key] += counts[key];
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`suite ${name}: ${JSON.stringify(counts)} in ${seconds} s\n`);
}

/** The pure layers are covered wholly, the wiring nearly; adapters are judged by live suites. */
async function checkCoverage({ layers, min }) {
  const exitCode = await run(process.execPath, [
    'node_modules/c8/bin/c8.js',
    'report',
    `--temp-directory=${coverage}`,
    '--reporter=text-summary',
    '--all',
    '--src=src',
    ...layers.flatMap((layer) => ['--include', layer]),
    ...uncoverable.flatMap((file) => ['--exclude', file]),
    '--check-coverage',
    ...Object.entries(min).map(([kind, percent]) => `--${kind}=${percent}`),
  ]);
  totals[exitCode === 0 ? 'pass' : 'fail'] += 1;
}

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(folder, file))
    .sort();
}

/** The totals that node's TAP reporter prints last; todo and cancelled tests count as failed. */
function readCounts(tap) {
  const count = (word) => Number(tap.match(new RegExp(`^# ${word} (\\d+)$`, 'm'))?.[1] ?? 0);
  return {
    pass: count('pass'),
    fail: count('fail') + count('cancelled') + count('todo'),
    skipped: count('skipped'),
  };
}

/** Runs a program to its end and yields its exit code; its output goes to `onOutput`, or to ours. */
function run(program, args, env = {}, onOutput = undefined) {
  return new Promise((resolve) => {
    const stdio = ['ignore', onOutput === undefined ? 'inherit' : 'pipe', 'inherit'];
    const child = spawn(program, args, { stdio, env: { ...process.env, ...env } });
    child.stdout?.setEncoding('utf8').on('data', onOutput);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
