// The stage of the demo: three hosts and a client on one switch, and what can be done to a host.
import { setTimeout as sleep } from 'node:timers/promises';
import { Capture } from '../lab/capture.ts';
import { startCarpd } from '../lab/carpd-peer.ts';
import { nowMs } from '../lab/clock.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/namespaces.ts';
import { soleMaster } from '../lab/peer.ts';
import { startUcarp } from '../lab/ucarp-peer.ts';
import { startPing, whoAnswers, whoHolds, type Ping } from '../lab/vip.ts';
import type { Timeline } from './timeline.ts';
import { Watch, type Actor } from './watch.ts';

/** The virtual address that the hosts share. */
export const VIP = '10.77.0.100';

const GROUP = { vhid: 7, vip: VIP, password: 'demo', gate: 'hold' } as const;
const NETWORK_BITS = 24;
const PING_INTERVAL_MS = 20;
const TAKEOVER_MS_MAX = 15_000;
/** Every fault comes this long after an advert of the master, so that all are comparable. */
const AFTER_ADVERT_MS = 500;

export type Program = 'carpd' | 'ucarp';
export type HostName = 'a' | 'b' | 'c';

/** Which program runs on which host. */
export type Cast = Readonly<Record<HostName, Program>>;

/** The hosts, and their bids: the least one is master as long as it lives. */
const ADVSKEWS: Readonly<Record<HostName, number>> = { a: 0, b: 20, c: 100 };
const HOST_NAMES: readonly HostName[] = ['a', 'b', 'c'];

/** `cut`: the power of the host fails. `stop`: the program is asked to end, as for an upgrade. */
export type Loss = 'cut' | 'stop';

/** How the address went from one host to another. */
export interface Outcome {
  readonly from: Program;
  readonly to: Program;
  /** From the last advert of the old master to the first of a new one. */
  readonly takeoverMs: number;
  /** The longest time in which the client's pings had no answer. */
  readonly gapMs: number;
}

interface Player extends Actor {
  readonly hostName: HostName;
  readonly program: Program;
}

/** Hosts with their programs; everything that happens goes to the timeline. */
export class Stage {
  readonly #lab: Lab;
  readonly #cast: Cast;
  readonly #timeline: Timeline;
  readonly #client: Host;
  readonly #capture: Capture;
  readonly #watch: Watch;
  readonly #hosts = new Map<HostName, Host>();
  /** The programs that run. */
  readonly #players = new Map<HostName, Player>();
  readonly #dark = new Set<HostName>();

  private constructor(lab: Lab, cast: Cast, timeline: Timeline, client: Host, capture: Capture) {
    this.#lab = lab;
    this.#cast = cast;
    this.#timeline = timeline;
    this.#client = client;
    this.#capture = capture;
    this.#watch = new Watch(timeline, VIP, capture);
  }

  /** Makes the hosts, with nothing running on them yet. */
  static async open(cast: Cast, timeline: Timeline): Promise<Stage> {
    const lab = await Lab.create();
    const client = await lab.host('client', `10.77.0.50/${NETWORK_BITS}`);
    const capture = await Capture.start(client);
    const stage = new Stage(lab, cast, timeline, client, capture);
    for (const [index, name] of HOST_NAMES.entries()) {
      const host = await lab.host(name, `10.77.0.${index + 1}/${NETWORK_BITS}`);
      stage.#hosts.set(name, host);
      stage.#watch.host(host);
    }
    return stage;
  }

