// Where the virtual IP is, as the kernels and the clients of a lab see it.
import type { Child } from './child.ts';
import { fromWallMs, nowMs } from './clock.ts';
import type { Host } from './host.ts';

/** The hosts that have the address on any of their interfaces. */
export async function whoHolds(hosts: readonly Host[], vip: string): Promise<Host[]> {
  const held = await Promise.all(hosts.map((host) => holds(host, vip)));
  return hosts.filter((_, index) => held[index]);
}

/** Whether the host has the address on any of its interfaces. */
export async function holds(host: Host, vip: string): Promise<boolean> {
  return (await host.ip('-4', '-o', 'addr', 'show')).includes(` inet ${vip}/`);
}

/**
 * Asks by ARP, as a client with an empty cache does, and yields the Ethernet addresses that answer
 * within about a second: none, one, or more where more than one host has the address.
 */
export async function whoAnswers(client: Host, vip: string): Promise<string[]> {
  // arping ends with 1 where nobody answers, which is an answer here; -c would end it at the first.
  const script = 'arping -b -w 1 -I "$1" "$2" || [ $? -eq 1 ]';
  const output = await client.exec(['sh', '-c', script, 'sh', client.interface, vip]);
  const macs = [...output.matchAll(/\[([0-9A-F:]{17})\]/gi)].map(([, mac = '']) => mac);
  return [...new Set(macs.map((mac) => mac.toLowerCase()))];
}

/** What a run of pings says about the reachability of an address. */
export interface PingSummary {
  readonly sent: number;
  readonly lost: number;
  /** The longest time without an answer, from answer to answer (or start, or end), in ms. */
  readonly longestGapMs: number;
  /** All times without an answer that were longer than two intervals, in order. */
  readonly gaps: readonly PingGap[];
}

/** A time without an answer, on the lab's time line. */
export interface PingGap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A client that pings without pause until it is stopped. */
export interface Ping {
  /** Waits for an answer later than `afterMs`; yields when it came. */
  answer(afterMs: number, withinMs: number): Promise<number>;
  stop(): Promise<PingSummary>;
}

/** However loaded the machine is. */
const BEGUN_MS = 10_000;

/** Starts to ping `vip` from `client` every `intervalMs` (at least 10). */
export function startPing(client: Host, vip: string, intervalMs = 50): Ping {
  const seconds = (intervalMs / 1000).toFixed(3);
  const startMs = nowMs();
  const child = client.spawn(['ping', '-n', '-D', '-O', '-i', seconds, vip], {
    label: `ping ${vip} from ${client.name}`,
  });
  return {
    answer: (afterMs, withinMs) =>
      child.until(
        () => answerTimes(child).find((atMs) => atMs > afterMs),
        `an answer of ${vip} to ${client.name}`,
        withinMs,
      ),
    stop: async () => {
      // Before its first line a signal ends it without a word.
      await child.until(() => child.lines[0], 'ping to begin', BEGUN_MS);
      const { atMs } = await child.stop('SIGINT');
      return summarize(child, startMs, atMs, intervalMs);
    },
  };
}

/** Reads "[1700000000.123456] 64 bytes from 10.77.0.100: icmp_seq=1 ...": when answers came. */
function answerTimes(child: Child): number[] {
  return child.lines
    .map(({ text }) => /^\[(\d+\.\d+)\] \d+ bytes from /.exec(text)?.[1])
    .filter((stamp) => stamp !== undefined)
    .map((stamp) => fromWallMs(Number(stamp) * 1000));
}

function summarize(child: Child, startMs: number, endMs: number, intervalMs: number): PingSummary {
  const statistics = child.lines
    .map(({ text }) => /^(\d+) packets transmitted, (\d+) received/.exec(text))
    .find((found) => found !== null);
  if (statistics === undefined) throw new Error(`no statistics of ping:\n${child.tail()}`);
  const [, sent, received] = statistics.map(Number);
  const times = [startMs, ...answerTimes(child), endMs];
  const gaps = times.slice(1).map((toMs, index) => ({ fromMs: times[index] ?? startMs, toMs }));
  return {
    sent: sent ?? 0,
    lost: (sent ?? 0) - (received ?? 0),
    longestGapMs: Math.max(...gaps.map(({ fromMs, toMs }) => toMs - fromMs)),
    gaps: gaps.filter(({ fromMs, toMs }) => toMs - fromMs > 2 * intervalMs),
  };
}
