// One network segment as this host sees it: the readiness of one interface and the elections of all
// instances on it, behind one inbox. Pure: inputs and the time go in, effects come out, and nothing
// is read from anywhere else. What went in, written down, gives the same again when it is replayed.
//
// The caller's contract:
//
//  1. Give one input at a time. Carry out all effects of it, in their order, before you give the
//     next; what comes of an effect at once (a socket that is read, an order) waits for that.
//  2. `now` is the monotonic clock in microseconds, read when the input is given. It never goes
//     back. It is the only time that exists here.
//  3. Set one timer, for `deadline()`, after the effects of every input. When it fires, give
//     `woken`, and again while the deadline has come: each does one thing that is due. One that
//     comes too early changes nothing.
//  4. Before a `woken` for which `awaitsSilence` says yes, read all sockets to their ends, give
//     what they held and `sockets-read`, and ask for the deadline again: what came in before a
//     deadline counts before it. What became due since has to wait for the next reading: `dueBy`
//     says so. Before one for which `readsSocket` says yes, read the CARP socket.
//  5. A timer that fires late (see isLateWake) finds a process that stood still. Give
//     `stood-still`, then what the sockets hold and `sockets-read`, then `caught-up`, and only then
//     `woken`.
//  6. Give packets and frames in the order in which they were read. When the CARP socket gives a
//     packet, read the frame witness, and give what it held before you give that packet; say with
//     `witnessRead` whether nothing was left there.
//  7. On `epoch-began`, read the CARP socket, give what it held, then `socket-emptied`. What the
//     frame witness sees bears the epoch for which it was opened (`watch-frames`). Before you give
//     `witness-covers` with true, read the CARP socket: what it holds came in before.
//  8. Adverts and refused packets have passed carp/accept or failed there; nothing here checks a
//     digest, and no secret is ever an input. What a frame says beside its advert is an input of
//     its own (`frame-heard`), given after the copy of the advert.
//  9. Give `facts-read` whenever the kernel tells of the interface or of what it stands on, and on
//     `look-again` if anything is not as it was. Give it before the first `instances-changed`, so
//     that no gate is judged by less than is known.
// 10. `instance-added` comes before everything else of its name, `instance-removed` after. What is
//     given for a name that is not there is of no effect, and so may be late. Give
//     `instances-changed` with all instances when any of them, its source or a gateway has changed.
// 11. Report what became of effects as the election asks for it (election/effects.ts): of a regular
//     `send-advert`, of `claim-vip`, `release-vip` and `run-hook`, with the term of the effect.
//
// In return: first the gate, then the election, so that an advert that opens a gate is heard like
// every other; of what is due at once, the link goes before the instances, so that a gate that
// closes for silence does so before its instance would be promoted by it; every change of state is
// known to the readiness before the next input; no input throws because of what the network sent.
import { unreachable } from '../base/assert.ts';
import { earlier, fromMillis, plus, type Micros } from '../base/time.ts';
import { EARLY_MAX } from '../election/bid.ts';
import type { State } from '../election/effects.ts';
import type { Input } from '../election/inputs.ts';
import { Election } from '../election/machine.ts';
import type { ElectionSettings } from '../election/settings.ts';
import type { ElectionSnapshot } from '../election/snapshot.ts';
import type { ReadinessEffect } from '../readiness/effects.ts';
import type { InstanceSettings, ReadinessInput } from '../readiness/inputs.ts';
import { LinkReadiness } from '../readiness/link.ts';
import type { PairedAdvert, Settled } from './advert-pairs.ts';
import { advertises, type SegmentEffect } from './effects.ts';
import { Elections, type ElectionMachine } from './elections.ts';
import { Hearing } from './hearing.ts';
import type { FactsRead, SegmentInput } from './inputs.ts';
import { ROLES } from './roles.ts';
import { WitnessWishes } from './witness-wish.ts';

export type { ElectionMachine } from './elections.ts';
export type LinkMachine = Pick<
  LinkReadiness,
  'step' | 'deadline' | 'snapshot' | 'snapshotOf' | 'epoch' | 'evidence' | 'ports' | 'mayPreempt'
>;

/** What a segment is made of; tests put machines there that check each of their steps. */
export interface SegmentMachines {
  readonly link: (now: Micros) => LinkMachine;
  readonly election: (settings: ElectionSettings) => ElectionMachine;
}

const MACHINES: SegmentMachines = {
  link: (now) => new LinkReadiness(now),
  election: (settings) => new Election(settings),
};

/** What a bond says of LACP comes without events, and an expired partner may last for a second. */
const BOND_TICK = fromMillis(250);
/** Also tells a process that stood still while nothing else was due. */
const TICK = fromMillis(1_000);

