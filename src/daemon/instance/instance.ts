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
import type { ForeignClaim } from '../interface/claim-tap.ts';
import type { ClaimTeller } from './claim-teller.ts';
import { Custody } from './custody.ts';
import type { Driver } from '../interface/driver.ts';
import { Ending } from './ending.ts';
import { instancePublisher, type EventSink } from '../../events/bus.ts';
import { electionSettings } from './election-settings.ts';
import { Footing, MEANS_GONE, type FootingChange } from './footing.ts';
import type { AdvertHeard } from '../interface/gate-settings.ts';
import type { InstanceInput } from '../../segment/inputs.ts';
import { GateHerald } from './gate-events.ts';
import type { Holding } from '../../release/holding.ts';
import { InstanceHerald } from './instance-events.ts';
import type { GroupClaim } from '../interface/group-claim.ts';
import type { HubMember, InterfaceHub } from '../interface/shared-interface.ts';
import type { InstanceRecord } from './instance-record.ts';
import * as wire from './instance-wire.ts';
import type { LinkGate } from '../interface/link-driver.ts';
import { reportInstance, type InstanceReport, type LastTransition } from '../../report/report.ts';
import type { InstancePorts } from '../ports/ports.ts';
import { stateEvent } from '../../report/state-event.ts';

export interface InstanceOptions extends InstancePorts {
  readonly config: InstanceConfig;
  /** The virtual IPs of all instances: none of them can be a source. */
  readonly virtualIps: () => ReadonlySet<Ipv4>;
  readonly isServed: (address: Ipv4, ifindex: number) => boolean;
  readonly hub: InterfaceHub;
  readonly driver: Driver;
  readonly events: EventSink;
  /** The interface has vanished or was set down, having been usable before or not. */
  readonly onInterfaceGone: () => void;
  readonly record: InstanceRecord;
  /** Its hold on the group. */
  readonly claim: GroupClaim;
}

/** Runs one instance from `start` to the end of `stop`. */
export class Instance implements HubMember {
  readonly name: string;
  readonly config: InstanceConfig;
  readonly key: GroupKey;
  readonly group: Ipv4;
  readonly hub: InterfaceHub;
  /** What is known of it beside its election. */
  readonly record: InstanceRecord;
  readonly gate: LinkGate;
  readonly isOn = (link: object): boolean => link === this.hub;
  readonly #options: InstanceOptions;
  readonly #herald: InstanceHerald;
  readonly #gateHerald: GateHerald;
  readonly #footing: Footing;
  readonly #announcer: Announcer;
  readonly #sender: AdvertSender;
  readonly #claims: ClaimTeller;
  readonly #custody: Custody;
  #lastTransition: LastTransition | undefined;
  /** Its election as it was when it ended. */
  #last: ElectionSnapshot | undefined;
  readonly #ending: Ending;

  constructor(options: InstanceOptions) {
    const { config } = options;
    this.#options = options;
    this.name = config.name;
    this.config = config;
    this.hub = options.hub;
    this.record = options.record;
    this.gate = options.hub.gate;
    const publish = instancePublisher(options.events, config);
    this.#herald = new InstanceHerald(config, publish, options.now);
    this.#gateHerald = new GateHerald(publish, options.now);
    const lookAgain = (): void => options.driver.post(() => options.hub.tell(this));
    this.#footing = new Footing({ ...options, herald: this.#herald, lookAgain });
    this.key = {
      passphrase: config.passphrase.reveal(),
      vhid: config.vhid,
      addresses: [config.address.ip],
    };
    this.group = config.group;
    this.#announcer = wire.createAnnouncer(this.#wireOptions());
    this.#sender = wire.createSender(this.#wireOptions());
    this.#claims = wire.createClaimTeller(this.#wireOptions());
    this.#custody = this.#createCustody();
    this.#ending = this.#createEnding();
    this.gate.enroll(this, electionSettings(config, options));
  }

  /** A master whose source address was removed says with it that it leaves. */
  get source(): Ipv4 | undefined {
    return this.#footing.source;
  }

  get ownSources(): readonly Ipv4[] {
    return this.#footing.ownSources;
  }

  /** Why it cannot take part now, in words. */
  get fault(): string | undefined {
    return this.#footing.fault(`${this.config.interfaceName}: no socket could be opened`);
  }

  /** Ends the hooks and says what is to be undone at once; for a fault in carpd itself. */
  abandon(): Holding {
    return this.#custody.abandon();
  }

