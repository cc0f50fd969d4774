// Joins the readiness of one interface to the world: what the kernel says of it, frames that came
// in, answers to our questions; and its verdicts to the instances.
import { isDeepStrictEqual } from 'node:util';
import { unreachable } from '../../base/assert.ts';
import { messageOf } from '../../base/errors.ts';
import { fromMillis, micros, plus, type Micros } from '../../base/time.ts';
import { formatIpv4, type Ipv4, type Mac } from '../../carp/addresses.ts';
import { arpProbe, arpRequest } from '../../carp/arp.ts';
import { resolveStack, type LinkStack } from '../../linux/links/link-facts.ts';
import type { ReadinessEffect } from '../../readiness/effects.ts';
import { bondsOf } from '../../readiness/facts.ts';
import type { InstanceSettings, ReadinessInput, Role } from '../../readiness/inputs.ts';
import { LinkReadiness } from '../../readiness/link.ts';
import type { InstanceSnapshot, ReadinessSnapshot } from '../../readiness/snapshot.ts';
import type { Member } from './driver.ts';
import { FrameTap, type FrameOrigin } from './frame-tap.ts';
import {
  gateSettings,
  ipv4sOf,
  uplinksOf,
  wantsGateways,
  type GatedInstance,
  type HeardForGate,
} from './gate-settings.ts';
import { Gateways } from './gateways.ts';
import type { LinkGateOptions } from './link-driver-options.ts';
import type { LinkHerald } from './link-events.ts';
import type { Seen } from './witness-reader.ts';

export type { GatedInstance } from './gate-settings.ts';

type Wanted = Extract<ReadinessEffect, { kind: 'open-witness' }>['wanted'];

/** What a bond says of LACP comes without events, and an expired partner may last for a second. */
const BOND_TICK = fromMillis(250);
/** Also tells a process that stood still while nothing else was due. */
const TICK = fromMillis(1_000);
/** How long the answer to a probe may take. */
const ANSWER_PATIENCE = fromMillis(1_500);
/** The MAC addresses of so many hosts are remembered. */
const MACS_MAX = 64;

/** See the head of this file. */
export class LinkGate implements Member {
  readonly #options: LinkGateOptions;
  readonly #readiness: LinkReadiness;
  readonly #herald: LinkHerald;
  readonly #tap: FrameTap;
  readonly #gateways: Gateways;
  #instances: readonly GatedInstance[] = [];
  #stack: LinkStack | undefined;
  #wanted: Wanted | undefined;
  /** Those that all instances together name. */
  #uplinks: 'auto' | readonly string[] = 'auto';
  #answersUntil: Micros = micros(0);
  #tickAt: Micros | undefined;
  readonly #answerListeners = new Set<(host: Ipv4) => void>();
  /** Who answered lately, last come last. */
  readonly #macs = new Map<Ipv4, Mac>();
  readonly #inbox: ReadinessInput[] = [];
  #stepping = false;
  #closed = false;