/** See the contract at the head of this file. */
export class Segment {
  readonly #machines: SegmentMachines;
  readonly #link: LinkMachine;
  readonly #elections = new Elections();
  /** Those that the readiness was given last. */
  #instances: readonly InstanceSettings[] = [];
  readonly #witness = new WitnessWishes();
  readonly #hearing: Hearing;
  #hasBond = false;
  #tickAt: Micros;
  #evidenceKnown: string;
  /** Steps that follow from those that were taken; one at a time, in the order of their causes. */
  readonly #agenda: (() => void)[] = [];
  #effects: SegmentEffect[] = [];

  constructor(now: Micros, machines = MACHINES) {
    this.#machines = machines;
    this.#link = machines.link(now);
    this.#hearing = new Hearing(this.#link.epoch, this.#witness);
    this.#tickAt = now;
    this.#evidenceKnown = String(this.#link.epoch);
  }

  /** Takes one input and returns what is to be done or known, in order; see the contract. */
  step(input: SegmentInput, now: Micros): readonly SegmentEffect[] {
    this.#effects = [];
    this.#take(input, now);
    this.#run();
    if (this.#witness.hasChanged(this.#link.epoch, now)) {
      this.#effects.push({ kind: 'watch-frames', wish: this.#witness.wish });
    }
    return this.#effects;
  }

