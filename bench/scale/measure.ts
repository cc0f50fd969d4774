// One program with so many groups on two hosts: from the start over a quiet time and the death of
// the master to a planned stop, each measured from outside.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../lab/host.ts';
import { scrape } from '../../lab/scrape.ts';
import { eventually } from '../../lab/wait.ts';
import { DEAD_MS, Side, type ScaleProgram } from './programs.ts';
import {
  AddressWatch,
  AdvertCapture,
  flush,
  groupsOf,
  makeWorld,
  neighbourOn,
  type Group,
  type World,
} from './world.ts';

const UP_MS = 90_000;
/** Until the announcements of a start or takeover are over: keepalived repeats them after 5 s. */
const SETTLE_MS = 7_000;
/** Longer than two adverts of each group are apart. */
const HEARD_MS = 2_500;
const SCRAPES = 10;

/** What is to be measured, and for how long. */
export interface ScaleCase {
  readonly program: ScaleProgram;
  readonly count: number;
  readonly quietSeconds: number;
}

/** Milliseconds, processor seconds and bytes, as their names say. */
export interface ScaleFound {
  /** The start of the first side to its last address, less the dead interval. */
  readonly startMs: number;
  readonly masterCpuSeconds: number;
  readonly backupCpuSeconds: number;
  readonly pssBytes: number;
  /** SIGKILL of the master to the last address on the peer. */
  readonly killMs: number;
  /** The most by which an address came later than the protocol allows the peer to take over. */
  readonly lateMs: number;
  /** SIGTERM of the master to the last address on the peer. */
  readonly stopMs: number;
  /** Processor seconds of the peer from the SIGKILL until three seconds after the last address. */
  readonly takeoverCpuSeconds: number;
  /** Of carpd alone. */
  readonly scrapeBytes: number;
  /** Processor milliseconds of one scrape. */
  readonly scrapeMs: number;
}

/** Measures it once, in a world of its own. */
export async function measureScale(what: ScaleCase): Promise<ScaleFound> {
  const groups = groupsOf(what.count);
  const world = await makeWorld(groups);
  try {
    return await new Course(what, world, groups).run();
  } finally {
    world.lab.close();
  }
}

class Course {
  readonly #what: ScaleCase;
  readonly #world: World;
  readonly #groups: readonly Group[];
  readonly #watches: readonly [AddressWatch, AddressWatch];

  constructor(what: ScaleCase, world: World, groups: readonly Group[]) {
    this.#what = what;
    this.#world = world;
    this.#groups = groups;
    const [a, b] = world.hosts;
    this.#watches = [new AddressWatch(a), new AddressWatch(b)];
  }

  async run(): Promise<ScaleFound> {
    const { program } = this.#what;
    const [a, b] = this.#world.hosts;
    await sleep(300);
    const startedAt = Date.now();
    const first = new Side(program, a, this.#groups);
    // A host alone on its links proves nothing to a gate.
    for (const [index, link] of this.#world.links.entries()) greet(b, link, index);
    const upAt = last(await this.#watches[0].all(this.#groups, UP_MS));
    const second = new Side(program, b, this.#groups);
    await sleep(SETTLE_MS);
    const quiet = await this.#quiet(first, second);
    const scraped = await this.#scrape(first);
    const killed = await this.#kill(first, second);
    await flush(a, this.#world.links);
    const third = new Side(program, a, this.#groups);
    await sleep(SETTLE_MS);
    const stopMs = await this.#stop(second);
    third.signal('SIGKILL');
    await third.ended(UP_MS);
    const startMs = upAt - startedAt - DEAD_MS[program];
    return { startMs, ...quiet, ...scraped, ...killed, stopMs };
  }

  async #quiet(
    first: Side,
    second: Side,
  ): Promise<Pick<ScaleFound, 'masterCpuSeconds' | 'backupCpuSeconds' | 'pssBytes'>> {
    const [masterBefore, backupBefore] = [first.cpuSeconds, second.cpuSeconds];
    await sleep(this.#what.quietSeconds * 1_000);
    const masterCpuSeconds = first.cpuSeconds - masterBefore;
    const backupCpuSeconds = second.cpuSeconds - backupBefore;
    const moved = this.#groups.filter(({ vip }) => this.#watches[1].since.has(vip));
    if (moved.length > 0) throw new Error(`${moved.length} addresses moved in the quiet time`);
    return { masterCpuSeconds, backupCpuSeconds, pssBytes: first.pssBytes };
  }

  async #scrape(side: Side): Promise<Pick<ScaleFound, 'scrapeBytes' | 'scrapeMs'>> {
    if (this.#what.program !== 'carpd') return { scrapeBytes: NaN, scrapeMs: NaN };
    let scrapeBytes = 0;
    const before = side.cpuSeconds;
    for (let count = 0; count < SCRAPES; count += 1) {
      scrapeBytes = Buffer.byteLength(await scrape(side.host));
    }
    return { scrapeBytes, scrapeMs: ((side.cpuSeconds - before) * 1_000) / SCRAPES };
  }

  async #kill(
    first: Side,
    second: Side,
  ): Promise<Pick<ScaleFound, 'killMs' | 'lateMs' | 'takeoverCpuSeconds'>> {
    const { links } = this.#world;
    const capture = new AdvertCapture(first.host, this.#groups, links);
    await capture.ready();
    await sleep(HEARD_MS);
    const before = second.cpuSeconds;
    first.signal('SIGKILL');
    const killedAt = Date.now();
    await first.ended(UP_MS);
    await sleep(200);
    const heard = capture.lastBefore();
    const came = await this.#watches[1].all(this.#groups, UP_MS);
    await sleep(3_000);
    const takeoverCpuSeconds = second.cpuSeconds - before;
    await capture.close();
    const lates = this.#groups.map(({ vip }) => {
      const [at, by] = [came.get(vip), heard.get(vip)];
      if (at === undefined || by === undefined) throw new Error(`${vip} was not heard`);
      return at - by - DEAD_MS[this.#what.program];
    });
    return { killMs: last(came) - killedAt, lateMs: Math.max(...lates), takeoverCpuSeconds };
  }

  async #stop(second: Side): Promise<number> {
    const [watch] = this.#watches;
    const isGone = (): boolean => this.#groups.every(({ vip }) => !watch.since.has(vip));
    await eventually(isGone, { withinMs: UP_MS, what: 'the first host to have no address' });
    const stoppedAt = Date.now();
    second.signal('SIGTERM');
    return last(await watch.all(this.#groups, UP_MS)) - stoppedAt;
  }
}

/** A neighbour that asks for the first host by ARP, once a second while that starts. */
function greet(host: Host, link: string, index: number): void {
  host.spawn(['arping', '-c', '8', '-I', link, neighbourOn(index)]);
}

function last(came: ReadonlyMap<string, number>): number {
  return Math.max(...came.values());
}