  constructor(options: LinkGateOptions) {
    const { driver, herald, now } = options;
    this.#options = options;
    this.#readiness = new LinkReadiness(now());
    this.#herald = herald;
    this.#tap = new FrameTap({
      ...options,
      post: (run) => driver.post(run, 'droppable'),
      onFrame: (seen, origin) => this.#frameSeen(seen, origin),
      onAdvert: options.onAdvertWitnessed,
      onWatch: options.onWatch,
      onError: (error) => herald.tapFailed(messageOf(error)),
    });
    this.#gateways = new Gateways({
      ...options,
      interfaceName: () => this.#currentName(),
      onChanged: () => driver.post(() => this.configure(this.#instances)),
      onError: (error) => herald.gatewaysUnread(messageOf(error)),
    });
  }

  /** The link epoch now. */
  get epoch(): number {
    return this.#readiness.epoch;
  }

  /** All instances on the interface, whenever one came, went, or has another source address. */
  configure(instances: readonly GatedInstance[]): void {
    // The routes are read in their own time, and an order of an operator takes some as well.
    if (this.#closed) return;
    const { driver } = this.#options;
    this.#instances = instances;
    if (instances.length === 0) driver.remove(this);
    else driver.addJudge(this);
    this.#gateways.want(instances.some(wantsGateways));
    const settings: readonly InstanceSettings[] = instances.map((instance) =>
      gateSettings(instance, this.#gateways.known),
    );
    const uplinks = uplinksOf(instances);
    const isNew = this.#stack === undefined || !isDeepStrictEqual(uplinks, this.#uplinks);
    this.#uplinks = uplinks;
    // What is known of the link comes first, so that no gate is judged by less.
    if (isNew) this.readFacts();
    this.#step({ kind: 'instances-changed', instances: settings });
  }

  /** Nothing is told to this one any more; `configure` follows. */
  drop(instance: GatedInstance): void {
    this.#instances = this.#instances.filter((one) => one !== instance);
  }

  /** Something about this interface, or one below it, has changed. */
  linkChanged(): void {
    // The kernel tells of no change of LACP by itself, and one change seldom comes alone.
    this.#ask();
    this.readFacts();
  }

  /** Looks at the interface and all it stands on, as the kernel last told of them. */
  readFacts(): void {
    const { links, interfaceName } = this.#options;
    this.#stack = resolveStack(links, interfaceName, this.#uplinks);
    this.#herald.stackFaults(this.#stack.faults);
    this.#step({ kind: 'facts-read', facts: this.#stack.facts });
    this.#herald.ports(this.#readiness.ports);
    this.#tendTap();
  }

  /** What is told of by no event that reaches us, or was told of before it could be known. */
  #lookAgain(): void {
    const { links, interfaceName } = this.#options;
    const stack = resolveStack(links, interfaceName, this.#uplinks);
    if (!isDeepStrictEqual(stack, this.#stack)) this.readFacts();
  }

  /** Whether a change of this one may change what the interface stands on, or what proves it. */
  concerns(ifindex: number): boolean {
    if (this.#stack === undefined) return false;
    const { polled, isWhole, ownMacs } = this.#stack;
    const { master, mac } = this.#options.links.byIndex(ifindex) ?? {};
    // Whatever it is, what it sends is not of another station.
    if (mac !== undefined && !ownMacs.has(mac)) return true;
    const isPart = polled.includes(ifindex) || (master !== undefined && polled.includes(master));
    return isPart || !isWhole || this.#uplinks !== 'auto';
  }

  roleChanged(name: string, role: Role): void {
    this.#step({ kind: 'role-changed', name, role });
  }

  advertHeard(advert: HeardForGate): void {
    // Where no guest has part in the interface, all that it gets has come in through the uplink.
    const throughUplink = this.#stack?.hasGuests !== true || advert.throughUplink === true;
    this.#step({ kind: 'advert-heard', ...advert, throughUplink });
  }

  /** Whether the instance may take over from this worse master that is alive. */
  mayPreempt(name: string, master: Ipv4): boolean {
    return this.#readiness.mayPreempt(name, formatIpv4(master), this.#options.now());
  }

  /** Asks these hosts by ARP, once, for somebody who listens to the answers. */
  askHosts(hosts: readonly Ipv4[]): void {
    this.#probe(hosts.map(formatIpv4), []);
  }

  /** The MAC address with which this host answered ARP last; undefined: it did not. */
  readonly macOf = (host: Ipv4): Mac | undefined => this.#macs.get(host);

  /** Calls the listener with every host that answers us by ARP; returns how to stop that. */
  onAnswer(listener: (host: Ipv4) => void): () => void {
    this.#answerListeners.add(listener);
    return () => this.#answerListeners.delete(listener);
  }

  /** The process woke so late; what was queued in the sockets has been read. */
  wokenLate(lateBy: Micros): void {
    this.readFacts();
    this.#step({ kind: 'woken-late', lateBy });
  }

  /**
   * Whether the interface and all that it stands on have carrier, as far as the instance asks for
   * it; true as long as nothing is known.
   */
  hasCarrier(name: string): boolean {
    return this.#readiness.snapshotOf(name)?.hasCarrier ?? true;
  }

  snapshot(): ReadinessSnapshot {
    return this.#readiness.snapshot();
  }

  /** What the link means to one instance; undefined: it is not on this interface. */
  snapshotOf(name: string): InstanceSnapshot | undefined {
    return this.#readiness.snapshotOf(name);
  }

  deadline(): Micros | undefined {
    const deadline = this.#readiness.deadline();
    const tickAt = this.#tickAt ?? this.#options.now();
    return deadline === undefined || tickAt < deadline ? tickAt : deadline;
  }

  awaitsSilence(): boolean {
    return false;
  }

  wake(): void {
    const now = this.#options.now();
    if (this.#tickAt === undefined || this.#tickAt <= now) this.#tick(now);
    this.#step({ kind: 'woken' });
  }

  /** Reads the frames that wait; false if a bound left some there. */
  drain(): boolean {
    return this.#tap.drain();
  }

  close(): void {
    this.#closed = true;
    this.#options.driver.remove(this);
    this.#gateways.close();
    this.#tap.close();
  }

  #tick(now: Micros): void {
    const bond = bondsOf(this.#stack?.facts?.lower).length > 0;
    this.#tickAt = plus(now, bond ? BOND_TICK : TICK);
    this.#ask();
    if (this.#stack?.filtersVlans === true) this.#options.links.askVlans();
    this.#lookAgain();
    this.#gateways.refresh();
    this.#options.onTick();
    this.#tendTap();
    for (const instance of this.#instances) instance.remindHeld();
  }

  #ask(): void {
    const { facts, polled, hasBridge } = this.#stack ?? {};
    const hasBond = bondsOf(facts?.lower).length > 0;
    if (hasBond || hasBridge === true) this.#options.links.ask(polled ?? []);
  }

  /** One input at a time, also where what comes of one is the cause of another. */
  #step(input: ReadinessInput): void {
    if (this.#closed) return;
    this.#inbox.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const effects = this.#readiness.step(next, this.#options.now());
      for (const effect of effects) this.#perform(effect);
      this.#herald.evidence(this.epoch, this.#readiness.evidence);
    }
    this.#stepping = false;
    this.#options.driver.arm();
  }

  #perform(effect: ReadinessEffect): void {
    switch (effect.kind) {
      case 'epoch-began':
        this.#herald.epochBegan(effect.epoch);
        return this.#options.onEpoch(effect.epoch.number);
      case 'master-moved':
        return this.#find(effect.name)?.macChanged();
      case 'verdict-changed':
        return this.#herald.verdict(effect, this.#readiness.evidence);
      case 'link-warnings-changed':
        return this.#herald.warnings(effect.warnings);
      case 'gate-changed':
        return this.#find(effect.name)?.gateChanged(effect.gate, effect.warnings);
      case 'doubt-changed':
        return this.#find(effect.name)?.doubtChanged(effect.cause);
      case 'path-changed':
        return this.#find(effect.name)?.pathChanged(effect.trust);
      case 'open-witness':
        this.#wanted = effect.wanted;
        return this.#tendTap();
      case 'close-witness':
        this.#wanted = undefined;
        return this.#tendTap();
      case 'probe':
        return this.#probe(effect.addresses, effect.vips);
      case 'find-neighbours':
        return void this.#findNeighbours();
      case 'rejoin-multicast':
        return this.#options.rejoinMulticast();
      default:
        return unreachable(effect);
    }
  }

  /** The index, if a port of the bond has it. */
  #portOf(ifindex: number): number | undefined {
    const { lower } = this.#stack?.facts ?? {};
    if (lower?.kind !== 'bond') return undefined;
    return lower.ports.some((port) => port.ifindex === ifindex) ? ifindex : undefined;
  }

  async #findNeighbours(): Promise<void> {
    // Where the table can't be read, those who are known otherwise are asked.
    const addresses = await this.#options.readNeighbours(this.#currentName()).catch(() => []);
    this.#options.driver.post(() => this.#step({ kind: 'neighbours-found', addresses }));
  }

  #currentName(): string {
    const { links, interfaceName } = this.#options;
    return links.find(interfaceName)?.name ?? interfaceName;
  }

  #find(name: string): GatedInstance | undefined {
    return this.#instances.find((instance) => instance.name === name);
  }

  /** Opens, changes or closes the socket that sees frames, as it is wanted now. */
  #tendTap(): void {
    const answers = this.#answersUntil > this.#options.now() ? 'arp-replies' : undefined;
    const masters = this.#options.floodedMasters();
    const other = masters === undefined ? answers : 'adverts';
    // Whoever wants more than one frame has to go on seeing what it wants.
    const once = this.#wanted === 'one-frame' && other === undefined;
    const asked = this.#wanted === 'one-frame' ? 'any-frame' : this.#wanted;
    const wanted = asked ?? other;
    const senders = wanted === 'adverts' ? masters : undefined;
    const then = this.#wanted === 'one-frame' ? other : undefined;
    this.#tap.want(wanted, this.#stack, this.epoch, { senders, once, then });
  }

  /** A flood has begun, or has other masters in it. */
  floodChanged(): void {
    this.#tendTap();
  }

  #probe(addresses: readonly string[], vips: readonly string[]): void {
    if (this.#closed) return;
    const { now, mac, sendFrame } = this.#options;
    this.#answersUntil = plus(now(), ANSWER_PATIENCE);
    this.#tendTap();
    const source = this.#instances.find((instance) => instance.source !== undefined)?.source;
    try {
      const own = mac();
      for (const vip of ipv4sOf(vips)) sendFrame(arpProbe(own, vip));
      if (source === undefined) return;
      for (const address of ipv4sOf(addresses)) sendFrame(arpRequest(own, source, address));
    } catch (error) {
      this.#herald.probeFailed(messageOf(error));
    }
  }

  #noteAnswer(host: Ipv4, mac: Mac): void {
    this.#macs.delete(host);
    this.#macs.set(host, mac);
    for (const oldest of this.#macs.keys()) {
      if (this.#macs.size <= MACS_MAX) return;
      this.#macs.delete(oldest);
    }
  }

  #frameSeen(seen: Seen, { epoch, cameBy, ...origin }: FrameOrigin): void {
    const port = this.#portOf(cameBy);
    const station = origin.station && formatIpv4(origin.station);
    switch (seen.kind) {
      case 'arp-reply': {
        const address = formatIpv4(seen.address);
        this.#noteAnswer(seen.address, seen.mac);
        for (const listener of [...this.#answerListeners]) listener(seen.address);
        return this.#step({ kind: 'probe-answered', address, mac: seen.mac, epoch, port });
      }
      case 'advert-packet':
      case 'frame':
        return this.#step({ kind: 'frame-heard', from: seen.from, epoch, port, station });
      case 'uncounted':
        return;
      default:
        return unreachable(seen);
    }
  }
}
