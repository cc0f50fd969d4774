// Measures what it costs a master on a busy link to see now and then that its path still passes
// frames, live, in network namespaces (needs root):
//
//   npm run bench:sampling -- [--frames N] [--seconds N]
//
// Processor time of carpd with its gate and without, on a quiet link and on one with N frames a
// second, of which one in fifty is an ARP request and the others are for the host. What the filter
// costs is the kernel's, and is not in it. Ends with 1 where the difference is above the bound.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCarpd } from '../lab/carpd-peer.ts';
import type { Host } from '../lab/host.ts';
import { Lab, labSkipReason } from '../lab/namespaces.ts';
import type { Peer } from '../lab/peer.ts';
import { arpBody, frame, ipv4 } from '../test/support/frames.ts';
import { cpuSeconds } from './footprint.ts';
import { CARPD_SETTINGS, GROUP } from './pair.ts';
import { table } from './report.ts';

const BUSY = fileURLToPath(new URL('busy.py', import.meta.url));
const WAIT_MS = 15_000;
/** Until the start is over, and the compiler has seen what runs every second. */
const WARM_UP_MS = 10_000;
const BOUND_PERCENT = 0.2;
/** One ARP request, and so many frames for the host itself. */
const FRAMES_FOR_HOST = 49;

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '50000' },
    seconds: { type: 'string', default: '60' },
  },
});
const [framesPerSecond, windowSeconds] = [Number(values.frames), Number(values.seconds)];
if (!(framesPerSecond >= 1 && windowSeconds >= 1)) {
  process.stderr.write('bench: --frames and --seconds are numbers above 0\n');
  process.exit(2);
}
const obstacle = await labSkipReason();
if (obstacle !== false) {
  process.stderr.write(`bench: ${obstacle}\n`);
  process.exit(1);
}

const [on, off] = await measure();
const costPercent = on.busyPercent - off.busyPercent;
const rows = [
  ['gate on, % of a core', on.quietPercent.toFixed(2), on.busyPercent.toFixed(2)],
  ['gate off, % of a core', off.quietPercent.toFixed(2), off.busyPercent.toFixed(2)],
];
const header = ['', 'quiet', `${framesPerSecond} frames/s`];
process.stdout.write(`${table(header, rows)}\n`);
process.stdout.write(
  `\nthe gate of a master on the busy link: ${costPercent.toFixed(2)} % of a core, ` +
    `at most ${BOUND_PERCENT} %\n`,
);
process.exit(costPercent <= BOUND_PERCENT ? 0 : 1);

interface Cost {
  readonly quietPercent: number;
  readonly busyPercent: number;
}

/** Two masters side by side, with the gate and without, and a host that makes their links busy. */
async function measure(): Promise<readonly [Cost, Cost]> {
  const lab = await Lab.create();
  try {
    const a = await lab.host('a', '10.77.0.1/24');
    const b = await lab.host('b', '10.77.0.2/24');
    const other = await lab.host('busy', '10.77.0.9/24');
    const on = startCarpd(a, { ...GROUP, gate: 'hold', advskew: 0 }, CARPD_SETTINGS);
    const apart = { ...GROUP, vhid: 8, vip: '10.77.0.101' };
    const off = startCarpd(b, { ...apart, gate: 'off', advskew: 0 }, CARPD_SETTINGS);
    // Somebody has to speak before a gate opens.
    await other.exec(['ping', '-c', '1', '-W', '1', a.address]);
    for (const peer of [on, off]) await peer.waitFor('MASTER', WAIT_MS);
    await sleep(WARM_UP_MS);
    const quiet = await percent([on, off]);
    makeBusy([a, b], other);
    await sleep(WARM_UP_MS);
    const busy = await percent([on, off]);
    const stayed = [on, off].every((peer) => peer.state() === 'MASTER');
    if (!stayed) throw new Error('a master did not stay one');
    return [
      { quietPercent: quiet[0], busyPercent: busy[0] },
      { quietPercent: quiet[1], busyPercent: busy[1] },
    ];
  } finally {
    lab.close();
  }
}

/** Of one core, over the window. */
async function percent([one, other]: readonly [Peer, Peer]): Promise<readonly [number, number]> {
  const before = [cpuOf(one), cpuOf(other)] as const;
  await sleep(windowSeconds * 1_000);
  const perSecond = (seconds: number): number => (seconds / windowSeconds) * 100;
  return [perSecond(cpuOf(one) - before[0]), perSecond(cpuOf(other) - before[1])];
}

function cpuOf({ child: { pid } }: Peer): number {
  if (pid === undefined) throw new Error('carpd does not run');
  return cpuSeconds([pid]);
}

/** Each of the hosts gets all the frames of a second; an ARP request is for both. */
function makeBusy(hosts: readonly Host[], other: Host): void {
  const from = other.mac;
  const asks = frame({ from, type: 0x0806 }, [...arpBody(1, from), ...padding(18)]);
  const forHosts = hosts.map(({ mac }) =>
    frame({ from, to: mac, type: 0x0800 }, [...ipv4(17), ...padding(40)]),
  );
  const frames = [asks, ...Array.from({ length: FRAMES_FOR_HOST }, () => forHosts).flat()];
  const words = frames.map((bytes) => Buffer.from(bytes).toString('hex'));
  const perSecond = String(framesPerSecond * hosts.length);
  other.spawn(['python3', BUSY, other.interface, perSecond, ...words], { label: 'busy' });
}

function padding(bytes: number): readonly number[] {
  return Array<number>(bytes).fill(0);
}
