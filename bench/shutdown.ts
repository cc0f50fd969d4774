// How long clients wait when the master is told to end: until the VIP answers on the peer.
import { Capture, type CapturedFrame } from '../lab/capture.ts';
import type { Host } from '../lab/host.ts';
import { GROUP, Pair, wallNowMs, type Program } from './pair.ts';
import type { Progress, Row } from './report.ts';

const WAIT_MS = 10_000;
const PING_SECONDS = '0.01';
const FILTER = 'arp or proto 112 or icmp[icmptype] = icmp-echoreply';

/** What a stock ucarp may need that is told to take over: its receive latency and its script. */
const UCARP_PEER_MS = 1_050;
const CARPD_PEER_MS = 150;

/**
 * SIGTERM of the master at a random phase to the first answer of its peer to a client that pings
 * the VIP every 10 ms, and to the peer's first gratuitous ARP. The programs of a mixed pair take
 * turns. Two rows for each kind of master.
 */
export async function benchShutdown(
  programs: readonly [Program, Program],
  runs: number,
  progress: Progress,
): Promise<Row[]> {
  const rounds = programs[0] === programs[1] ? runs : 2 * runs;
  const answers = new Map<string, { readonly targetMs?: number; readonly values: number[] }>();
  const announcements = new Map<string, number[]>();
  const pair = await Pair.start(programs);
  try {
    pair.client.spawn(['ping', '-q', '-n', '-i', PING_SECONDS, GROUP.vip]);
    for (let round = 1; round <= rounds; round += 1) {
      const { master, backup } = pair;
      const label = `${master.program} hands over to ${backup.program}`;
      const answer = answers.get(label) ?? {
        ...target(master.program, backup.program),
        values: [],
      };
      answers.set(label, answer);
      const announced = announcements.get(label) ?? [];
      announcements.set(label, announced);
      const { answerMs, announcedMs } = await shutdown(pair);
      answer.values.push(answerMs);
      announced.push(announcedMs);
      progress(`${label}, round ${round} of ${rounds}`, answerMs);
      if (round < rounds) await pair.swap();
    }
  } finally {
    pair.lab.close();
  }
  return [...answers].flatMap(([label, answer]) => [
    { label: `${label}: VIP answers`, ...answer },
    { label: `${label}: first gratuitous ARP`, values: announcements.get(label) ?? [] },
  ]);
}

interface Shutdown {
  readonly answerMs: number;
  readonly announcedMs: number;
}

async function shutdown(pair: Pair): Promise<Shutdown> {
  const { master, backup, client } = pair;
  const capture = await Capture.start(client, { filter: FILTER });
  await pair.settle(capture);
  await firstFrom(capture, master.host, -Infinity);
  const toldMs = wallNowMs();
  master.peer.signal('SIGTERM');
  const answer = await firstFrom(capture, backup.host, toldMs);
  const arp = await capture.until(
    () =>
      capture
        .gratuitousArps(GROUP.vip, toldMs)
        .find(({ arp: { senderMac } }) => senderMac === backup.host.mac),
    `gratuitous ARP of ${backup.host.name}`,
    WAIT_MS,
  );
  await master.peer.child.ended(WAIT_MS);
  await capture.stop();
  return { answerMs: answer.atMs - toldMs, announcedMs: arp.atMs - toldMs };
}

/** The first answer to a ping later than `afterMs` that bears the Ethernet address of `host`. */
function firstFrom(capture: Capture, host: Host, afterMs: number): Promise<CapturedFrame> {
  return capture.until(
    () => capture.frames.find((frame) => frame.atMs > afterMs && isEchoFrom(frame, host)),
    `an answer of ${host.name} for ${GROUP.vip}`,
    WAIT_MS,
  );
}

function isEchoFrom({ bytes, advert, arp }: CapturedFrame, host: Host): boolean {
  if (advert !== undefined || arp !== undefined) return false;
  const source = Buffer.from(bytes.subarray(6, 12)).toString('hex');
  return source === host.mac.replaceAll(':', '');
}

function target(master: Program, backup: Program): { readonly targetMs?: number } {
  // Stock ucarp says nothing when it ends, so what follows is the dead interval of its peer.
  if (master === 'ucarp') return {};
  return { targetMs: backup === 'carpd' ? CARPD_PEER_MS : UCARP_PEER_MS };
}
