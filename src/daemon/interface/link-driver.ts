// Joins one segment to the world: gives it what the kernel says of the interface, frames that came
// in, answers to our questions and time, and has its effects carried out. It keeps the contract at
// the head of segment/segment.ts, together with traffic/advert-receiver.ts, which reads the
// sockets.
import { unreachable } from '../../base/assert.ts';
import { messageOf } from '../../base/errors.ts';
import type { Micros } from '../../base/time.ts';
import type { Ipv4, Mac } from '../../base/addresses.ts';
import type { State } from '../../election/effects.ts';
import type { ElectionSettings } from '../../election/settings.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { InstanceSnapshot, ReadinessSnapshot } from '../../readiness/snapshot.ts';
import type { SegmentEffect } from '../../segment/effects.ts';
import type { InstanceInput, SegmentInput } from '../../segment/inputs.ts';
import { Segment } from '../../segment/segment.ts';
import type { WitnessWish } from '../../segment/witness-wish.ts';
import { ArpProber } from '../../traffic/arp-prober.ts';
import { StandbyWatch, type Standby } from '../../traffic/standby-watch.ts';
import type { Member } from './driver.ts';
import { WitnessController, type FrameOrigin } from '../../traffic/witness-controller.ts';
import { readinessSettings, uplinksOf, wantsGateways } from './readiness-settings.ts';
import type { SegmentMember } from './segment-member.ts';
import { Gateways } from '../../addressing/gateways.ts';
import type { LinkDriverOptions } from './link-driver-options.ts';
import type { LinkEvents } from '../../events/publish/link-events.ts';
import type { Seen } from '../../traffic/witness-reader.ts';
import { StackReader } from '../../linux/links/stack-reader.ts';

/** Feeds the readiness of one interface, and carries out what it asks for. */
export class LinkDriver implements Member {
  readonly #options: LinkDriverOptions;
  readonly #segment: Segment;
  readonly #linkEvents: LinkEvents;
  readonly #witness: WitnessController;
  readonly #gateways: Gateways;
  readonly #stack: StackReader;
  readonly #prober: ArpProber;
  readonly #standbys = new StandbyWatch();
  /** All that were added, by their names. */
  readonly #members = new Map<string, SegmentMember>();
  /** Those that the readiness knows. */
  #configured: readonly SegmentMember[] = [];
  #wish: WitnessWish | undefined;
  readonly #inbox: SegmentInput[] = [];
  #stepping = false;
  #closed = false;

