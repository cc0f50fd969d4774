// What a master and a backup cost while nothing happens, with one group and with many, and how long
// all the groups of a killed master take to move.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Capture } from '../lab/capture.ts';
import { startCarpdInstances } from '../lab/carpd-peer.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/namespaces.ts';
import type { Peer, PeerOptions } from '../lab/peer.ts';
import { startUcarp } from '../lab/ucarp-peer.ts';
import { CARPD_SETTINGS, wallNowMs, type Program } from './pair.ts';
import { table } from './report.ts';

/** How long the processor time is counted. */
export const WINDOW_SECONDS = 20;
const WAIT_MS = 30_000;
/** Until the announcements and hooks of the start are over. */
const QUIET_MS = 4_000;

/** What was found out about one program with one number of groups. */
export interface Footprint {
  readonly program: Program;
  readonly groups: number;
  readonly masterCpuSeconds: number;
  readonly backupCpuSeconds: number;
  /** Proportional set size of all processes of the master's side, bytes. */
  readonly pssBytes: number;
  readonly rssBytes: number;
  /** SIGKILL of the master's side to the gratuitous ARP for the last of the addresses. */
  readonly failoverMs: number;
}

/** Measures each program with `groups` groups: the quiet time side by side, failover in turn. */
export async function benchFootprint(
  programs: readonly Program[],
  groups: number,
): Promise<Footprint[]> {
  const sides = await Promise.all(programs.map((program) => Sides.start(program, groups)));
  try {
    const quiet = await Promise.all(sides.map((each) => each.quiet()));
    const found: Footprint[] = [];
    for (const [index, each] of sides.entries()) {
      const failoverMs = await each.failover();
      const costs = quiet[index];
      if (costs === undefined) throw new Error('every program has its costs');
      found.push({ program: each.program, groups, ...costs, failoverMs });
    }
    return found;
  } finally {
    for (const each of sides) each.lab.close();
  }
}

/** The table of what was found. */
export function footprintTable(found: readonly Footprint[]): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const rows = found.map((each) => [
    `${each.program}, ${each.groups} ${each.groups === 1 ? 'group' : 'groups'}`,
    each.masterCpuSeconds.toFixed(3),
    each.backupCpuSeconds.toFixed(3),
    megabytes(each.pssBytes),
    megabytes(each.rssBytes),
    each.failoverMs.toFixed(0),
  ]);
  const header = ['', 'master CPU s', 'backup CPU s', 'PSS MB', 'RSS MB', 'all moved ms'];
  return table(header, rows);
}

type Costs = Omit<Footprint, 'program' | 'groups' | 'failoverMs'>;

class Sides {
  readonly lab: Lab;
  readonly program: Program;
  readonly #masters: readonly Peer[];
  readonly #backups: readonly Peer[];
  readonly #backupHost: Host;

  private constructor(lab: Lab, program: Program, masters: readonly Peer[], backup: Backup) {
    this.lab = lab;
    this.program = program;
    this.#masters = masters;
    this.#backups = backup.peers;
    this.#backupHost = backup.host;
  }

  static async start(program: Program, groups: number): Promise<Sides> {
    const lab = await Lab.create();
    const a = await lab.host('a', '10.77.0.1/16');
    const b = await lab.host('b', '10.77.0.2/16');
    const masters = startGroups(program, a, groups, 0);
    await Promise.all(masters.map((peer) => peer.waitFor('MASTER', WAIT_MS)));
    const backups = startGroups(program, b, groups, 1);
    await Promise.all(backups.map((peer) => peer.waitFor('BACKUP', WAIT_MS)));
    await sleep(QUIET_MS);
    return new Sides(lab, program, masters, { host: b, peers: backups });
  }

  /** Counts while nothing happens. */
  async quiet(): Promise<Costs> {
    const masterPids = pidsOf(this.#masters);
    const backupPids = pidsOf(this.#backups);
    const masterStart = cpuSeconds(masterPids);
    const backupStart = cpuSeconds(backupPids);
    await sleep(WINDOW_SECONDS * 1_000);
    const masterCpuSeconds = cpuSeconds(masterPids) - masterStart;
    const backupCpuSeconds = cpuSeconds(backupPids) - backupStart;
    const restless =
      this.#masters.some((peer) => peer.state() !== 'MASTER') ||
      this.#backups.some((peer) => peer.state() !== 'BACKUP');
    if (restless) throw new Error(`${this.program} did not stay quiet`);
    const [pssBytes, rssBytes] = [memory(masterPids, 'Pss'), memory(masterPids, 'Rss')];
    return { masterCpuSeconds, backupCpuSeconds, pssBytes, rssBytes };
  }

  /** Kills all masters; milliseconds until every address was announced by the backup. */
  async failover(): Promise<number> {
    const capture = await Capture.start(this.lab.switch);
    const killedMs = wallNowMs();
    for (const { child } of this.#masters) child.signal('SIGKILL');
    const { mac } = this.#backupHost;
    const lastMs = await capture.until(
      () => {
        const firsts = new Map<string, number>();
        for (const { arp, atMs } of capture.frames) {
          if (arp?.senderMac !== mac || arp.senderIp !== arp.targetIp) continue;
          if (!firsts.has(arp.senderIp)) firsts.set(arp.senderIp, atMs);
        }
        return firsts.size === this.#backups.length ? Math.max(...firsts.values()) : undefined;
      },
      'all addresses to move',
      WAIT_MS,
    );
    await capture.stop();
    return lastMs - killedMs;
  }
}

interface Backup {
  readonly host: Host;
  readonly peers: readonly Peer[];
}

/** The groups of one host: one process of carpd, or one ucarp for each group. */
function startGroups(
  program: Program,
  host: Host,
  groups: number,
  advskew: number,
): readonly Peer[] {
  const options = Array.from({ length: groups }, (_, index): PeerOptions => {
    const vhid = index + 1;
    return { vhid, vip: `10.77.1.${vhid}`, password: 'bench', advskew, gate: 'hold' };
  });
  if (program === 'ucarp') return options.map((each) => startUcarp(host, each));
  const named = Object.fromEntries(options.map((each) => [`group-${each.vhid}`, each]));
  return startCarpdInstances(host, named, CARPD_SETTINGS);
}

function pidsOf(peers: readonly Peer[]): readonly number[] {
  const pids = peers.map(({ child }) => child.pid).filter((pid) => pid !== undefined);
  return [...new Set(pids)];
}

/** Processor time of all threads of the processes so far, by the scheduler's own nanoseconds. */
export function cpuSeconds(pids: readonly number[]): number {
  const nanoseconds = pids.flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((task) => {
      const [onCpu = ''] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
      return Number(onCpu);
    }),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

/** A line of /proc/PID/smaps_rollup, summed over the processes, in bytes. */
function memory(pids: readonly number[], line: 'Pss' | 'Rss'): number {
  const pattern = new RegExp(`^${line}: +(\\d+) kB$`, 'm');
  const kibibytes = pids.map((pid) =>
    Number(pattern.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]),
  );
  return kibibytes.reduce((sum, each) => sum + each, 0) * 1024;
}
