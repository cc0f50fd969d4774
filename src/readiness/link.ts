// The readiness of one interface: what has proved itself since the path last changed, and what that
// means to each instance on it. Pure: inputs and the time go in, effects come out.
import type { Ipv4 } from '../base/addresses.ts';
import { unreachable } from '../base/assert.ts';
import { earlier, micros, since, type Micros } from '../base/time.ts';
import type { ReadinessEffect } from './effects.ts';
import { EpochTracker, isTooLate, type EpochEndCause } from './epoch.ts';
import { EvidenceLedger, type Evidence, type EvidenceRecord } from './evidence.ts';
import { bondsOf, type LinkFacts } from './facts.ts';
import type { AdvertHeard, InstanceSettings, ReadinessInput } from './inputs.ts';
import type { InstanceReadiness, SharedView } from './instance.ts';
import * as judging from './judge.ts';
import { FALLBACK_PROBE_INTERVAL, LacpFallback } from './lacp-fallback.ts';
import { judgeBonds, type BondVerdict, type PortVerdict } from './lacp.ts';
import { Members } from './members.ts';
import { Membership } from './membership.ts';
import { Asking, type WishSource } from './prober.ts';
import { sameList, type Warning } from './reasons.ts';
import type { InstanceSnapshot, ReadinessSnapshot } from './snapshot.ts';
import { Stations } from './stations.ts';

type FrameHeard = Omit<Extract<ReadinessInput, { kind: 'frame-heard' }>, 'kind'>;
type ProbeAnswered = Extract<ReadinessInput, { kind: 'probe-answered' }>;

/** The readiness of one interface and of every instance on it. */
export class LinkReadiness {
  readonly #epochs: EpochTracker;
  readonly #members = new Members();
  readonly #stations = new Stations();
  readonly #membership = new Membership();
  #facts: LinkFacts | undefined | 'unread' = 'unread';
  #bond: BondVerdict | undefined;
  #ledger: EvidenceLedger;
  #fallback = new LacpFallback();
  #asking = new Asking<InstanceReadiness>();
  #conditions: judging.Conditions;
  #verdict: judging.Verdict;
  #warnings: readonly Warning[] = [];
  #notReadySince: Micros;
  #witness: Extract<ReadinessEffect, { kind: 'open-witness' }> | undefined;
  /** When something that counts came in last, in whichever epoch. */
  #heardAt: Micros | undefined;
  /** The witness has seen a frame of this epoch, and so said by which port, if it can. */
  #witnessed = false;
  #effects: ReadinessEffect[] = [];
  /** As it has stood since the last step. */
  #shown: ReadinessSnapshot | undefined;

  constructor(now: Micros) {
    this.#epochs = new EpochTracker(now);
    this.#ledger = new EvidenceLedger(this.#epochs.current.number);
    this.#conditions = this.#readConditions();
    this.#verdict = judging.judge(this.#conditions);
    this.#notReadySince = now;
  }

  /**
   * Takes one input and returns what is to be done or known, in order. `now` never goes back.
   * Total: no input from the network throws. A `woken` before its deadline changes nothing. On a
   * wake-up this machine goes before the elections: a gate that closes for silence does so at the
   * very moment at which its instance would be promoted.
   */
  step(input: ReadinessInput, now: Micros): readonly ReadinessEffect[] {
    this.#effects = [];
    this.#shown = undefined;
    const proved = this.#ledger.proved;
    const touched = this.#handle(input, now);
    const turned = this.#judgeLink(now);
    // The first proof of an epoch is everybody's; and whatever came, it is as good as a wake-up.
    const everybody = turned || this.#ledger.proved !== proved;
    const { all } = this.#members;
    if (everybody || touched === all) this.#settle(all, now);
    else this.#settle(this.#members.inOrder([...touched, ...this.#members.due(now)]), now);
    return this.#effects;
  }

