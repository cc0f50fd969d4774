// Puts into words what can be seen of a run: the programs' logs, the addresses of the hosts, and
// what is on the wire.
import { CAUSES } from '../src/election/effects.ts';
import type { Capture, CapturedFrame } from '../lab/capture.ts';
import type { Child } from '../lab/child.ts';
import { fromWallMs } from '../lab/clock.ts';
import type { Host } from '../lab/host.ts';
import type { Peer, Transition } from '../lab/peer.ts';
import type { Timeline } from './timeline.ts';

const POLL_MS = 50;
/** The values of advbase and advskew with which a master says that it is leaving. */
const BOW_OUT = 255;
/** Stock ucarp looks at what it has received about once a second. */
const UCARP_HEARS_WITHIN_MS = 1_500;
/** News of an address may come a little after the end of the program that moved it. */
const AFTER_THE_END_MS = 1_000;

/** A program on a host, as the timeline calls it. */
export interface Actor {
  readonly name: string;
  readonly host: Host;
  readonly peer: Peer;
  /** When it was started, on the lab's time line. */
  readonly startMs: number;
}

/** Follows everything on a stage and tells the timeline, until it is closed. */
export class Watch {
  readonly #timeline: Timeline;
  readonly #vip: string;
  readonly #capture: Capture;
  readonly #actors: Actor[] = [];
  readonly #told = new Map<Actor | Child, number>();
  readonly #monitors = new Map<Child, Host>();
  readonly #timer: NodeJS.Timeout;
  #framesTold = 0;
  #announcer: string | undefined;
  #bowOutMs = -Infinity;

  constructor(timeline: Timeline, vip: string, capture: Capture) {
    this.#timeline = timeline;
    this.#vip = vip;
    this.#capture = capture;
    this.#timer = setInterval(() => this.poll(), POLL_MS);
  }

  /** Follows the addresses of a host. */
  host(host: Host): void {
    const label = `ip monitor on ${host.name}`;
    const argv = ['ip', '-4', '-o', '-ts', 'monitor', 'address'];
    const child = host.spawn(argv, { label, env: { TZ: 'UTC' } });
    this.#monitors.set(child, host);
  }

  /** Follows a program that has been started. */
  actor(actor: Actor): void {
    this.#actors.push(actor);
  }

  /** A new master's first announcement is told even if it was the last one to announce before. */
  expectChange(): void {
    this.#announcer = undefined;
  }

  /** Tells what is new. The wire comes first: it explains what ucarp does. */
  poll(): void {
    const frames = this.#capture.frames;
    for (const frame of frames.slice(this.#framesTold)) this.#frame(frame);
    this.#framesTold = frames.length;
    for (const actor of this.#actors) {
      const { transitions } = actor.peer;
      this.#news(actor, transitions).forEach((change) => this.#transition(actor, change));
    }
    for (const [child, host] of this.#monitors) {
      this.#news(child, child.lines).forEach(({ text }) => this.#address(host, text));
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #news<Item>(source: Actor | Child, items: readonly Item[]): readonly Item[] {
    const news = items.slice(this.#told.get(source) ?? 0);
    this.#told.set(source, items.length);
    return news;
  }

  #transition(actor: Actor, { atMs, from, to, cause }: Transition): void {
    const why = reason(cause) ?? this.#deduced(actor, atMs, to);
    const change = from === undefined ? to : `${from} -> ${to}`;
    this.#timeline.add(atMs, actor.name, `${change}: ${why}`, to === 'MASTER' ? 'green' : 'plain');
  }

  /** Stock ucarp logs no reasons: this is what the wire shows. */
  #deduced({ peer }: Actor, atMs: number, to: string): string {
    if (to === 'BACKUP') {
      return peer.transitions.length === 1 ? 'it has started' : 'a better master was heard';
    }
    const bowOut = atMs - this.#bowOutMs < UCARP_HEARS_WITHIN_MS;
    return bowOut ? CAUSES['bow-out'] : CAUSES['master-down'];
  }

  /** Reads "[2026-11-23T02:20:32.746990] Deleted 2: eth0 inet 10.77.0.100/32 ...", in UTC. */
  #address(host: Host, line: string): void {
    const [, time = '', text = ''] = /^\[(\S+)\] (.*)$/.exec(line) ?? [];
    const atMs = fromWallMs(Date.parse(`${time}Z`));
    const actor = this.#actors.findLast((one) => one.host === host && one.startMs <= atMs);
    if (actor === undefined || !text.includes(` inet ${this.#vip}/`)) return;
    // What the demo does to a dead host is not the host's doing.
    const endMs = actor.peer.child.exited?.atMs ?? Infinity;
    if (atMs > endMs + AFTER_THE_END_MS) return;
    const verb = text.startsWith('Deleted') ? 'gives up' : 'takes';
    this.#timeline.add(atMs, actor.name, `${verb} the address ${this.#vip}`);
  }

  #frame({ atMs, advert, arp }: CapturedFrame): void {
    if (advert?.advbase === BOW_OUT && advert.advskew === BOW_OUT) {
      this.#bowOutMs = atMs;
      const name = this.#nameOf(({ host }) => host.address === advert.source);
      this.#timeline.add(atMs, name, 'says in an advert that it is leaving (bow-out)');
    }
    if (arp?.senderIp !== this.#vip || arp.targetIp !== this.#vip) return;
    if (arp.senderMac === this.#announcer) return;
    this.#announcer = arp.senderMac;
    const name = this.#nameOf(({ host }) => host.mac === arp.senderMac);
    this.#timeline.add(atMs, name, `gratuitous ARP: ${this.#vip} is at ${arp.senderMac}`);
  }

  #nameOf(isIt: (actor: Actor) => boolean): string {
    return this.#actors.findLast(isIt)?.name ?? '?';
  }
}

/** The words for a cause in carpd's log; undefined where there is none. */
function reason(cause: string | undefined): string | undefined {
  return Object.entries(CAUSES).find(([name]) => name === cause)?.[1];
}
