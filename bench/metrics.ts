// Measures what a scrape costs the process that elects, without root:
//
//   npm run bench:metrics -- [--instances N] [--runs N]
//
// How long a rendering takes, and the longest time for which nothing else can run meanwhile.
import { parseArgs } from 'node:util';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fromSeconds } from '../src/base/time.ts';
import { instanceSample, linkSample, metricsOf } from '../test/support/exposition.ts';
import { median, rowTable, type Row } from './report.ts';

/** Until the compiler has seen all of it. */
const WARM_UPS = 20;

const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '50' },
    runs: { type: 'string', default: '100' },
  },
});
const [instances, runs] = [Number(values.instances), Number(values.runs)];
if (!(instances >= 1 && runs >= 1)) {
  process.stderr.write('bench: --instances and --runs are numbers above 0\n');
  process.exit(2);
}

const render = renderer(instances);
const whole: number[] = [];
const longest: number[] = [];
let bytes = 0;
for (let run = -WARM_UPS; run < runs; run += 1) {
  const startMs = performance.now();
  const [text, longestMs] = await watched(render);
  if (run < 0) continue;
  bytes = Buffer.byteLength(text);
  whole.push(performance.now() - startMs);
  longest.push(longestMs);
}
const rows: readonly Row[] = [
  { label: 'a rendering, start to end', values: whole },
  { label: 'the loop held up at a stretch', values: longest, targetMs: 10 },
];
process.stdout.write(
  `${instances} instances, ${(bytes / 1e3).toFixed(0)} kB, Node ${process.version}\n\n` +
    `${rowTable(rows)}\n`,
);
process.exit(median(longest) <= 10 ? 0 : 1);

/** Metrics of so many masters on one interface, each with a peer. */
function renderer(count: number): () => Promise<string> {
  const all = Array.from({ length: count }, (_, index) => {
    const labels = { name: `service-${index}`, interface: 'bond0', vhid: String(index + 1) };
    const peers = [{ address: '10.9.0.20', interval: fromSeconds(1) }];
    return instanceSample({ labels, state: 'MASTER', source: '10.9.0.10', peers });
  });
  const links = [linkSample({ interface: 'bond0', ports: [{ name: 'eth1', ready: true }] })];
  const metrics = metricsOf(() => ({ instances: all, links }));
  for (const { labels } of all) metrics.addInstance(labels, []);
  return () => metrics.render();
}

/** What `work` yields, and the longest time between two turns of the loop while it worked. */
async function watched(work: () => Promise<string>): Promise<readonly [string, number]> {
  let longestMs = 0;
  let lastMs = performance.now();
  let working = true;
  const watch = async (): Promise<void> => {
    while (working) {
      await nextTurn();
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }
  };
  const watching = watch();
  const text = await work();
  working = false;
  await watching;
  return [text, longestMs];
}
