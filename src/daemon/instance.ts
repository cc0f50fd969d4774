// One instance at work: its election, and the effects of that election carried out for real.
import { randomBytes, randomInt } from 'node:crypto';
import { messageOf } from '../base/errors.ts';
import type { Micros } from '../base/time.ts';
import { writeAdvert, type Advert } from '../carp/advert.ts';
import type { Ipv4 } from '../carp/addresses.ts';
import { advertDigest, type GroupKey } from '../carp/digest.ts';
import { writeCarpPacket } from '../carp/ipv4.ts';
import type { InstanceConfig } from '../config/config.ts';
import { unreachable } from '../base/assert.ts';
import { CAUSES, type Effect } from '../election/effects.ts';
import type { Input, InterfaceFault } from '../election/inputs.ts';
import { Election } from '../election/machine.ts';
import type { ElectionSnapshot } from '../election/snapshot.ts';
import type { Link } from '../linux/link-watch.ts';
import { Announcer } from '../vip/announcer.ts';
import { HookLane, type HookReport, type HookRequest } from '../vip/hooks.ts';
import type { RunCommand, StartTimer } from '../vip/ports.ts';
import { VipReconciler, type VipNotice, type VipOutcome } from '../vip/reconciler.ts';
import { findNetworks, judgeInterface, type Conditions } from './conditions.ts';
import type { Driver, Member } from './driver.ts';
import { InstanceLog, remedyFor } from './instance-log.ts';
import type { HubMember, InterfaceHub } from './interface-hub.ts';
import type { Logger } from './log.ts';

export interface InstanceOptions {
  readonly config: InstanceConfig;
  /** The virtual IPs of all instances: none of them can be a source. */
  readonly virtualIps: () => ReadonlySet<Ipv4>;
  readonly hub: InterfaceHub;
  readonly driver: Driver;
  readonly log: Logger;
  readonly now: () => Micros;
  readonly runCommand: RunCommand;
  readonly startTimer: StartTimer;
  /** For `ip` and the hooks; no secret is in it. */
  readonly env: Readonly<Record<string, string>>;
  /** The interface has vanished or was set down, having been usable before or not. */
  readonly onInterfaceGone: () => void;
}

/** Faults with which ucarp ends: the interface was deleted, or set down by hand. */
const MEANS_GONE: ReadonlySet<InterfaceFault> = new Set(['interface-missing', 'interface-down']);

