// What the link's readiness means to one instance: its gate, its doubt, and whether it wants proof.
import type { Ipv4, Mac } from '../base/addresses.ts';
import { invariant } from '../base/assert.ts';
import { micros, plus, since, type Micros } from '../base/time.ts';
import { Doubt, Rivals } from './doubt.ts';
import { HeardBy } from './heard-by.ts';
import type { ReadinessEffect } from './effects.ts';
import type { Epoch } from './epoch.ts';
import type { EvidenceLedger } from './evidence.ts';
import { hasCarrier, judgeGate, type GateVerdict } from './gate.ts';
import type { AdvertHeard, InstanceSettings, Role } from './inputs.ts';
import { FALLBACK_PROBE_INTERVAL } from './lacp-fallback.ts';
import { strictFramesCondition, type Condition, type Conditions } from './judge.ts';
import { Listening } from './listening.ts';
import { MasterHeard, missedAfter, type HeardMaster } from './master-heard.ts';
import { PathTrust } from './path-trust.ts';
import type { Wish } from './prober.ts';
import type { Warning } from './reasons.ts';
import { Reported } from './reported.ts';
import type { InstanceSnapshot } from './snapshot.ts';
import { HolderWatch, type HolderVerdict } from './vip-in-use.ts';

/** What all instances on an interface share. */
export interface SharedView {
  readonly epoch: Epoch;
  readonly conditions: Conditions;
  readonly ledger: EvidenceLedger;
  /** When anything that counts came in last, in whichever epoch. */
  readonly heardAt: Micros | undefined;
  /** There should be LACP, there is none, and nothing stands for it so far. */
  readonly lacpMissing: boolean;
}

/** Whom one may ask besides the targets. */
export interface Askable {
  /** Those who advertise on the interface. */
  readonly masters: Iterable<Ipv4>;
  /** Other stations that may answer. */
  readonly others: Iterable<Ipv4>;
}

/** One instance. Call `evaluate` after every change, and when `deadline` has come. */
export class InstanceReadiness {
  #settings: InstanceSettings;
  #role: Role = 'inactive';
  readonly #master = new MasterHeard();
  readonly #holder = new HolderWatch();
  readonly #heardBy = new HeardBy();
  readonly #listening = new Listening();
  readonly #doubt = new Doubt();
  readonly #rivals = new Rivals();
  readonly #path = new PathTrust();
  #conditions: Conditions | undefined;
  #gate: GateVerdict = { open: false, by: undefined, reasons: [], opensAt: undefined };
  #openSince: Micros | undefined;
  #warnings: readonly Warning[] = [];
  #wantsProof = false;
  #besideRival = false;
  #silent = true;
  #deadline: Micros | undefined;
  /** Whom it wanted asked when it was asked last. */
  #wish = '';
  /** When its last term as master ended; 0: it has had none. */
  #servedUntil = micros(0);
  readonly #reported = new Reported();

  constructor(settings: InstanceSettings) {
    this.#settings = checked(settings);
  }

  get settings(): InstanceSettings {
    return this.#settings;
  }

  get role(): Role {
    return this.#role;
  }