  /** When it wants to be woken, if at all. */
  deadline(): Micros | undefined {
    const link = earlier(earlier(this.#nextTick, this.#hearing.deadline), this.#link.deadline());
    return earlier(link, this.#elections.deadline);
  }

  /** Whether what is due by now could make a master: unread adverts must be heard first. */
  awaitsSilence(now: Micros): boolean {
    return this.#elections.awaitsSilence(now);
  }

  /** Whether what is due by now needs the CARP socket to be read. */
  readsSocket(now: Micros): boolean {
    return isDue(this.#hearing.deadline, now);
  }

  /** The election of one instance; undefined: there is none of this name. */
  election(name: string): ElectionSnapshot | undefined {
    return this.#elections.get(name)?.snapshot();
  }

  /** The state of one instance; undefined: there is none of this name. */
  stateOf(name: string): State | undefined {
    return this.#elections.stateOf(name);
  }

  /** The readiness of the link, to be looked at. */
  get link(): Omit<LinkMachine, 'step' | 'deadline'> {
    return this.#link;
  }

  #take(input: SegmentInput, now: Micros): void {
    switch (input.kind) {
      case 'instance-added':
        return this.#add(input.name, input.settings, now);
      case 'instance-removed':
        this.#elections.remove(input.name);
        return this.#hearing.forget(input.name);
      case 'instances-changed':
        return this.#configure(input.instances, now);
      case 'instance-input':
        return this.#elect(input.name, input.input, now);
      case 'facts-read':
        return this.#readFacts(input, now);
      case 'neighbours-found':
      case 'frame-heard':
      case 'probe-answered':
        return this.#judge(input, now);
      case 'hosts-asked':
        this.#witness.asked(now);
        return void this.#effects.push({ kind: 'probe', addresses: input.addresses, vips: [] });
      case 'stood-still':
        return this.#electAll({ kind: 'catching-up', lateBy: input.lateBy }, now);
      case 'caught-up':
        this.#electAll({ kind: 'catching-up', lateBy: undefined }, now);
        this.#readFacts(input, now);
        return this.#judge({ kind: 'woken-late', lateBy: input.lateBy }, now);
      case 'woken':
        return this.#woken(input, now);
      default:
        return this.#settled(this.#hearing.take(input, now), now);
    }
  }

  // ---- who takes part ----

  #add(name: string, settings: ElectionSettings, now: Micros): void {
    this.#elections.add(name, this.#machines.election(settings));
    // Who comes under the name of one that has gone is another one.
    const others = this.#instances.filter((one) => one.name !== name);
    if (others.length < this.#instances.length) this.#configure(others, now);
  }

  #configure(wanted: readonly InstanceSettings[], now: Micros): void {
    const instances = wanted.filter(({ name }) => this.#elections.has(name));
    const before = new Set(this.#instances.map(({ name }) => name));
    if (before.size === 0) this.#tickAt = now;
    this.#instances = instances;
    this.#judge({ kind: 'instances-changed', instances }, now);
    for (const { name } of instances) {
      const state = this.stateOf(name);
      if (before.has(name) || state === undefined) continue;
      this.#judge({ kind: 'role-changed', name, role: ROLES[state] }, now);
    }
  }

  // ---- time ----

  get #nextTick(): Micros | undefined {
    return this.#instances.length === 0 ? undefined : this.#tickAt;
  }

  /** One thing that is due: the link goes before the instances. */
  #woken({ dueBy: readUntil, unheardUntil }: Woken, now: Micros): void {
    const dueBy = readUntil ?? now;
    if (isDue(this.#nextTick, dueBy)) {
      this.#tickAt = plus(now, this.#hasBond ? BOND_TICK : TICK);
      return void this.#effects.push({ kind: 'look-again' });
    }
    if (isDue(this.#hearing.deadline, dueBy)) return this.#settled(this.#hearing.settle(now), now);
    if (isDue(this.#link.deadline(), dueBy)) return this.#judge({ kind: 'woken' }, now);
    const name = this.#elections.due(dueBy);
    if (name === undefined) return;
    if (unheardUntil !== undefined && this.stateOf(name) !== 'MASTER') {
      this.#elect(name, { kind: 'unheard', until: unheardUntil }, now);
    }
    this.#elect(name, { kind: 'woken' }, now);
    this.#agenda.push(() => this.#advertiseAlong(now));
  }

  /** One wake-up of this host, and one of each peer, for the adverts of many instances. */
  #advertiseAlong(now: Micros): void {
    const early = this.#effects.some(advertises) ? plus(now, EARLY_MAX) : now;
    const along = this.#elections.mastersBy(early);
    for (const name of along) this.#elect(name, { kind: 'woken', along: true }, now);
  }

  // ---- what comes in ----

  #readFacts({ facts, hasGuests }: FactsRead, now: Micros): void {
    this.#hasBond = facts?.lower.kind === 'bond';
    this.#hearing.hasGuests = hasGuests;
    this.#judge({ kind: 'facts-read', facts }, now);
  }

  #settled({ adverts, refused }: Settled, now: Micros): void {
    for (const dropped of refused) this.#effects.push({ kind: 'packet-refused', dropped });
    for (const advert of adverts) this.#hear(advert, now);
  }

  /** First the gate, which an advert may open: then it is heard like every other. */
  #hear(paired: PairedAdvert, now: Micros): void {
    const { name, from, advert } = paired;
    if (!this.#elections.has(name)) return;
    const heard = this.#hearing.describe(paired);
    const { heardBy: by, keptBy } = heard;
    this.#effects.push({ kind: 'advert-heard', name, from, advert, by, keptBy });
    this.#judge(heard, now);
    this.#run();
    const proved = this.#link.mayPreempt(name, from, now);
    this.#elect(name, { kind: 'advert-heard', from, advert, proved }, now);
    this.#run();
  }

  // ---- the two machines ----

  #run(): void {
    for (let next = this.#agenda.shift(); next !== undefined; next = this.#agenda.shift()) next();
  }

  #judge(input: ReadinessInput, now: Micros): void {
    this.#agenda.push(() => {
      for (const effect of this.#link.step(input, now)) this.#linkSays(effect, now);
      this.#noteEvidence();
    });
  }

  #linkSays(effect: ReadinessEffect, now: Micros): void {
    // One that was removed takes part no more.
    if ('name' in effect && !this.#elections.has(effect.name)) return;
    switch (effect.kind) {
      case 'open-witness':
        this.#witness.wanted = effect.wanted;
        return;
      case 'close-witness':
        this.#witness.wanted = undefined;
        return;
      case 'path-changed':
        return this.#elect(effect.name, { kind: 'path-changed', trust: effect.trust }, now);
      case 'master-moved':
        return this.#elect(effect.name, { kind: 'mac-changed' }, now);
      case 'gate-changed':
        this.#effects.push(effect);
        return this.#elect(effect.name, { kind: 'gate-changed', open: effect.gate.open }, now);
      case 'doubt-changed': {
        this.#effects.push(effect);
        const { inDoubt } = effect;
        return this.#elect(effect.name, { kind: 'doubt-changed', inDoubt }, now);
      }
      case 'probe':
        this.#witness.asked(now);
        return void this.#effects.push(effect);
      case 'epoch-began':
      case 'verdict-changed':
      case 'link-warnings-changed':
      case 'find-neighbours':
      case 'rejoin-multicast':
        return void this.#effects.push(effect);
      default:
        return unreachable(effect);
    }
  }

  #noteEvidence(): void {
    const { epoch, evidence } = this.#link;
    const key = [epoch, ...evidence.map(({ kind }) => kind)].join(' ');
    if (key === this.#evidenceKnown) return;
    this.#evidenceKnown = key;
    this.#effects.push({ kind: 'evidence-changed', epoch, evidence });
  }

  #electAll(input: Input, now: Micros): void {
    for (const name of this.#elections.names) this.#elect(name, input, now);
  }

  #elect(name: string, input: Input, now: Micros): void {
    this.#agenda.push(() => {
      const election = this.#elections.get(name);
      if (election === undefined) return;
      const { masterDownAt } = election.brief;
      const effects = election.step(input, now);
      this.#elections.stepped(name);
      for (const effect of effects) {
        this.#effects.push({ kind: 'elected', name, effect, masterDownAt });
        if (effect.kind !== 'state-changed') continue;
        this.#judge({ kind: 'role-changed', name, role: ROLES[effect.to] }, now);
      }
    });
  }
}

type Woken = Extract<SegmentInput, { kind: 'woken' }>;

function isDue(deadline: Micros | undefined, now: Micros): boolean {
  return deadline !== undefined && deadline <= now;
}