/** Runs one instance from `start` to the end of `stop`. */
export class Instance implements Member, HubMember {
  readonly key: GroupKey;
  readonly group: Ipv4;
  readonly #options: InstanceOptions;
  readonly #log: InstanceLog;
  readonly #election: Election;
  readonly #announcer: Announcer;
  readonly #hooks: HookLane;
  readonly #reconciler: VipReconciler | undefined;
  #conditions: Conditions | undefined;
  #vipPending = 0;
  #hooksPending = 0;
  #sendsPending = 0;
  /** Settled when every advert so far has left, or can't. */
  #advertsOut: Promise<void> = Promise.resolve();
  /** The term whose claim waits for its advert. */
  #claimDue: number | undefined;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(options: InstanceOptions) {
    const { config } = options;
    this.#options = options;
    this.#log = new InstanceLog(config, options.log, options.now);
    this.key = {
      passphrase: config.passphrase.reveal(),
      vhid: config.vhid,
      addresses: [config.address.ip],
    };
    this.group = config.group;
    this.#election = new Election({ ...config, initialCounter: randomCounter() });
    this.#announcer = this.#createAnnouncer();
    this.#hooks = this.#createHooks();
    this.#reconciler = config.manageAddress ? this.#createReconciler() : undefined;
  }

  get name(): string {
    return this.#options.config.name;
  }

  get config(): InstanceConfig {
    return this.#options.config;
  }

  get source(): Ipv4 | undefined {
    return this.#conditions?.kind === 'ready' ? this.#conditions.source : undefined;
  }

  /** Why it cannot take part now, in words. */
  get fault(): string | undefined {
    const conditions = this.#conditions;
    const { interfaceName } = this.#options.config;
    if (conditions === undefined) return `${interfaceName}: no socket could be opened`;
    if (conditions.kind === 'ready') return undefined;
    const remedy = remedyFor(conditions, this.#options.config);
    return `${interfaceName}: ${CAUSES[conditions.fault]}. ${remedy}`;
  }

  get isMaster(): boolean {
    return this.#election.snapshot().state === 'MASTER';
  }

  snapshot(): ElectionSnapshot {
    return this.#election.snapshot();
  }

  /** Cleans up after an earlier run and takes part from then on. */
  async start(): Promise<void> {
    const { driver, hub } = this.#options;
    await this.#removeStaleVip();
    this.#feed({ kind: 'started' });
    this.#feed({ kind: 'gate-changed', open: true });
    driver.add(this);
    await hub.add(this);
  }

  /** Hands over if it is master; resolves when address, bow-out and hooks are done with. */
  async stop(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    this.#options.driver.post(() => this.#feed({ kind: 'stop-requested' }));
    await idle;
    this.#options.driver.remove(this);
    this.#options.hub.remove(this);
    this.#announcer.stop();
    this.#reconciler?.close();
  }

  /** Steps down now; without effect unless it is master. */
  handover(): void {
    this.#options.driver.post(() => this.#feed({ kind: 'handover-requested' }));
  }

  logState(): void {
    this.#log.state(this.snapshot());
  }

  // ---- what the loop and the interface call ----

  deadline(): Micros | undefined {
    return this.#election.deadline();
  }

  awaitsSilence(): boolean {
    return this.snapshot().state !== 'MASTER';
  }

  wake(): void {
    this.#feed({ kind: 'woken' });
  }

  advertHeard(from: Ipv4, advert: Advert): void {
    this.#feed({ kind: 'advert-heard', from, advert });
  }

  linkChanged(link: Link | undefined, usable: boolean): void {
    const { config, virtualIps, onInterfaceGone } = this.#options;
    const before = this.#conditions;
    const judged = judgeInterface(link, { ...config, virtualIps: virtualIps() });
    // Without sockets it can neither hear nor speak, whatever the interface is like.
    const deaf = judged.kind === 'ready' && !usable;
    const conditions: Conditions = deaf ? { kind: 'fault', fault: 'no-socket' } : judged;
    if (JSON.stringify(before) === JSON.stringify(conditions)) return;
    this.#conditions = conditions;
    this.#log.conditions(before, conditions);
    if (conditions.kind === 'fault') {
      this.#feed({ kind: 'interface-lost', cause: conditions.fault });
      if (MEANS_GONE.has(conditions.fault)) onInterfaceGone();
      return;
    }
    if (link !== undefined) this.#log.reachability(findNetworks(link, virtualIps()));
    // An interface that comes back (created anew, renamed back) may bring the address along.
    if (before?.kind === 'fault') void this.#removeStaleVip();
    this.#feed({ kind: 'carrier-changed', up: conditions.carrier });
    this.#feed({ kind: 'interface-ready', source: conditions.source });
  }

  // ---- effects ----

  #feed(input: Input): void {
    const effects = this.#election.step(input, this.#options.now());
    for (const effect of effects) this.#perform(effect);
    this.#options.driver.arm();
    this.#checkIdle();
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'send-advert':
        return this.#queueAdvert(effect);
      case 'state-changed':
        return this.#log.transition(effect, this.snapshot());
      case 'claim-vip':
        return this.#claim(effect.term);
      case 'release-vip':
        return this.#release(effect.term);
      case 'announce':
        return this.#announcer.announce({ burst: effect.burst });
      case 'stop-announcing':
        return this.#announcer.stop();
      case 'run-hook':
        return this.#runHook({ hook: effect.hook, term: effect.term });
      case 'conflict-heard':
        return this.#log.conflict(effect.peer, effect.equal);
      case 'demotion-changed':
        return this.#log.demotion(effect.demoted);
      case 'stopped':
        this.#stopped = true;
        return;
      default:
        return unreachable(effect);
    }
  }

  async #sendAdvert(effect: Extract<Effect, { kind: 'send-advert' }>): Promise<void> {
    const { hub, driver, config } = this.#options;
    const source = this.source;
    if (source === undefined) return;
    let sent = false;
    this.#sendsPending += 1;
    try {
      const { advbase, advskew, counter } = effect;
      const digest = advertDigest(this.key, counter);
      const advert = writeAdvert({
        vhid: config.vhid,
        advbase,
        advskew,
        demote: 0,
        counter,
        digest,
      });
      const identification = randomInt(0x10000);
      const packet = writeCarpPacket({ source, destination: config.group, identification }, advert);
      await hub.sendAdvert(packet, config.group, config.broadcast);
      sent = true;
    } catch (error) {
      this.#log.sendFailed(effect.advert, messageOf(error));
    }
    this.#sendsPending -= 1;
    if (effect.advert === 'regular') {
      driver.post(() => this.#feed({ kind: 'advert-sent', ok: sent }));
    }
    this.#checkIdle();
  }

  #queueAdvert(effect: Extract<Effect, { kind: 'send-advert' }>): void {
    const sent = this.#sendAdvert(effect);
    this.#advertsOut = this.#advertsOut.then(() => sent);
  }

  /** Runs a hook when the adverts before it have left: the bow-out must not wait for a process. */
  #runHook(request: HookRequest): void {
    this.#hooksPending += 1;
    void this.#advertsOut.then(() => this.#hooks.run(request));
  }

  /**
   * Claims the address when the advert that goes before it has left: to start `ip` takes time, in
   * which a node that promotes itself at the same moment has to hear of this one.
   */
  #claim(term: number): void {
    this.#claimDue = term;
    this.#vipPending += 1;
    void this.#advertsOut.then(() => {
      if (this.#claimDue !== term) return;
      this.#claimDue = undefined;
      this.#reconciler?.want({ term, present: true });
    });
  }

  #release(term: number): void {
    // The outcome of a claim that was never made is that of the release.
    if (this.#claimDue === undefined) this.#vipPending += 1;
    this.#claimDue = undefined;
    this.#reconciler?.want({ term, present: false });
  }

  #vipSettled(outcome: VipOutcome): void {
    this.#vipPending -= 1;
    this.#log.vipOutcome(outcome);
    switch (outcome.kind) {
      case 'claimed':
        return this.#feed({ kind: 'vip-claimed', term: outcome.term, ok: true });
      case 'claim-failed':
        return this.#feed({ kind: 'vip-claimed', term: outcome.term, ok: false });
      case 'released':
      case 'release-failed':
        return this.#feed({ kind: 'vip-released', term: outcome.term });
      case 'superseded':
        // A release that a later claim made pointless is over; a claim that was given up is not
        // news.
        if (!outcome.present) return this.#feed({ kind: 'vip-released', term: outcome.term });
        return this.#checkIdle();
      default:
        return unreachable(outcome);
    }
  }

  #vipNotice(notice: VipNotice): void {
    this.#log.vipNotice(notice);
    if (notice.kind === 'restored') this.#feed({ kind: 'vip-restored', term: notice.term });
  }

  #hookFinished(report: HookReport): void {
    this.#hooksPending -= 1;
    this.#log.hookFinished(report);
    this.#feed({ kind: 'hook-finished', hook: report.hook, term: report.term });
  }

  #checkIdle(): void {
    if (!this.#stopped) return;
    // The socket must not be closed before the bow-out has left through it.
    if (this.#vipPending > 0 || this.#hooksPending > 0 || this.#sendsPending > 0) return;
    this.#onIdle?.();
  }

  // ---- parts ----

  #createAnnouncer(): Announcer {
    const { config, hub, startTimer } = this.#options;
    return new Announcer({
      vip: config.address.ip,
      mac: () => hub.mac(),
      burst: config.announce.burst,
      intervalMs: config.announce.intervalMs,
      sender: { send: (frame) => hub.sendFrame(frame) },
      startTimer,
      onSent: () => this.#log.announced(),
      onSendError: (reason) => this.#log.announceFailed(reason),
    });
  }

  #createHooks(): HookLane {
    const { config, driver, runCommand, startTimer, env, now } = this.#options;
    return new HookLane({
      interfaceName: config.interfaceName,
      address: config.address.ip,
      xparam: config.hooks.xparam,
      up: config.hooks.up,
      down: config.hooks.down,
      timeoutMs: config.hooks.timeoutMs,
      env,
      runCommand,
      clock: now,
      startTimer,
      onLine: (line, hook) => this.#log.hookLine(line, hook),
      onFinished: (report) => driver.post(() => this.#hookFinished(report)),
    });
  }

  #createReconciler(): VipReconciler {
    const { config, hub, driver, runCommand, startTimer, now, env } = this.#options;
    const { address, interfaceName } = config;
    return new VipReconciler({
      vip: { interfaceName, address: address.ip, prefixLength: address.prefixLength },
      runCommand,
      addresses: hub.addresses,
      startTimer,
      clock: now,
      env,
      onOutcome: (outcome) => driver.post(() => this.#vipSettled(outcome)),
      onNotice: (notice) => driver.post(() => this.#vipNotice(notice)),
    });
  }

  async #removeStaleVip(): Promise<void> {
    const outcome = await this.#reconciler?.releaseStale();
    if (outcome !== undefined) this.#log.staleVip(outcome);
  }
}

function randomCounter(): bigint {
  return randomBytes(8).readBigUInt64BE();
}