  constructor(options: LinkDriverOptions) {
    const { driver, linkEvents, now, machines } = options;
    this.#options = options;
    this.#segment = new Segment(now(), machines);
    this.#linkEvents = linkEvents;
    this.#witness = new WitnessController({
      ...options,
      post: (run) => driver.post(run, 'droppable'),
      onFrame: (seen, origin) => this.#frameSeen(seen, origin),
      onAdvert: options.onAdvertWitnessed,
      onWatch: options.onWatch,
      onError: (error) => linkEvents.witnessFailed(messageOf(error)),
    });
    this.#gateways = new Gateways({
      ...options,
      interfaceName: () => this.#currentName(),
      onChanged: () => driver.post(() => this.configure(this.#configured)),
      onError: (error) => linkEvents.gatewaysUnread(messageOf(error)),
    });
    this.#stack = new StackReader({
      ...options,
      onFaults: (faults) => linkEvents.stackFaults(faults),
    });
    this.#prober = new ArpProber({
      ...options,
      onError: (reason) => linkEvents.probeFailed(reason),
    });
  }

  /** The link epoch now. */
  get epoch(): number {
    return this.#segment.link.epoch;
  }

  /** Has an instance take part; it gets all that happens to it from here on. */
  enroll(instance: SegmentMember, settings: ElectionSettings): void {
    const { name } = instance;
    this.#members.set(name, instance);
    this.#options.driver.add(this);
    this.give({ kind: 'instance-added', name, settings });
  }

  /** This one gets nothing any more; `configure` follows. */
  drop(instance: SegmentMember): void {
    const { name } = instance;
    if (this.#members.get(name) !== instance) return;
    this.#members.delete(name);
    this.#configured = this.#configured.filter((one) => one !== instance);
    this.give({ kind: 'instance-removed', name });
  }

  /** An order to an instance, or what became of what it wanted. */
  giveTo(name: string, input: InstanceInput): void {
    this.give({ kind: 'instance-input', name, input });
  }

  /** The election of an instance; undefined: it takes no part. */
  electionOf(name: string): ElectionSnapshot | undefined {
    return this.#segment.election(name);
  }

  /** The state of an instance; undefined: it takes no part. */
  stateOf(name: string): State | undefined {
    return this.#segment.stateOf(name);
  }

  /** All instances on the interface, whenever one came, went, or has another source address. */
  configure(instances: readonly SegmentMember[]): void {
    // The routes are read in their own time, and an order of an operator takes some as well.
    if (this.#closed) return;
    this.#configured = instances;
    this.#gateways.want(instances.some(wantsGateways));
    const settings = instances.map((instance) => readinessSettings(instance, this.#gateways.known));
    // What is known of the link comes first, so that no gate is judged by less.
    if (this.#stack.useUplinks(uplinksOf(instances))) this.readFacts();
    this.give({ kind: 'instances-changed', instances: settings });
  }

  /** Something about this interface, or one below it, has changed. */
  linkChanged(): void {
    // The kernel tells of no change of LACP by itself, and one change seldom comes alone.
    this.#stack.ask();
    this.readFacts();
  }

  /** Looks at the interface and all it stands on, as the kernel last told of them. */
  readFacts(): void {
    this.give({ kind: 'facts-read', ...this.#stack.read() });
    this.#tendWitness();
  }

  /** Whether a change of this one may change what the interface stands on, or what proves it. */
  concerns(ifindex: number): boolean {
    return this.#stack.concerns(ifindex);
  }

  /** Asks these hosts by ARP, once, for somebody who listens to the answers. */
  askHosts(hosts: readonly Ipv4[]): void {
    this.give({ kind: 'hosts-asked', addresses: hosts });
  }

  /** The MAC address with which this host answered ARP last; undefined: it did not. */
  readonly macOf = (host: Ipv4): Mac | undefined => this.#prober.macOf(host);

  /** Whether this host answers, who may take over; undefined: it is not asked. */
  standbyOf(host: Ipv4): Standby | undefined {
    return this.#standbys.of(host, this.#options.now());
  }

  /** Calls the listener with every host that answers us by ARP; returns how to stop that. */
  onAnswer(listener: (host: Ipv4) => void): () => void {
    return this.#prober.onAnswer(listener);
  }

  stoodStill(lateBy: Micros): void {
    this.give({ kind: 'stood-still', lateBy });
  }

  caughtUp(lateBy: Micros): void {
    this.give({ kind: 'caught-up', lateBy, ...this.#stack.read() });
    this.#tendWitness();
  }

  /**
   * Whether the interface and all that it stands on have carrier, as far as the instance asks for
   * it; true as long as nothing is known.
   */
  hasCarrier(name: string): boolean {
    return this.snapshotOf(name)?.hasCarrier ?? true;
  }

  snapshot(): ReadinessSnapshot {
    return this.#segment.link.snapshot();
  }

  /** What the link means to one instance; undefined: it is not on this interface. */
  snapshotOf(name: string): InstanceSnapshot | undefined {
    return this.#segment.link.snapshotOf(name);
  }

  deadline(): Micros | undefined {
    return this.#segment.deadline();
  }

  awaitsSilence(dueBy: Micros): boolean {
    return this.#segment.awaitsSilence(dueBy);
  }

  wake(dueBy: Micros): void {
    const { readSocket, unheardUntil } = this.#options;
    if (this.#segment.readsSocket(dueBy)) readSocket();
    const isSilence = this.#segment.awaitsSilence(dueBy);
    this.give({ kind: 'woken', dueBy, unheardUntil: isSilence ? unheardUntil() : undefined });
  }

  /** Reads the frames that wait; false if a bound left some there. */
  drain(): boolean {
    return this.#witness.drain();
  }

  close(): void {
    this.#closed = true;
    this.#options.driver.remove(this);
    this.#gateways.close();
    this.#witness.close();
  }

  #lookAround(): void {
    this.#stack.ask();
    this.#stack.askVlans();
    // What is told of by no event that reaches us, or was told of before it could be known.
    if (this.#stack.isStale()) this.readFacts();
    this.#gateways.refresh();
    this.#options.onTick();
    this.#tendWitness();
    for (const instance of this.#configured) instance.remindHeld();
    this.#askStandbys();
  }

  #askStandbys(): void {
    const wanted = this.#configured.flatMap(({ standbyHosts }) => standbyHosts);
    const hosts = this.#standbys.round(wanted, this.#options.now());
    if (hosts.length > 0) this.askHosts(hosts);
  }

  /** One input at a time, also where what comes of one is the cause of another. */
  give(input: SegmentInput): void {
    if (this.#closed) return;
    this.#inbox.push(input);
    if (this.#stepping) return;
    this.#stepping = true;
    const concerned = new Set<string>();
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const effects = this.#segment.step(next, this.#options.now());
      if (next.kind === 'instance-input') concerned.add(next.name);
      for (const effect of effects) {
        if ('name' in effect) concerned.add(effect.name);
        this.#carryOut(effect);
      }
      const isOfFacts = next.kind === 'facts-read' || next.kind === 'caught-up';
      if (isOfFacts) this.#linkEvents.ports(this.#segment.link.ports);
    }
    this.#stepping = false;
    this.#options.driver.arm();
    for (const name of concerned) this.#members.get(name)?.stepped();
  }

  #carryOut(effect: SegmentEffect): void {
    const member = 'name' in effect ? this.#members.get(effect.name) : undefined;
    switch (effect.kind) {
      case 'elected':
        return member?.effects.perform(effect.effect, effect.masterDownAt);
      case 'advert-heard':
        this.#options.onAdvertHeard(effect);
        return member?.advertHeard(effect);
      case 'gate-changed':
        return member?.gateChanged(effect.gate, effect.warnings);
      case 'doubt-changed':
        return member?.doubtChanged(effect.cause);
      case 'packet-refused':
        return this.#options.onRefused(effect.dropped);
      case 'epoch-began':
        this.#linkEvents.epochBegan(effect.epoch);
        return this.#options.onEpoch(effect.epoch.number);
      case 'verdict-changed':
        return this.#linkEvents.verdict(effect, this.#segment.link.evidence);
      case 'evidence-changed':
        return this.#linkEvents.evidence(effect.epoch, effect.evidence);
      case 'link-warnings-changed':
        return this.#linkEvents.warnings(effect.warnings);
      case 'watch-frames':
        this.#wish = effect.wish;
        return this.#tendWitness();
      case 'look-again':
        return this.#lookAround();
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

  async #findNeighbours(): Promise<void> {
    // Where the table can't be read, those who are known otherwise are asked.
    const addresses = await this.#options.readNeighbours(this.#currentName()).catch(() => []);
    this.#options.driver.post(() => this.give({ kind: 'neighbours-found', addresses }));
  }

  #currentName(): string {
    const { links, interfaceName } = this.#options;
    return links.find(interfaceName)?.name ?? interfaceName;
  }

  /** Opens, changes or closes the socket that sees frames, as it is wanted now. */
  #tendWitness(): void {
    const { mode, once = false, then, onlyMasters } = this.#wish ?? {};
    const senders = onlyMasters === true ? this.#options.floodedMasters() : undefined;
    this.#witness.want(mode, this.#stack.stack, this.#wish?.epoch ?? this.epoch, {
      senders,
      once,
      then,
    });
  }

  /** Other masters are known than before, whom a flood must not drown. */
  mastersChanged(): void {
    this.#tendWitness();
  }

  #probe(addresses: readonly Ipv4[], vips: readonly Ipv4[]): void {
    if (this.#closed) return;
    const source = this.#configured.find((instance) => instance.source !== undefined)?.source;
    this.#prober.ask(addresses, vips, source);
  }

  #frameSeen(seen: Seen, { epoch, cameBy }: FrameOrigin): void {
    const port = this.#stack.portOf(cameBy);
    switch (seen.kind) {
      case 'arp-reply': {
        const { address, mac } = seen;
        this.#prober.answered(address, mac);
        this.#standbys.answered(address, this.#options.now());
        return this.give({ kind: 'probe-answered', address, mac, epoch, port });
      }
      case 'advert-packet':
        return this.give({ kind: 'frame-heard', from: seen.from, epoch, port });
      case 'frame': {
        const { from, station } = seen;
        return this.give({ kind: 'frame-heard', from, epoch, port, station });
      }
      case 'uncounted':
        return;
      default:
        return unreachable(seen);
    }
  }
}