  /** When the machine wants to be woken, if at all. */
  deadline(): Micros | undefined {
    const common = earlier(this.#asking.deadline, this.#membership.deadline);
    return earlier(common, this.#members.deadline);
  }

  /** The number that evidence must bear to count. */
  get epoch(): number {
    return this.#epochs.current.number;
  }

  /** What it means to one instance; undefined: there is none of this name. */
  snapshotOf(name: string): InstanceSnapshot | undefined {
    return this.#members.get(name)?.snapshot();
  }

  /** What has come in during the current epoch, best kind first. */
  get evidence(): readonly EvidenceRecord[] {
    return this.#ledger.records();
  }

  /** The ports of the bond, judged; empty where there is no bond. */
  get ports(): readonly PortVerdict[] {
    return this.#bond?.ports ?? [];
  }

  /**
   * Whether the instance may take over from a worse master that is alive: gate open for a dead
   * interval, and an ARP answer of that master in this epoch.
   */
  mayPreempt(name: string, master: Ipv4, now: Micros): boolean {
    return this.#members.get(name)?.mayPreempt(master, this.#shared(), now) ?? false;
  }

  snapshot(): ReadinessSnapshot {
    return (this.#shown ??= this.#show());
  }

  #show(): ReadinessSnapshot {
    const { met, answeredSince } = this.#fallback;
    return {
      epoch: this.#epochs.current,
      facts: this.#facts,
      verdict: this.#verdict,
      conditions: this.#conditions,
      warnings: this.#warnings,
      evidence: this.evidence,
      ports: this.ports,
      fallback: { met, answeredSince },
      witnessOpen: this.#witness !== undefined,
      probing: this.#asking.asked,
      instances: this.#members.all.map((instance) => instance.snapshot()),
    };
  }

  /** Returns the instances to which the input makes a difference; time alone makes none here. */
  #handle(input: ReadinessInput, now: Micros): readonly InstanceReadiness[] {
    switch (input.kind) {
      case 'instances-changed':
        return this.#configure(input.instances);
      case 'role-changed': {
        const instance = this.#members.get(input.name);
        instance?.setRole(input.role, now);
        return instance === undefined ? [] : [instance];
      }
      case 'facts-read':
        return this.#factsRead(input.facts, now);
      case 'advert-heard':
        return this.#advertHeard(input, now);
      case 'frame-heard':
        return this.#frameHeard(input, now);
      case 'probe-answered':
        return this.#probeAnswered(input, now);
      case 'neighbours-found':
        this.#stations.neighboursFound(input.addresses);
        this.#asking.changed();
        return [];
      case 'woken-late':
        for (const instance of this.#members.all) instance.stoodStill();
        if (isTooLate(input.lateBy, this.#shortestDeadInterval())) this.#end('late-wake', now);
        return this.#members.all;
      case 'woken':
        return [];
      default:
        return unreachable(input);
    }
  }

  #configure(instances: readonly InstanceSettings[]): readonly InstanceReadiness[] {
    this.#members.configure(instances);
    this.#asking.changed();
    return this.#members.all;
  }

  #factsRead(facts: LinkFacts | undefined, now: Micros): readonly InstanceReadiness[] {
    this.#facts = facts;
    this.#bond = judgeBonds(bondsOf(facts?.lower));
    this.#asking.changed();
    const { carrierUpAt } = this.#epochs.current;
    const cause = this.#epochs.observe(facts, now, this.#ledger.ports);
    const isBack = carrierUpAt === undefined && this.#epochs.current.carrierUpAt !== undefined;
    if (cause !== undefined) this.#begin(cause, now);
    else if (isBack && this.#membership.deadline !== undefined) this.#rejoin(now);
    return this.#members.all;
  }

  #advertHeard(advert: AdvertHeard, now: Micros): readonly InstanceReadiness[] {
    const { name, from, epoch } = advert;
    if (this.#stations.masterHeard(from)) this.#asking.changed();
    const proves = advert.throughUplink && this.#prove({ kind: 'advert', from, at: now, epoch });
    if (proves && this.#fallback.masterHeard(from)) this.#asking.changed();
    const instance = this.#members.get(name);
    instance?.advertHeard(advert, now);
    const own = instance === undefined ? [] : [instance];
    // Whoever waits for a frame of anybody has it by this.
    return proves && this.#members.awaitsFrame ? [...own, ...this.#members.awaitingFrame] : own;
  }

  #frameHeard(frame: FrameHeard, now: Micros): readonly InstanceReadiness[] {
    const { from, epoch, port, station } = frame;
    if (!this.#prove({ kind: 'frame', from, at: now, epoch, port })) return [];
    this.#witnessed = true;
    if (station !== undefined && this.#stations.stationHeard(station)) this.#asking.changed();
    return this.#members.awaitingFrame;
  }

  #probeAnswered(answer: ProbeAnswered, now: Micros): readonly InstanceReadiness[] {
    const { address, mac, epoch, port } = answer;
    if (typeof this.#facts === 'object' && this.#facts.mac === mac) return [];
    // An answer that nobody asked for is a frame like any other.
    if (!this.#asking.wasAsked(address, now)) {
      return this.#frameHeard({ from: mac, epoch, port }, now);
    }
    const isNew = !this.#ledger.answeredBy(address);
    if (!this.#prove({ kind: 'probe', from: address, at: now, epoch, port })) return [];
    if (isNew) this.#asking.changed();
    this.#witnessed = true;
    if (this.#members.withVip(address).length > 0) this.#fallback.vipAnswered(now);
    else this.#fallback.answered(address, now);
    const heeding = this.#members.heeding(address);
    for (const instance of heeding) instance.answered(address, mac, now);
    return heeding;
  }

  #prove(evidence: Evidence): boolean {
    // Whatever it is, it came from this host, or by a way that is gone.
    if (typeof this.#facts === 'object' && this.#facts.uplinks.length === 0) return false;
    const counts = this.#ledger.add(evidence);
    if (counts) this.#heardAt = evidence.at;
    return counts;
  }

  #end(cause: EpochEndCause, now: Micros): void {
    this.#epochs.end(cause, now);
    this.#begin(cause, now);
  }

  #begin(cause: EpochEndCause, now: Micros): void {
    this.#ledger = new EvidenceLedger(this.epoch);
    this.#witnessed = false;
    this.#fallback = new LacpFallback();
    this.#asking = new Asking<InstanceReadiness>();
    const late = cause === 'late-wake';
    const sureAt = losesOnlyLink(cause, this.#bond) ? now : this.#heardAt;
    const movers =
      cause === 'mac-changed'
        ? this.#members.all.filter((instance) => instance.isSoleMaster(now))
        : [];
    for (const instance of this.#members.all) instance.epochBegan(late, sureAt, now);
    this.#effects.push({ kind: 'epoch-began', epoch: this.#epochs.current });
    for (const { settings } of movers) {
      this.#effects.push({ kind: 'master-moved', name: settings.name });
    }
    if (this.#membership.deadline !== undefined) this.#rejoin(now);
  }

  #settle(touched: readonly InstanceReadiness[], now: Micros): void {
    const shared = this.#shared();
    for (const instance of touched) {
      instance.evaluate(shared, now);
      this.#members.evaluated(instance);
      if (instance.takeOtherWishes(shared)) this.#asking.changed(instance);
      this.#effects.push(...instance.takeChanges());
    }
    this.#tendMulticast(touched, now);
    this.#tendWitness();
    this.#tendNeighbours(touched, shared, now);
    const { addresses, vips } = this.#asking.round(this.#wishSource(shared), now);
    if (addresses.length + vips.length > 0) this.#effects.push({ kind: 'probe', addresses, vips });
  }

  /** Whether anything that all instances go by is another than before. */
  #judgeLink(now: Micros): boolean {
    const before = this.#conditions;
    const conditions = this.#readConditions();
    const verdict = judging.judge(conditions);
    const turned = verdict.state !== this.#verdict.state;
    const changed = turned || !sameList(verdict.reasons, this.#verdict.reasons);
    const wasReady = this.#verdict.state === 'ready';
    this.#conditions = conditions;
    this.#verdict = verdict;
    if (wasReady && turned) this.#notReadySince = now;
    if (changed) {
      const ready = verdict.state === 'ready';
      const heldFor = ready ? since(now, this.#notReadySince) : undefined;
      this.#effects.push({ kind: 'verdict-changed', verdict, conditions, heldFor });
    }
    const warnings = this.#readWarnings();
    if (!sameList(warnings, this.#warnings)) {
      this.#warnings = warnings;
      this.#effects.push({ kind: 'link-warnings-changed', warnings });
    }
    const isOther = changed || !judging.sameConditions(before, conditions);
    if (isOther) this.#asking.changed();
    return isOther;
  }

  #tendMulticast(touched: readonly InstanceReadiness[], now: Micros): void {
    if (!this.#members.takesPart) return this.#membership.end();
    const missed = touched.filter((instance) => instance.takeMiss(now)).length > 0;
    if (this.#membership.isDue(missed, now)) this.#rejoin(now);
  }

  #rejoin(now: Micros): void {
    this.#membership.renewed(now);
    // Nobody would hear of it; the carrier's return brings the next one.
    if (judging.carrierCondition(this.#facts).status === 'not-met') return;
    this.#effects.push({ kind: 'rejoin-multicast' });
  }

  #tendWitness(): void {
    const wanted = this.#witnessWanted();
    if (wanted === undefined) {
      if (this.#witness !== undefined) this.#effects.push({ kind: 'close-witness' });
      this.#witness = undefined;
      return;
    }
    if (this.#witness?.epoch === this.epoch && this.#witness.wanted === wanted) return;
    this.#witness = { kind: 'open-witness', epoch: this.epoch, wanted };
    this.#effects.push(this.#witness);
  }

  #witnessWanted(): 'any-frame' | 'one-frame' | 'adverts' | undefined {
    const oneFrame = this.#tracesPort() || this.#members.awaitsFrame;
    if (!this.#members.needsWitness) return oneFrame ? 'one-frame' : undefined;
    // A second frame proves no more than the first: a busy segment must cost nothing for long.
    return oneFrame || !this.#ledger.proved ? 'any-frame' : 'adverts';
  }

  /**
   * Of a bond with several ready ports it is worth knowing by which of them the proof came in: if
   * another one leaves, that proof still stands. One frame tells it.
   */
  #tracesPort(): boolean {
    return !this.#witnessed && this.#epochs.readyPorts >= 2 && this.#members.asksForProof;
  }

  /** Whoever is there may have to answer for it that our frames pass. */
  #tendNeighbours(touched: readonly InstanceReadiness[], shared: SharedView, now: Micros): void {
    if (!touched.some((instance) => instance.asksOthers(shared))) return;
    if (this.#stations.takeSeek(now)) this.#effects.push({ kind: 'find-neighbours' });
  }

  #wishSource(shared: SharedView): WishSource<InstanceReadiness> {
    const { masters } = this.#stations;
    const others = this.#stations.others(this.#ledger.answerers);
    const { all, asksForProof } = this.#members;
    const stands = asksForProof && shared.lacpMissing ? this.#fallback.masters : [];
    return {
      all: () => all,
      wishesOf: (instance) => instance.wishes(shared, { masters, others }),
      common: () =>
        stands.map((address) => ({ address, form: 'ask', interval: FALLBACK_PROBE_INTERVAL })),
      never: () => all.flatMap(({ settings }) => settings.source ?? []),
    };
  }

  #readConditions(): judging.Conditions {
    return {
      carrier: judging.carrierCondition(this.#facts),
      lacp: judging.lacpCondition(this.#bond, this.#fallback),
      frames: judging.framesCondition(this.#ledger),
    };
  }

  #readWarnings(): readonly Warning[] {
    const warnings = judging.blindSpots(this.#facts);
    if (judging.provedByFallback(this.#bond, this.#fallback)) warnings.push('lacp-by-fallback');
    return warnings;
  }

  #shared(): SharedView {
    return {
      epoch: this.#epochs.current,
      conditions: this.#conditions,
      ledger: this.#ledger,
      heardAt: this.#heardAt,
      lacpMissing: judging.isLacpMissing(this.#bond) && !this.#fallback.met,
    };
  }

  #shortestDeadInterval(): Micros {
    const intervals = this.#members.all.map(({ settings }) => settings.deadInterval);
    return intervals.length === 0 ? micros(0) : micros(Math.min(...intervals));
  }
}

/** A leg has lost its link and no other is in question: that is known at once, unlike the rest. */
function losesOnlyLink(cause: EpochEndCause, bond: BondVerdict | undefined): boolean {
  if (cause !== 'port-lost' || bond?.lacp !== true) return false;
  const isLost = ({ faults }: PortVerdict): boolean => faults.includes('no-link');
  return (
    bond.ports.some(isLost) && bond.ports.every((port) => port.status === 'met' || isLost(port))
  );
}
