// One instance at work: what happens on its interface goes to its election, and what the election
// wants is carried out. The election itself is in the segment of the interface.
import type { Ipv4 } from '../../base/addresses.ts';
import type { GroupKey } from '../../carp/digest.ts';
import type { InstanceConfig } from '../../config/config.ts';
import { invariant } from '../../base/assert.ts';
import { advertInterval, masterDownInterval } from '../../election/cadence.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { Link } from '../../linux/links/link-watch.ts';
import type { DoubtCause } from '../../readiness/doubt.ts';
import type { GateVerdict } from '../../readiness/gate.ts';
import type { Warning } from '../../readiness/reasons.ts';
import type { ForeignClaim } from '../../carp/claim.ts';
import { ClaimPublisher } from '../../events/publish/claim-publisher.ts';
import type { Driver } from '../interface/driver.ts';
import { instancePublisher, type EventSink } from '../../events/bus.ts';
import { EffectRunner } from './effect-runner.ts';
import { changeableSettings, electionSettings } from './election-settings.ts';
import { InterfaceUsability, MEANS_GONE, type UsabilityChange } from './interface-usability.ts';
import type { AdvertHeard } from '../interface/segment-member.ts';
import type { InstanceInput } from '../../segment/inputs.ts';
import { GateEvents } from '../../events/publish/gate-events.ts';
import type { Holding } from '../../release/holding.ts';
import { InstanceEvents } from '../../events/publish/instance-events.ts';
import type { GroupClaim } from '../../groups/group-claim.ts';
import type { InterfaceMember } from '../interface/interface-members.ts';
import type { SharedInterface } from '../interface/shared-interface.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { LinkDriver } from '../interface/link-driver.ts';
import { reportInstance, type InstanceReport } from '../../report/report.ts';
import type { HookSlots } from '../../vip/hook-slots.ts';
import type { InstancePorts } from '../../ports/ports.ts';
import { stateEvent } from '../../report/state-event.ts';
import type { Standby } from '../../traffic/standby-watch.ts';

export interface InstanceOptions extends InstancePorts {
  readonly config: InstanceConfig;
  readonly hookSlots: HookSlots;
  /** The virtual IPs of all instances: none of them can be a source. */
  readonly virtualIps: () => ReadonlySet<Ipv4>;
  readonly isServed: (address: Ipv4, ifindex: number) => boolean;
  readonly sharedInterface: SharedInterface;
  readonly driver: Driver;
  readonly events: EventSink;
  /** The interface has vanished or was set down, having been usable before or not. */
  readonly onInterfaceGone: () => void;
  readonly record: InstanceRecord;
  /** Its hold on the group. */
  readonly claim: GroupClaim;
}

/** Runs one instance from `start` to the end of `stop`. */
export class Instance implements InterfaceMember {
  readonly name: string;
  readonly key: GroupKey;
  readonly destination: Ipv4;
  readonly sharedInterface: SharedInterface;
  /** What is known of it beside its election. */
  readonly record: InstanceRecord;
  readonly linkDriver: LinkDriver;
  /** Carries out what its election wants. */
  readonly effects: EffectRunner;
  readonly isOn = (link: object): boolean => link === this.sharedInterface;
  readonly #options: InstanceOptions;
  readonly #instanceEvents: InstanceEvents;
  readonly #gateEvents: GateEvents;
  readonly #usability: InterfaceUsability;
  readonly #claims: ClaimPublisher;
  #config: InstanceConfig;
  /** Its election as it was when it ended. */
  #last: ElectionSnapshot | undefined;