  /** Why the virtual IP could not be taken off, as far as that is known. */
  get vipFault(): string | undefined {
    return this.#custody.releaseFault;
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
    const { hub } = this.#options;
    this.#footing.claim(hub.link());
    if (this.#footing.mayRemoveStale(hub.link())) await this.#custody.removeStale();
    this.#feed({ kind: 'started' });
    this.#feedMaintenance();
    await hub.add(this);
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
    this.#options.hub.remove(this);
    this.#announcer.stop();
    this.#claims.close();
    this.#custody.close();
    this.#options.claim.release();
    const { leftBehind } = this.#custody;
    if (leftBehind !== undefined) this.#herald.vipLeftBehind(leftBehind);
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
      ...this.#footing.report(),
    };
    return reportInstance(sources, now());
  }

  advertHeard({ from, advert, by }: AdvertHeard): void {
    this.#herald.advertHeard(from, advert, by);
    this.record.peers.heard(from, advert, this.#options.now());
  }

  gateChanged(gate: GateVerdict, warnings: readonly Warning[]): void {
    this.#gateHerald.changed(gate, warnings, this.gate.snapshotOf(this.name)?.vipHolder?.mac);
    // Its own carrier an interface may keep though what it stands on has none, as a bridge does.
    this.#stand(this.#footing.carrierChanged());
  }

  doubtChanged(cause: DoubtCause | undefined): void {
    // A doubt that ends with the mastership was not dispelled.
    if (cause !== undefined || this.isMaster) this.#herald.doubt(cause);
  }

  foreignClaim(claim: ForeignClaim): void {
    this.#claims.heard(claim, this.snapshot());
    if (claim.form !== 'probe') this.#feed({ kind: 'vip-contested' });
  }

  remindHeld(): void {
    this.#gateHerald.tick({
      election: this.snapshot(),
      before: this.#lastTransition?.from,
      heardAt: this.gate.snapshotOf(this.name)?.lastAdvert?.at,
      deadInterval: masterDownInterval(this.config),
      policy: this.config.gate.policy,
    });
  }

  linkChanged(link: Link | undefined, usable: boolean): void {
    this.#stand(this.#footing.update(link, usable));
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
    if (isBack && this.#footing.mayRemoveStale(this.hub.link())) void this.#custody.removeStale();
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
        this.#herald.transition(effect, this.snapshot(), masterDownAt);
        return this.#options.hub.mastersChanged();
      case 'claim-vip':
        return this.#custody.claim(effect.term);
      case 'release-vip':
        return this.#custody.release(effect.term);
      case 'announce':
        return this.#announcer.announce(wire.announcementOf(effect));
      case 'ask-for-vip':
        return this.#options.hub.askForVip(this);
      case 'stop-announcing':
        return this.#announcer.stop();
      case 'run-hook':
        return this.#custody.runHook({ hook: effect.hook, term: effect.term });
      case 'conflict-heard':
        return this.#herald.conflict(effect.peer, effect.equal);
      case 'demotion-changed':
        return this.#herald.demotion(effect.demoted, this.snapshot().effectiveAdvskew);
      case 'step-down-stuck':
        return this.#stepDownStuck(effect);
      case 'stopped':
        return this.#ending.over();
      default:
        return unreachable(effect);
    }
  }

  #stepDownStuck(effect: Extract<Effect, { kind: 'step-down-stuck' }>): void {
    this.#herald.stuck(effect, this.vipFault ?? 'the log tells why');
    if (!effect.stays) return;
    this.#custody.staying();
    this.#ending.stays();
  }

  #wireOptions(): wire.WireOptions {
    const { driver } = this.#options;
    return {
      ...this.#options,
      key: this.key,
      herald: this.#herald,
      source: () => this.source,
      onRegularDone: (ok) => driver.post(() => this.#feed({ kind: 'advert-sent', ok })),
      onLastDone: () => this.#ending.check(),
    };
  }

  #createEnding(): Ending {
    return new Ending({
      post: (run) => this.#options.driver.post(run),
      begin: (kind) => {
        this.#custody.stopping();
        this.#feed({ kind });
      },
      // The socket must not be closed before the bow-out has left through it.
      isIdle: () => !this.#custody.busy && this.#sender.pending === 0,
    });
  }

  #createCustody(): Custody {
    const { hub, driver, record, now } = this.#options;
    return new Custody({
      ...this.#options,
      keeper: hub.keeper,
      mayAnotherServe: () => record.mayAnotherServe(now()),
      interfaceName: () => hub.place.name,
      ifindex: () => hub.place.ifindex,
      herald: this.#herald,
      post: (run) => driver.post(run),
      advertsOut: () => this.#sender.allOut,
      feed: (input) => this.#feed(input),
      onChanged: () => this.#ending.check(),
    });
  }
}
