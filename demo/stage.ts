// The stage of the demo: three hosts and a client on one switch, and what can be done to a host.
import { Capture } from '../test/lab/capture.ts';
import { startCarpd } from '../test/lab/carpd-peer.ts';
import { nowMs } from '../test/lab/clock.ts';
import type { Host } from '../test/lab/host.ts';
import { Lab } from '../test/lab/namespaces.ts';
import type { Peer } from '../test/lab/peer.ts';
import { startUcarp } from '../test/lab/ucarp-peer.ts';
import { startPing, whoHolds } from '../test/lab/vip.ts';
import { eventually } from '../test/lab/wait.ts';
import type { Timeline } from './timeline.ts';

export const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'demo-secret' };
const PING_INTERVAL_MS = 20;
const TAKEOVER_MS_MAX = 15_000;
/** Stock ucarp hears adverts up to a second late. */
const STEADY_ADVERTS = 3;

export type Program = 'carpd' | 'ucarp';

/** How long the address was away, and who has it now. */
export interface Outcome {
  readonly winner: string;
  /** From the last advert of the old master to the first of the new one. */
  readonly takeoverMs: number;
  /** The longest time in which the client's pings had no answer. */
  readonly pingGapMs: number;
}

/** Hosts with their programs; every change of state goes to the timeline. */
export class Stage {
  readonly #lab: Lab;
  readonly #timeline: Timeline;
  readonly #client: Host;
  readonly #capture: Capture;
  readonly #hosts = new Map<string, Host>();
  readonly #peers = new Map<string, Peer>();

  private constructor(lab: Lab, timeline: Timeline, client: Host, capture: Capture) {
    this.#lab = lab;
    this.#timeline = timeline;
    this.#client = client;
    this.#capture = capture;
  }

  static async open(timeline: Timeline): Promise<Stage> {
    const lab = await Lab.create();
    const client = await lab.host('client', '10.77.0.50/24');
    const stage = new Stage(lab, timeline, client, await Capture.start(client));
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      stage.#hosts.set(name, await lab.host(name, `10.77.0.${index + 1}/24`));
    }
    return stage;
  }

  /** Starts a program on a host; resolves when it says that it is master or backup. */
  async start(name: string, program: Program, advskew: number): Promise<void> {
    const host = this.#host(name);
    const options = { ...GROUP, advskew };
    const peer = program === 'carpd' ? startCarpd(host, options) : startUcarp(host, options);
    this.#peers.set(name, peer);
    this.#timeline.say(`${name}: ${program} starts, advskew ${advskew}`);
    const told = new Set<unknown>();
    peer.child.onLine(() => {
      for (const transition of peer.transitions) {
        if (told.has(transition)) continue;
        told.add(transition);
        const { from, to, cause } = transition;
        const why = cause === undefined ? '' : ` (${cause})`;
        this.#timeline.change(`${name}: ${from === undefined ? '' : `${from} -> `}${to}${why}`, to);
      }
    });
    await eventually(() => peer.state() !== undefined, {
      withinMs: TAKEOVER_MS_MAX,
      what: `${program} on ${name} to say what it is`,
    });
  }

  /** Waits until the host is master, alone has the address, and answers the client. */
  async settled(name: string): Promise<void> {
    await this.#peer(name).waitFor('MASTER', TAKEOVER_MS_MAX);
    await eventually(() => this.#holdsAlone(name), {
      withinMs: TAKEOVER_MS_MAX,
      what: `${VIP} to be on ${name} alone`,
      detail: () => this.#lab.report(),
    });
  }

  /** Lets the master advertise for a while, so that everybody has heard it when something happens. */
  async steady(): Promise<void> {
    const afterMs = nowMs();
    await this.#capture.advert(STEADY_ADVERTS, { afterMs }, TAKEOVER_MS_MAX);
  }

  /** The host loses its power: nothing of it runs or answers any more. */
  cut(name: string): Promise<Outcome> {
    return this.#lose(name, `${name}: POWER CUT (SIGKILL, and its link goes down)`, async () => {
      await this.#host(name).linkDown();
      await this.#peer(name).kill();
      await this.#host(name).ip('addr', 'flush', 'dev', this.#host(name).interface);
    });
  }

  /** The program is asked to end, as for an upgrade. */
  stop(name: string): Promise<Outcome> {
    return this.#lose(name, `${name}: planned stop (SIGTERM)`, () => {
      this.#peer(name).signal('SIGTERM');
      return Promise.resolve();
    });
  }

  /** Power is back: the host has its own address again. */
  async revive(name: string): Promise<void> {
    const host = this.#host(name);
    const cidr = `${host.address}/${host.prefixLength}`;
    await host.ip('addr', 'add', cidr, 'broadcast', '+', 'dev', host.interface);
    await host.linkUp();
    this.#timeline.say(`${name}: power is back`);
  }

  close(): void {
    this.#lab.close();
  }

  async #lose(name: string, text: string, lose: () => Promise<void>): Promise<Outcome> {
    const ping = startPing(this.#client, VIP, PING_INTERVAL_MS);
    await ping.answer(nowMs(), TAKEOVER_MS_MAX);
    // Some answers first, so that the time without one has a beginning.
    await ping.answer(nowMs() + 10 * PING_INTERVAL_MS, TAKEOVER_MS_MAX);
    this.#timeline.event(text);
    const atMs = nowMs();
    await lose();
    const others = [...this.#peers.keys()].filter((other) => other !== name);
    const addresses = others.map((other) => this.#host(other).address);
    const isRival = (source: string): boolean => addresses.includes(source);
    const first = await this.#capture.until(
      () => this.#capture.adverts({ afterMs: atMs }).find(({ advert }) => isRival(advert.source)),
      'an advert of the next master',
      TAKEOVER_MS_MAX,
    );
    const winner = others.find((other) => this.#host(other).address === first.advert.source) ?? '';
    this.#peers.delete(name);
    await ping.answer(first.atMs, TAKEOVER_MS_MAX);
    await this.settled(winner);
    const { longestGapMs } = await ping.stop();
    const source = this.#host(name).address;
    const last = this.#capture
      .adverts({ source })
      .filter((frame) => frame.atMs < first.atMs)
      .at(-1);
    const takeoverMs = first.atMs - (last?.atMs ?? atMs);
    this.#timeline.say(
      `   ${winner} has ${VIP}; pings went without an answer for ${Math.round(longestGapMs)} ms`,
    );
    return { winner, takeoverMs, pingGapMs: longestGapMs };
  }

  async #holdsAlone(name: string): Promise<boolean> {
    const living = [...this.#peers.keys()].map((peer) => this.#host(peer));
    const holders = await whoHolds(living, VIP);
    return holders.length === 1 && holders[0]?.name === name;
  }

  #host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  #peer(name: string): Peer {
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new Error(`nothing runs on ${name}`);
    return peer;
  }
}