  /** Proof is wanted, or adverts reach it by the frame witness only, or may do so. */
  get needsWitness(): boolean {
    return (
      this.#wantsProof ||
      this.#listening.on ||
      (this.#role !== 'inactive' && this.#heardBy.onlyByWitness)
    );
  }

  /** An answer of anybody at all is wanted: in doubt, beside a worse master and without LACP. */
  asksOthers({ lacpMissing }: SharedView): boolean {
    if (this.#waitsInSilence || this.awaitsFrame || this.#doubt.cause !== undefined) return true;
    return this.#wantsProof && (this.#besideRival || lacpMissing);
  }

  get deadline(): Micros | undefined {
    return this.#deadline;
  }

  /** An answer of anybody may change its mind; else only one for its own virtual IP does. */
  get heedsAnswers(): boolean {
    const { requireProbe } = this.#settings.gate;
    const isWorried = this.#doubt.cause !== undefined || this.#besideRival;
    return requireProbe || isWorried || this.awaitsFrame;
  }

  configure(settings: InstanceSettings): void {
    this.#settings = checked(settings);
  }

  setRole(role: Role, now: Micros): void {
    if (role === this.#role) return;
    if (this.#role === 'master') this.#servedUntil = now;
    this.#role = role;
    if (role === 'master') this.#path.begin(now);
    else this.#path.pause(now);
    this.#doubt.end();
    this.#rivals.clear();
  }

  /**
   * `late`: the process did not run, which tells of no link, so that no policy ignores it.
   * `sureAt`: until when frames surely passed.
   */
  epochBegan(late: boolean, sureAt: Micros | undefined, now: Micros): void {
    this.#holder.forget();
    this.#heardBy.epochBegan();
    if (this.#role !== 'master' || (this.#settings.gate.policy === 'off' && !late)) return;
    const isSure = !late && this.#path.trust !== 'dark';
    this.#doubt.begin('epoch-ended', now, isSure ? sureAt : undefined);
  }

  /** A master in no doubt that hears no other one: nobody has taken the virtual IP over so far. */
  isSoleMaster(now: Micros): boolean {
    const hearsOther = this.#master.speaks(now);
    return this.#role === 'master' && this.#doubt.cause === undefined && !hearsOther;
  }

  /** Another one may be master since. */
  stoodStill(): void {
    this.#listening.restart();
  }

  advertHeard(advert: AdvertHeard, now: Micros): void {
    const { from, interval, leaving } = advert;
    this.#master.heard(advert, now);
    this.#heardBy.heard(advert);
    // Whoever answered for the address so far was this master, or it would not advertise.
    this.#holder.forget();
    if (this.#role !== 'master' || leaving) return;
    this.#doubt.otherMasterHeard(now);
    this.#path.otherMasterHeard(now);
    if (this.#settings.gate.policy === 'off') return;
    const unanswered = this.#rivals.heard(from, interval, this.#settings.deadInterval, now);
    if (unanswered && this.#doubt.cause === undefined) this.#doubt.begin('rival-unanswered', now);
  }

  /** A probe was answered; for the virtual IP that is a foreign holder of it. */
  answered(address: Ipv4, mac: Mac, now: Micros): void {
    if (address === this.#settings.vip) this.#holder.answered(mac, now);
    this.#rivals.answered(now);
  }

  /** Whether the first advert of its master is missing, and that was not reported so far. */
  takeMiss(now: Micros): boolean {
    return this.#role === 'waiting' && this.#master.takeMiss(now);
  }

  /** Puts everything where it belongs at this moment. */
  evaluate(shared: SharedView, now: Micros): void {
    const { deadInterval, advertInterval, gate } = this.#settings;
    this.#silent = this.#role === 'waiting' && !this.#master.speaks(now);
    const holder = this.#judgeHolder(shared.epoch, now);
    const conditions = this.#conditionsOf(shared, now);
    const { carrierUpAt, since: epochSince } = shared.epoch;
    const view = { conditions, carrierUpAt, epochSince, vipInUse: holder === 'wait' };
    this.#conditions = conditions;
    this.#gate = judgeGate(gate, view, now);
    this.#openSince = this.#gate.open ? (this.#openSince ?? now) : undefined;
    const { answeredAt } = shared.ledger;
    const { open: gateOpen, by } = this.#gate;
    const proved = by === 'proof';
    this.#doubt.update({ gateOpen, answeredAt, proved, deadInterval, advertInterval }, now);
    this.#judgePath(shared, now);
    this.#warnings = this.#warningsOf(holder);
    this.#besideRival = (this.#rivals.presentUntil(deadInterval) ?? now) > now;
    this.#wantsProof = this.#judgeWant();
    const listens = this.#role === 'master' && gate.policy !== 'off' && !this.#heardBy.socketHears;
    this.#listening.update(listens, deadInterval, now);
    this.#deadline = this.#earliestAfter(now);
  }

  /** What has changed since it was asked last. */
  takeChanges(): readonly ReadinessEffect[] {
    return this.#reported.changes(this.#settings.name, {
      gate: this.#gate,
      warnings: this.#warnings,
      doubt: this.#doubt.cause,
      trust: this.#path.trust,
    });
  }

  /**
   * Whether it may take over from this worse master: its own gate was open for a dead interval, and
   * the master's address has answered ARP in this epoch. With the gate off nobody is asked.
   */
  mayPreempt(master: Ipv4, { ledger }: SharedView, now: Micros): boolean {
    if (this.#openSince === undefined) return false;
    if (since(now, this.#openSince) < this.#settings.deadInterval) return false;
    return this.#settings.gate.policy === 'off' || ledger.answeredBy(master);
  }

  /** Whether it may want others asked than when this was called last. */
  takeOtherWishes(shared: SharedView): boolean {
    const { from, doubting } = this.#master.last ?? {};
    const wants = [this.#role, this.#wantsProof, this.asksOthers(shared), this.samples];
    const wish = [...wants, from, doubting].join(' ');
    const isOther = wish !== this.#wish;
    this.#wish = wish;
    return isOther;
  }

  /** Whom it wants asked. */
  wishes(shared: SharedView, { masters, others }: Askable): readonly Wish[] {
    const { conditions, ledger, lacpMissing } = shared;
    const { vip, targets, probeInterval, gate, preempt } = this.#settings;
    if (conditions.carrier.status === 'not-met' && !gate.ignoreLinkState) return [];
    const ask = (address: Ipv4, interval: Micros): Wish => ({ address, form: 'ask', interval });
    const seldom = this.#pace;
    if (this.#wantsProof) {
      const stations = this.asksOthers(shared) ? others : [];
      const usual = micros(Math.min(probeInterval, FALLBACK_PROBE_INTERVAL));
      const interval = lacpMissing ? usual : probeInterval;
      const all = [...targets, ...masters, ...stations].map((one) => ask(one, interval));
      // Without LACP it tells its address along: a host that waits as well may have nobody to ask.
      return [...all, { address: vip, form: lacpMissing ? 'ask' : 'vip', interval }];
    }
    if (this.samples) return [...targets, ...others].map((one) => ask(one, seldom));
    const { last } = this.#master;
    if (gate.policy === 'off' || this.#role !== 'waiting' || last === undefined) return [];
    const { from, doubting } = last;
    return [
      ...(preempt && !ledger.answeredBy(from) ? [ask(from, probeInterval)] : []),
      // Nobody else may speak on the segment, and then its doubt would never end.
      ...(doubting ? [ask(from, seldom)] : []),
    ];
  }

  snapshot(): InstanceSnapshot {
    invariant(this.#conditions !== undefined, 'an instance is evaluated before it is shown');
    const { last } = this.#master;
    return {
      name: this.#settings.name,
      role: this.#role,
      gate: this.#gate,
      conditions: this.#conditions,
      hasCarrier: this.#hasCarrier(this.#conditions.carrier),
      openSince: this.#openSince,
      warnings: this.#warnings,
      silent: this.#silent,
      lastAdvert: last && { from: last.from, at: last.at },
      doubt: this.#doubt.snapshot(this.#settings.deadInterval),
      vipHolder: this.#holder.holder,
      trust: this.#path.trust,
      awaitsFrame: this.awaitsFrame,
    };
  }

  /** A frame would tell it something now, however many came before. */
  get awaitsFrame(): boolean {
    return this.#path.samples;
  }

  /** A master to which nothing has come in for an advertisement interval. */
  get samples(): boolean {
    return this.#role === 'master' && this.#path.samples;
  }

  #judgePath({ heardAt, ledger }: SharedView, now: Micros): void {
    const { gate, deadInterval } = this.#settings;
    const { last } = this.#master;
    if (this.#role === 'master' && gate.policy !== 'off' && this.#doubt.cause === undefined) {
      const hadAnswer = ledger.answeredAt !== undefined;
      this.#path.update({ heardAt, hadAnswer, deadInterval, pace: this.#pace }, now);
    } else if (this.#silent && this.#gate.by === 'proof' && last?.leaving !== true) {
      const { missedAt, interval: masterInterval } = last ?? this.#unheardMaster();
      const view = { heardAt, missedAt, masterInterval, freshFor: this.#freshFor };
      this.#path.waitInSilence(view, now);
    } else this.#path.pause(now);
  }

  /** No master was heard so far: one that lives is missing since its first advert was due. */
  #unheardMaster(): Pick<HeardMaster, 'missedAt' | 'interval'> {
    const { advertInterval: interval } = this.#settings;
    invariant(this.#openSince !== undefined, 'only behind an open gate it waits for a promotion');
    return { missedAt: missedAfter(this.#openSince, interval), interval };
  }

  /** Whoever has to hear somebody hears him in this time: nobody is asked more often. */
  get #pace(): Micros {
    const { probeInterval, advertInterval } = this.#settings;
    return micros(Math.max(probeInterval, advertInterval));
  }

  /** An answer that is half an interval late is not lost. */
  get #freshFor(): Micros {
    const { probeInterval, advertInterval } = this.#settings;
    return micros(Math.max(probeInterval * 1.5, advertInterval));
  }

  /** Its master is silent, and by what it hears now it judges its own path. */
  get #waitsInSilence(): boolean {
    return this.#role === 'waiting' && this.#path.afterSilence;
  }

  #hasCarrier(carrier: Condition): boolean {
    return carrier.status === 'unknown' || hasCarrier(this.#settings.gate, carrier);
  }

  #conditionsOf({ conditions, ledger }: SharedView, now: Micros): Conditions {
    if (!this.#settings.gate.requireProbe) return conditions;
    const downAt = this.#master.downAt(this.#settings.deadInterval) ?? Infinity;
    const silent = this.#role === 'waiting' && now >= downAt;
    const frames = strictFramesCondition(ledger, { silent, advertAt: this.#master.last?.at });
    return { ...conditions, frames };
  }

  /**
   * The promotion of a node whose gate is closed waits no longer than for the gate. One that served
   * waits for a dead interval from then on: whom it heard before its term tells nothing.
   */
  #promotionDueAt(heardInEpoch: boolean): Micros | undefined {
    const { deadInterval } = this.#settings;
    const begunAt = heardInEpoch ? this.#master.last?.at : this.#openSince;
    if (begunAt === undefined) return undefined;
    return plus(micros(Math.max(begunAt, this.#servedUntil)), deadInterval);
  }

  #judgeHolder(epoch: Epoch, now: Micros): HolderVerdict {
    const { vipInUse: policy, probeInterval } = this.#settings;
    const heardInEpoch = this.#master.last?.epoch === epoch.number;
    const dueAt = this.#promotionDueAt(heardInEpoch);
    const silent = this.#silent;
    return this.#holder.judge({ policy, probeInterval, silent, heardInEpoch, dueAt }, now);
  }

  #warningsOf(holder: HolderVerdict): readonly Warning[] {
    const warnings: Warning[] = [];
    if (this.#gate.by === 'promote-after') warnings.push('opened-without-proof');
    warnings.push(...this.#heardBy.warnings());
    if (this.#role === 'master' && (this.#path.trust === 'dark' || this.#path.trust === 'unheard'))
      warnings.push('path-unconfirmed');
    if (holder === 'warn') warnings.push('vip-answered');
    return warnings;
  }

  #judgeWant(): boolean {
    if (this.#role === 'inactive' || this.#settings.gate.policy === 'off') return false;
    if (!this.#gate.open || this.#silent || this.#doubt.cause !== undefined) return true;
    return this.#besideRival;
  }

  #earliestAfter(now: Micros): Micros | undefined {
    const { deadInterval, probeInterval } = this.#settings;
    const all = [
      this.#gate.opensAt,
      this.#master.last?.missedAt,
      this.#master.downAt(deadInterval),
      this.#holder.deadline(probeInterval),
      this.#holder.holder && this.#promotionDueAt(false),
      this.#doubt.snapshot(deadInterval)?.endsAt,
      this.#path.deadline,
      this.#rivals.presentUntil(deadInterval),
      ...this.#listening.deadlines,
    ];
    const coming = all.filter((at): at is Micros => at !== undefined && at > now);
    return coming.length === 0 ? undefined : micros(Math.min(...coming));
  }
}

function checked(settings: InstanceSettings): InstanceSettings {
  invariant(settings.probeInterval > 0, 'probes are sent at an interval');
  return settings;
}