  constructor(options: InstanceOptions) {
    const { config } = options;
    this.#options = options;
    this.name = config.name;
    this.#config = config;
    this.sharedInterface = options.sharedInterface;
    this.record = options.record;
    this.linkDriver = options.sharedInterface.linkDriver;
    const current = (): InstanceConfig => this.#config;
    const publish = instancePublisher(options.events, config);
    this.#instanceEvents = new InstanceEvents(current, publish, options.now);
    this.#gateEvents = new GateEvents(publish, options.now);
    this.#usability = new InterfaceUsability({
      ...options,
      config: current,
      instanceEvents: this.#instanceEvents,
      lookAgain: () => options.driver.post(() => options.sharedInterface.notify(this)),
    });
    this.key = {
      passphrase: config.passphrase.reveal(),
      vhid: config.vhid,
      addresses: [config.address.ip],
    };
    this.destination = config.destination;
    this.#claims = this.#createClaimPublisher();
    this.effects = new EffectRunner({
      ...options,
      config: current,
      key: this.key,
      member: this,
      instanceEvents: this.#instanceEvents,
      source: () => this.source,
      election: () => this.snapshot(),
      feed: (input) => this.#feed(input),
    });
    this.linkDriver.enroll(this, electionSettings(config, options));
  }

  /** As it is in force now. */
  get config(): InstanceConfig {
    return this.#config;
  }

  /** A master whose source address was removed says with it that it leaves. */
  get source(): Ipv4 | undefined {
    return this.#usability.source;
  }

  get ownSources(): readonly Ipv4[] {
    return this.#usability.ownSources;
  }

  /** Why it cannot take part now, in words. */
  get fault(): string | undefined {
    return this.#usability.fault(`${this.config.interfaceName}: no socket could be opened`);
  }

  /** Ends the hooks and says what is to be undone at once; for a fault in carpd itself. */
  abandon(): Holding {
    return this.effects.abandon();
  }

  /** Why the virtual IP could not be removed, as far as that is known. */
  get vipFault(): string | undefined {
    return this.effects.vipFault;
  }

  get isMaster(): boolean {
    return (this.#last?.state ?? this.linkDriver.stateOf(this.name)) === 'MASTER';
  }

  snapshot(): ElectionSnapshot {
    const election = this.#last ?? this.linkDriver.electionOf(this.name);
    invariant(election !== undefined, 'an instance has an election until it ends');
    return election;
  }

  /** Cleans up after an earlier run and takes part from then on. */
  async start(): Promise<void> {
    const { sharedInterface } = this.#options;
    this.#usability.claim(sharedInterface.link());
    if (this.#usability.mayRemoveStale(sharedInterface.link())) await this.effects.removeStale();
    this.#feed({ kind: 'started' });
    this.#feedMaintenance();
    await sharedInterface.add(this);
  }

  /**
   * Hands over if it is master; resolves when address, bow-out and hooks are done with, to the
   * command that removes what could not be removed, if there is such a thing.
   */
  async stop(): Promise<string | undefined> {
    await this.end();
    return this.close();
  }

  /** The first half of `stop`: resolves when nothing is under way; `close` follows. */
  async end(): Promise<void> {
    this.#options.claim.leaving();
    await this.effects.end('stop-requested');
  }

  /**
   * As `stop`, for a reload: resolves to false where the virtual IP can't be taken off, so that it
   * stays master as it was. A stop that comes meanwhile insists (see `insist`).
   */
  async retire(): Promise<boolean> {
    const ended = await this.effects.end('retire-requested');
    if (ended) this.close();
    return ended;
  }

  /**
   * Goes on with this configuration, which differs in nothing that needs a restart (see
   * config/reload-table.ts); resolves when it is in force.
   */
  reconfigure(config: InstanceConfig): Promise<void> {
    return new Promise((resolve) => {
      this.#options.driver.post(() => {
        this.#config = config;
        this.record.reconfigured(config);
        this.#feed({ kind: 'reconfigured', settings: changeableSettings(config) });
        resolve(this.sharedInterface.reconfigured());
      });
    });
  }

  /** The whole daemon stops: an instance that a reload has asked to end must. */
  insist(): void {
    this.effects.insist();
  }

  /** The other half: it takes no part any more. */
  close(): string | undefined {
    this.#last = this.snapshot();
    this.#options.sharedInterface.remove(this);
    this.#claims.close();
    const leftBehind = this.effects.close();
    this.#options.claim.release();
    if (leftBehind !== undefined) this.#instanceEvents.vipLeftBehind(leftBehind);
    return leftBehind;
  }

  /** Steps down now; without effect unless it is master. */
  handover(): void {
    this.#options.driver.post(() => this.#feed({ kind: 'handover-requested' }));
  }

  /** Takes over what the record of maintenance says now. */
  maintenanceChanged(): void {
    this.#options.driver.post(() => this.#feedMaintenance());
  }

  /** It was stopped and takes part no more. */
  get ended(): boolean {
    return this.effects.isOver;
  }

  /** What is known of those that may take over. */
  get standbys(): readonly Standby[] {
    return this.standbyHosts.flatMap((host) => this.linkDriver.standbyOf(host) ?? []);
  }

  get standbyHosts(): readonly Ipv4[] {
    if (!this.isMaster) return [];
    const { peers } = this.config;
    const heard = this.record.peers.all(this.#options.now()).map(({ address }) => address);
    // One list may serve all nodes, and so name this one as well.
    return [...new Set([...peers, ...heard])].filter((host) => host !== this.source);
  }

  logState(): void {
    this.#options.events.publish(stateEvent(this.report()));
  }

  /** Why it is what it is, as plain data. */
  report(): InstanceReport {
    const { record, now } = this.#options;
    const sources = {
      config: this.#config,
      election: this.snapshot(),
      readiness: this.linkDriver.snapshot(),
      ...record.report(now()),
      lastTransition: this.effects.lastTransition,
      standbys: this.standbys,
      ...this.#usability.report(),
    };
    return reportInstance(sources, now());
  }

  advertHeard({ from, advert, by }: AdvertHeard): void {
    this.#instanceEvents.advertHeard(from, advert, by);
    this.record.peers.heard(from, advert, this.#options.now());
  }

  gateChanged(gate: GateVerdict, warnings: readonly Warning[]): void {
    const holder = this.linkDriver.snapshotOf(this.name)?.vipHolder?.mac;
    this.#gateEvents.changed(gate, warnings, holder, this.isMaster);
    // Its own carrier an interface may keep though what it stands on has none, as a bridge does.
    this.#stand(this.#usability.carrierChanged());
  }

  doubtChanged(cause: DoubtCause | undefined): void {
    // A doubt that ends with the mastership was not dispelled.
    if (cause !== undefined || this.isMaster) this.#instanceEvents.doubt(cause);
  }

  foreignClaim(claim: ForeignClaim): void {
    this.#claims.heard(claim, this.snapshot());
    if (claim.form !== 'probe') this.#feed({ kind: 'vip-contested' });
  }

  remindHeld(): void {
    this.#gateEvents.tick({
      election: this.snapshot(),
      before: this.effects.lastTransition?.from,
      heardAt: this.linkDriver.snapshotOf(this.name)?.lastAdvert?.at,
      deadInterval: masterDownInterval(this.config),
      policy: this.config.gate.policy,
    });
  }

  linkChanged(link: Link | undefined, usable: boolean): void {
    this.#stand(this.#usability.update(link, usable));
  }

  #stand(change: UsabilityChange | undefined): void {
    if (change === undefined) return;
    this.sharedInterface.sourcesChanged();
    const { now, isBack } = change;
    if (now.kind === 'fault') {
      this.#feed({ kind: 'interface-lost', cause: now.fault });
      if (MEANS_GONE.has(now.fault)) this.#options.onInterfaceGone();
      return;
    }
    // An interface that comes back (created anew, renamed back) may bring the address along. A
    // master whose source address was away for a moment has put it there itself.
    const mayBringIt = isBack && !this.isMaster;
    if (mayBringIt && this.#usability.mayRemoveStale(this.sharedInterface.link()))
      void this.effects.removeStale();
    this.#feed({ kind: 'carrier-changed', up: now.carrier });
    this.#feed({ kind: 'interface-ready', source: now.source });
  }

  stepped(): void {
    this.effects.stepped();
    this.record.stepped();
  }

  /** Under its name there may be another one once it has ended. */
  #feed(input: InstanceInput): void {
    if (this.#last === undefined) this.linkDriver.giveTo(this.name, input);
  }

  #feedMaintenance(): void {
    this.#feed({ kind: 'maintenance-changed', on: this.record.maintenance !== undefined });
  }

  #createClaimPublisher(): ClaimPublisher {
    const { record, startTimer, now } = this.#options;
    return new ClaimPublisher({
      startTimer,
      interval: () => advertInterval(this.#config),
      judge: (mac) => record.claimant(mac, this.linkDriver.macOf, now()),
      publish: (...claim) => this.#instanceEvents.contested(...claim),
    });
  }
}
