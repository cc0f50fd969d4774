// One instance at work: the effects of its election carried out for real, and what became of them
// told to it. The election itself is in the segment of its interface.
import type { Micros } from '../../base/time.ts';
import type { Ipv4 } from '../../carp/addresses.ts';
import type { GroupKey } from '../../carp/digest.ts';
import type { InstanceConfig } from '../../config/config.ts';
import { invariant, unreachable } from '../../base/assert.ts';
import { masterDownInterval } from '../../election/cadence.ts';
import type { Effect } from '../../election/effects.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { Link } from '../../linux/links/link-watch.ts';
import type { DoubtCause } from '../../readiness/doubt.ts';
import type { GateVerdict } from '../../readiness/gate.ts';
import type { Warning } from '../../readiness/reasons.ts';
import type { Announcer } from '../../vip/announcer.ts';
import type { AdvertSender } from './advert-sender.ts';
import type { ForeignClaim } from '../../carp/claim.ts';
import type { ClaimTeller } from '../../events/publish/claim-teller.ts';
import { MasterResources } from './master-resources.ts';
import type { Driver } from '../interface/driver.ts';
import { Ending } from './ending.ts';
import { instancePublisher, type EventSink } from '../../events/bus.ts';
import { electionSettings } from './election-settings.ts';
import { InterfaceUsability, MEANS_GONE, type FootingChange } from './interface-usability.ts';
import type { AdvertHeard } from '../interface/gate-settings.ts';
import type { InstanceInput } from '../../segment/inputs.ts';
import { GateEvents } from '../../events/publish/gate-events.ts';
import type { Holding } from '../../release/holding.ts';
import { InstanceEvents } from '../../events/publish/instance-events.ts';
import type { GroupClaim } from '../interface/group-claim.ts';
import type { InterfaceMember, SharedInterface } from '../interface/shared-interface.ts';
import type { InstanceRecord } from './instance-record.ts';
import * as wire from './instance-wire.ts';
import type { LinkDriver } from '../interface/link-driver.ts';
import { reportInstance, type InstanceReport, type LastTransition } from '../../report/report.ts';
import type { InstancePorts } from '../../ports/ports.ts';
import { stateEvent } from '../../report/state-event.ts';

export interface InstanceOptions extends InstancePorts {
  readonly config: InstanceConfig;
  /** The virtual IPs of all instances: none of them can be a source. */
  readonly virtualIps: () => ReadonlySet<Ipv4>;
  readonly isServed: (address: Ipv4, ifindex: number) => boolean;
  readonly shared: SharedInterface;
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
  readonly config: InstanceConfig;
  readonly key: GroupKey;
  readonly group: Ipv4;
  readonly shared: SharedInterface;
  /** What is known of it beside its election. */
  readonly record: InstanceRecord;
  readonly gate: LinkDriver;
  readonly isOn = (link: object): boolean => link === this.shared;
  readonly #options: InstanceOptions;
  readonly #instanceEvents: InstanceEvents;
  readonly #gateEvents: GateEvents;
  readonly #usability: InterfaceUsability;
  readonly #announcer: Announcer;
  readonly #sender: AdvertSender;
  readonly #claims: ClaimTeller;
  readonly #resources: MasterResources;
  #lastTransition: LastTransition | undefined;
  /** Its election as it was when it ended. */
  #last: ElectionSnapshot | undefined;
  readonly #ending: Ending;