  /** Starts the program of every host on which it doesn't run, giving it power first. */
  async startAll(): Promise<void> {
    for (const name of HOST_NAMES) if (!this.#players.has(name)) await this.#start(name);
  }

  /**
   * Waits until one host alone is master, has the address, and is the one to answer for it; throws
   * if that does not come about.
   */
  async settled(): Promise<HostName> {
    const players = [...this.#players.values()];
    const master = await soleMaster(
      players.map(({ peer }) => peer),
      TAKEOVER_MS_MAX,
    );
    const player = players.find(({ peer }) => peer === master);
    if (player === undefined) throw new Error('the master is none of the players');
    const hosts = players.map(({ host }) => host);
    const holders = (await whoHolds(hosts, VIP)).map(({ name }) => name);
    expectOnly(holders, player.host.name, `have ${VIP}`);
    const answering = await whoAnswers(this.#client, VIP);
    expectOnly(answering, player.host.mac, `answer ARP for ${VIP}`);
    return player.hostName;
  }

  /** Takes the master away and measures how another one takes its place. */
  async lose(name: HostName, loss: Loss): Promise<Outcome> {
    const old = this.#player(name);
    const ping = startPing(this.#client, VIP, PING_INTERVAL_MS);
    await ping.answer(nowMs(), TAKEOVER_MS_MAX);
    const source = old.host.address;
    await this.#capture.advert(1, { source, afterMs: nowMs() }, TAKEOVER_MS_MAX);
    await sleep(AFTER_ADVERT_MS);
    const lostMs = nowMs();
    this.#watch.expectChange();
    await this.#takeAway(old, loss);
    const rivals = [...this.#players.values()];
    const first = await this.#capture.until(
      () =>
        this.#capture
          .adverts({ afterMs: lostMs })
          .find(({ advert }) => rivals.some(({ host }) => host.address === advert.source)),
      'an advert of the next master',
      TAKEOVER_MS_MAX,
    );
    const before = this.#capture.adverts({ source }).filter(({ atMs }) => atMs < first.atMs);
    const takeoverMs = first.atMs - (before.at(-1)?.atMs ?? lostMs);
    await ping.answer(first.atMs, TAKEOVER_MS_MAX);
    const winner = this.#player(await this.settled());
    const gapMs = await this.#pingLoss(ping, winner);
    return { from: old.program, to: winner.program, takeoverMs, gapMs };
  }

  /** Ends and removes everything. */
  close(): void {
    this.#watch.close();
    this.#lab.close();
  }

  async #start(name: HostName): Promise<void> {
    if (this.#dark.delete(name)) await this.#restorePower(name);
    const host = this.#host(name);
    const program = this.#cast[name];
    const advskew = ADVSKEWS[name];
    const options = { ...GROUP, advskew };
    const startMs = nowMs();
    const peer = program === 'carpd' ? startCarpd(host, options) : startUcarp(host, options);
    const player = { name: `${name} ${program}`, hostName: name, program, host, peer, startMs };
    this.#timeline.add(startMs, player.name, `starts with advskew ${advskew}`);
    this.#players.set(name, player);
    this.#watch.actor(player);
    const what = `${player.name} to say what it is`;
    await peer.child.until(() => peer.state(), what, TAKEOVER_MS_MAX);
  }

  async #takeAway(player: Player, loss: Loss): Promise<void> {
    const { hostName, host, peer } = player;
    this.#players.delete(hostName);
    if (loss === 'stop') {
      this.#timeline.step(nowMs(), `Planned stop of the master, ${player.name}: SIGTERM`);
      peer.signal('SIGTERM');
      return;
    }
    // Killing the program is not enough: the kernel would go on to answer for the address.
    this.#timeline.step(nowMs(), `Power cut on the master, ${player.name}: SIGKILL, link dead`);
    this.#dark.add(hostName);
    const dead = peer.kill();
    await host.linkDown();
    await dead;
  }

  /** A host that boots has its own address and not the virtual one. */
  async #restorePower(name: HostName): Promise<void> {
    const host = this.#host(name);
    await host.ip('addr', 'flush', 'dev', host.interface, 'to', `${VIP}/32`);
    await host.linkUp();
    this.#timeline.add(nowMs(), name, 'has power again');
  }

  async #pingLoss(ping: Ping, winner: Player): Promise<number> {
    const { sent, lost, longestGapMs, gaps } = await ping.stop();
    const gap = gaps.find(({ fromMs, toMs }) => toMs - fromMs === longestGapMs);
    const text =
      gap === undefined
        ? `every one of ${sent} pings was answered`
        : `answered again, by ${winner.name}: ` +
          `${Math.round(longestGapMs)} ms without an answer, ${lost} of ${sent} pings lost`;
    this.#timeline.add(gap?.toMs ?? nowMs(), 'client', text, 'cyan');
    return longestGapMs;
  }

  #host(name: HostName): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  }

  #player(name: HostName): Player {
    const player = this.#players.get(name);
    if (player === undefined) throw new Error(`nothing runs on ${name}`);
    return player;
  }
}

function expectOnly(found: readonly string[], expected: string, what: string): void {
  if (found.length === 1 && found[0] === expected) return;
  const list = found.length === 0 ? 'none does' : `these do: ${found.join(', ')}`;
  throw new Error(`${expected} alone should ${what}; ${list}`);
}
