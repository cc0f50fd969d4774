// The same groups as each of the programs is told of them, and a side that plays all of them.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';
import { metricsAt } from '../../lab/scrape.ts';
import type { Group } from './world.ts';

const BUILT = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Of sysconf(_SC_CLK_TCK), which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const KEEPALIVED_PRIORITY = 200;

export const SCALE_PROGRAMS = ['carpd', 'keepalived', 'ucarp'] as const;
export type ScaleProgram = (typeof SCALE_PROGRAMS)[number];

/** Milliseconds of silence after which a backup of the program takes over, by its protocol. */
export const DEAD_MS: Readonly<Record<ScaleProgram, number>> = {
  carpd: 3_000,
  ucarp: 3_000,
  // RFC 3768, 6.1: three intervals and the skew time, (256 - priority) / 256 s.
  keepalived: 3_000 + ((256 - KEEPALIVED_PRIORITY) * 1_000) / 256,
};

/** All groups of a program on one host. */
export class Side {
  readonly host: Host;
  readonly #children: readonly Child[];

  constructor(program: ScaleProgram, host: Host, groups: readonly Group[]) {
    this.host = host;
    this.#children = STARTERS[program](host, groups);
  }

  signal(signal: 'SIGKILL' | 'SIGTERM'): void {
    for (const pid of this.pids) process.kill(pid, signal);
  }

  /** Resolves when all its processes have ended. */
  async ended(withinMs: number): Promise<void> {
    await Promise.all(this.#children.map((child) => child.ended(withinMs)));
  }

  /** All processes of it that live; the children of `keepalived` are processes of their own. */
  get pids(): readonly number[] {
    return this.#children.flatMap(({ pid, exited }) =>
      pid === undefined || exited !== undefined ? [] : [pid, ...childrenOf(pid)],
    );
  }

  /** Processor seconds so far, those of processes that they have started and awaited included. */
  get cpuSeconds(): number {
    return this.pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  }

  /** Proportional set size, bytes. */
  get pssBytes(): number {
    const kibibytes = this.pids.map((pid) => {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1]);
    });
    return kibibytes.reduce((sum, each) => sum + each, 0) * 1024;
  }
}

/** By the scheduler's nanoseconds, and for awaited children by the ticks that the kernel keeps. */
function cpuSecondsOf(pid: number): number {
  const own = readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
    const [onCpu = ''] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    return sum + Number(onCpu);
  }, 0);
  // Behind the name, which may hold anything: cutime and cstime are the fields 16 and 17 of all.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const awaited = Number(fields[13]) + Number(fields[14]);
  return own / 1e9 + awaited / TICKS_PER_SECOND;
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

type Starter = (host: Host, groups: readonly Group[]) => readonly Child[];

const STARTERS: Readonly<Record<ScaleProgram, Starter>> = {
  carpd: startCarpd,
  keepalived: startKeepalived,
  ucarp: startUcarps,
};

function startCarpd(host: Host, groups: readonly Group[]): readonly Child[] {
  const file = join(host.directory, `${host.name}.json`);
  const instances = groups.map(({ name, vhid, vip, interface: link }) => [
    name,
    { interface: link, vhid, address: `${vip}/32`, passphrase: 'bench' },
  ]);
  const document = {
    log: { level: 'info', format: 'json' },
    metrics: { listen: metricsAt(host) },
    control: { socket: join(host.directory, `${host.name}.sock`) },
    state: { directory: join(host.directory, `${host.name}.state`) },
    instances: Object.fromEntries(instances) as Readonly<Record<string, unknown>>,
  };
  writeFileSync(file, JSON.stringify(document), { mode: 0o600 });
  const options = process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [];
  const argv = [process.execPath, ...options, BUILT, 'run', '--config', file];
  return [host.spawn(argv, { label: `carpd on ${host.name}` })];
}

function startKeepalived(host: Host, groups: readonly Group[]): readonly Child[] {
  const file = join(host.directory, `${host.name}.conf`);
  const instances = groups.map(
    ({ name, vhid, vip, interface: link }) =>
      `vrrp_instance ${name} {\n state BACKUP\n nopreempt\n interface ${link}\n` +
      ` virtual_router_id ${vhid}\n priority ${KEEPALIVED_PRIORITY}\n advert_int 1\n` +
      ` virtual_ipaddress {\n ${vip}/32 dev ${link}\n }\n}\n`,
  );
  writeFileSync(file, `global_defs {\n router_id ${host.name}\n}\n${instances.join('')}`);
  const pids = ['-p', `${file}.pid`, '-r', `${file}.vrrp.pid`];
  const argv = ['keepalived', '--vrrp', '--dont-fork', '--no-syslog', '-f', file, ...pids];
  return [host.spawn(argv, { label: `keepalived on ${host.name}` })];
}

function startUcarps(host: Host, groups: readonly Group[]): readonly Child[] {
  const script = (name: string, words: string): string => {
    const path = join(host.directory, `${host.name}.${name}`);
    writeFileSync(path, `#!/bin/sh\nexec ip addr ${words} "$2/32" dev "$1" 2>/dev/null\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const [up, down] = [script('up', 'replace'), script('down', 'del')];
  return groups.map(({ vhid, vip, interface: link }) => {
    const source = host.address.replace(/^10\.\d+\./, `10.${vip.split('.')[1] ?? ''}.`);
    const words = ['-i', link, '-s', source, '-v', `${vhid}`, '-a', vip, '-p', 'bench'];
    const argv = ['ucarp', ...words, '-u', up, '-d', down, '-z', '-f', 'none'];
    return host.spawn(argv, { label: `ucarp ${vhid} on ${host.name}` });
  });
}