  constructor(options: InstanceOptions) {
    const { config } = options;
    this.#options = options;
    this.name = config.name;
    this.config = config;
    this.shared = options.shared;
    this.record = options.record;
    this.gate = options.shared.gate;
    const publish = instancePublisher(options.events, config);
    this.#instanceEvents = new InstanceEvents(config, publish, options.now);
    this.#gateEvents = new GateEvents(publish, options.now);
    const lookAgain = (): void => options.driver.post(() => options.shared.tell(this));
    this.#usability = new InterfaceUsability({
      ...options,
      instanceEvents: this.#instanceEvents,
      lookAgain,
    });
    this.key = {
      passphrase: config.passphrase.reveal(),
      vhid: config.vhid,
      addresses: [config.address.ip],
    };
    this.group = config.group;
    this.#announcer = wire.createAnnouncer(this.#wireOptions());
    this.#sender = wire.createSender(this.#wireOptions());
    this.#claims = wire.createClaimTeller(this.#wireOptions());
    this.#resources = this.#createResources();
    this.#ending = this.#createEnding();
    this.gate.enroll(this, electionSettings(config, options));
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
    return this.#resources.abandon();
  }

  /** Why the virtual IP could not be taken off, as far as that is known. */
  get vipFault(): string | undefined {
    return this.#resources.releaseFault;
  }

  get isMaster(): boolean {
    return this.snapshot().state === 'MASTER';
  }

  snapshot(): ElectionSnapshot {
    const election = this.#last ?? this.gate.electionOf(this.name);
    invariant(election !== undefined, 'an instance has an election until it ends');
    return election;
  }

  /** Cleans up after an earlier run and takes part from then on. */
  async start(): Promise<void> {
    const { shared } = this.#options;
    this.#usability.claim(shared.link());
    if (this.#usability.mayRemoveStale(shared.link())) await this.#resources.removeStale();
    this.#feed({ kind: 'started' });
    this.#feedMaintenance();
    await shared.add(this);
  }

  /**
   * Hands over if it is master; resolves when address, bow-out and hooks are done with, to the
   * command that removes what could not be removed, if there is such a thing.
   */
  async stop(): Promise<string | undefined> {
    this.#options.claim.leaving();
    await this.#ending.ask('stop-requested');
    return this.#close();
  }

  /**
   * As `stop`, for a reload: resolves to false where the virtual IP can't be taken off, so that it
   * stays master as it was. A stop that comes meanwhile insists (see `insist`).
   */
  async retire(): Promise<boolean> {
    const ended = await this.#ending.ask('retire-requested');
    if (ended) this.#close();
    return ended;
  }

  /** The whole daemon stops: an instance that a reload has asked to end must. */
  insist(): void {
    this.#ending.insist();
  }

  #close(): string | undefined {
    this.#last = this.snapshot();
    this.#options.shared.remove(this);
    this.#announcer.stop();
    this.#claims.close();
    this.#resources.close();
    this.#options.claim.release();
    const { leftBehind } = this.#resources;
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
    return this.#ending.isOver;
  }

  logState(): void {
    this.#options.events.publish(stateEvent(this.report()));
  }

  /** Why it is what it is, as plain data. */
  report(): InstanceReport {
    const { config, record, now } = this.#options;
    const sources = {
      config,
      election: this.snapshot(),
      readiness: this.gate.snapshot(),
      ...record.report(now()),
      lastTransition: this.#lastTransition,
      ...this.#usability.report(),
    };
    return reportInstance(sources, now());
  }

  advertHeard({ from, advert, by }: AdvertHeard): void {
    this.#instanceEvents.advertHeard(from, advert, by);
    this.record.peers.heard(from, advert, this.#options.now());
  }

  gateChanged(gate: GateVerdict, warnings: readonly Warning[]): void {
    this.#gateEvents.changed(gate, warnings, this.gate.snapshotOf(this.name)?.vipHolder?.mac);
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
      before: this.#lastTransition?.from,
      heardAt: this.gate.snapshotOf(this.name)?.lastAdvert?.at,
      deadInterval: masterDownInterval(this.config),
      policy: this.config.gate.policy,
    });
  }

  linkChanged(link: Link | undefined, usable: boolean): void {
    this.#stand(this.#usability.update(link, usable));
  }

  #stand(change: FootingChange | undefined): void {
    if (change === undefined) return;
    const { now, isBack } = change;
    if (now.kind === 'fault') {
      this.#feed({ kind: 'interface-lost', cause: now.fault });
      if (MEANS_GONE.has(now.fault)) this.#options.onInterfaceGone();
      return;
    }
    // An interface that comes back (created anew, renamed back) may bring the address along.
    if (isBack && this.#usability.mayRemoveStale(this.shared.link()))
      void this.#resources.removeStale();
    this.#feed({ kind: 'carrier-changed', up: now.carrier });
    this.#feed({ kind: 'interface-ready', source: now.source });
  }

  stepped(): void {
    this.#ending.check();
    this.record.stepped();
  }

  /** Under its name there may be another one once it has ended. */
  #feed(input: InstanceInput): void {
    if (this.#last === undefined) this.gate.tell(this.name, input);
  }

  #feedMaintenance(): void {
    this.#feed({ kind: 'maintenance-changed', on: this.record.maintenance !== undefined });
  }

  perform(effect: Effect, masterDownAt: Micros | undefined): void {
    switch (effect.kind) {
      case 'send-advert':
        return this.#sender.send(effect);
      case 'state-changed':
        this.#lastTransition = { ...effect, at: this.#options.now() };
        this.#instanceEvents.transition(effect, this.snapshot(), masterDownAt);
        return this.#options.shared.mastersChanged();
      case 'claim-vip':
        return this.#resources.claim(effect.term);
      case 'release-vip':
        return this.#resources.release(effect.term);
      case 'announce':
        return this.#announcer.announce(wire.announcementOf(effect));
      case 'ask-for-vip':
        return this.#options.shared.askForVip(this);
      case 'stop-announcing':
        return this.#announcer.stop();
      case 'run-hook':
        return this.#resources.runHook({ hook: effect.hook, term: effect.term });
      case 'conflict-heard':
        return this.#instanceEvents.conflict(effect.peer, effect.equal);
      case 'demotion-changed':
        return this.#instanceEvents.demotion(effect.demoted, this.snapshot().effectiveAdvskew);
      case 'step-down-stuck':
        return this.#stepDownStuck(effect);
      case 'stopped':
        return this.#ending.over();
      default:
        return unreachable(effect);
    }
  }

  #stepDownStuck(effect: Extract<Effect, { kind: 'step-down-stuck' }>): void {
    this.#instanceEvents.stuck(effect, this.vipFault ?? 'the log tells why');
    if (!effect.stays) return;
    this.#resources.staying();
    this.#ending.stays();
  }

  #wireOptions(): wire.WireOptions {
    const { driver } = this.#options;
    return {
      ...this.#options,
      key: this.key,
      instanceEvents: this.#instanceEvents,
      source: () => this.source,
      onRegularDone: (ok) => driver.post(() => this.#feed({ kind: 'advert-sent', ok })),
      onLastDone: () => this.#ending.check(),
    };
  }

  #createEnding(): Ending {
    return new Ending({
      post: (run) => this.#options.driver.post(run),
      begin: (kind) => {
        this.#resources.stopping();
        this.#feed({ kind });
      },
      // The socket must not be closed before the bow-out has left through it.
      isIdle: () => !this.#resources.busy && this.#sender.pending === 0,
    });
  }

  #createResources(): MasterResources {
    const { shared, driver, record, now } = this.#options;
    return new MasterResources({
      ...this.#options,
      keeper: shared.keeper,
      mayAnotherServe: () => record.mayAnotherServe(now()),
      interfaceName: () => shared.place.name,
      ifindex: () => shared.place.ifindex,
      instanceEvents: this.#instanceEvents,
      post: (run) => driver.post(run),
      advertsOut: () => this.#sender.allOut,
      feed: (input) => this.#feed(input),
      onChanged: () => this.#ending.check(),
    });
  }
}
