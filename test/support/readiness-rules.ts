// What must hold of the readiness of every link, whatever it is given: checked after each step.
import assert from 'node:assert/strict';
import { formatIpv4, type Ipv4 } from '../../src/base/addresses.ts';
import type { Micros } from '../../src/base/time.ts';
import type { ReadinessEffect } from '../../src/readiness/effects.ts';
import type { EvidenceRecord } from '../../src/readiness/evidence.ts';
import { bondsOf, type LinkFacts } from '../../src/readiness/facts.ts';
import type { InstanceSettings, ReadinessInput } from '../../src/readiness/inputs.ts';
import type { PortVerdict } from '../../src/readiness/lacp.ts';
import type { LinkReadiness } from '../../src/readiness/link.ts';
import type { InstanceSnapshot, ReadinessSnapshot } from '../../src/readiness/snapshot.ts';
import { isAlike } from './alike.ts';

const EVIDENCE: readonly string[] = ['advert-heard', 'frame-heard', 'probe-answered'];
const FALLBACK_INTERVAL = 1_000_000;

/** Drives one link and fails as soon as it breaks a rule. */
export class CheckedLink {
  readonly #link: LinkReadiness;
  #settings: readonly InstanceSettings[] = [];
  #facts: LinkFacts | undefined;
  #read = false;
  #epoch = 1;
  /** Whether anything that could count came in since the epoch began. */
  #evidence = false;
  #open = new Map<string, boolean>();
  #doubting = new Map<string, boolean>();
  #witness: Extract<ReadinessEffect, { kind: 'open-witness' }> | undefined;
  #askedAt = new Map<Ipv4, Micros>();

  constructor(link: LinkReadiness) {
    this.#link = link;
  }

  get epoch(): number {
    return this.#epoch;
  }

  deadline(): Micros | undefined {
    return this.#link.deadline();
  }

  snapshot(): ReadinessSnapshot {
    return this.#link.snapshot();
  }

  snapshotOf(name: string): InstanceSnapshot | undefined {
    return this.#link.snapshotOf(name);
  }

  get evidence(): readonly EvidenceRecord[] {
    return this.#link.evidence;
  }

  get ports(): readonly PortVerdict[] {
    return this.#link.ports;
  }

  mayPreempt(name: string, master: Ipv4, now: Micros): boolean {
    return this.#link.mayPreempt(name, master, now);
  }

  /** One step, checked, with a wake-up before its time in front of it. */
  step(input: ReadinessInput, now: Micros): readonly ReadinessEffect[] {
    this.#wakeTooEarly(now);
    const before = this.#link.snapshot();
    this.#note(input);
    const effects = this.#link.step(input, now);
    const after = this.#link.snapshot();
    for (const effect of effects) this.#follow(effect, now);
    this.#compareEffects(after);
    this.#checkVerdict(after);
    for (const instance of after.instances) this.#checkInstance(instance, after);
    if (before.epoch.number === after.epoch.number) this.#checkStays(input, before, after);
    this.#checkWitness(after);
    const deadline = this.#link.deadline();
    if (input.kind === 'woken') assert.ok(deadline === undefined || deadline > now);
    return effects;
  }

  #wakeTooEarly(now: Micros): void {
    const deadline = this.#link.deadline();
    if (deadline !== undefined && deadline <= now) return;
    const before = this.#link.snapshot();
    assert.deepEqual(this.#link.step({ kind: 'woken' }, now), []);
    const after = this.#link.snapshot();
    if (!isAlike(after, before)) assert.deepEqual(after, before);
    assert.equal(this.#link.deadline(), deadline);
  }

  #note(input: ReadinessInput): void {
    if (input.kind === 'instances-changed') {
      this.#settings = input.instances;
      this.#open = new Map();
      this.#doubting = new Map();
      for (const { name, gate, doubt } of this.#link.snapshot().instances) {
        this.#open.set(name, gate.open);
        this.#doubting.set(name, doubt !== undefined);
      }
    }
    if (input.kind === 'facts-read') {
      this.#facts = input.facts;
      this.#read = true;
    }
    if (EVIDENCE.includes(input.kind) && 'epoch' in input && input.epoch === this.#epoch) {
      this.#evidence = true;
    }
  }

  #follow(effect: ReadinessEffect, now: Micros): void {
    switch (effect.kind) {
      case 'epoch-began':
        assert.equal(effect.epoch.number, this.#epoch + 1, 'epochs are counted');
        assert.equal(effect.epoch.since, now);
        this.#epoch = effect.epoch.number;
        this.#evidence = false;
        this.#askedAt = new Map();
        return;
      case 'gate-changed':
        return void this.#open.set(effect.name, effect.gate.open);
      case 'doubt-changed':
        assert.notEqual(this.#doubting.get(effect.name) ?? false, effect.inDoubt, 'doubt changes');
        return void this.#doubting.set(effect.name, effect.inDoubt);
      case 'open-witness':
        assert.notDeepEqual(this.#witness, effect, 'it is opened for a new epoch or a new want');
        return void (this.#witness = effect);
      case 'close-witness':
        assert.notEqual(this.#witness, undefined, 'it was open');
        return void (this.#witness = undefined);
      case 'probe':
        return this.#checkProbe([...effect.addresses, ...effect.vips], now);
      default:
    }
  }

  #checkProbe(asked: readonly Ipv4[], now: Micros): void {
    assert.ok(asked.length > 0);
    assert.equal(new Set(asked).size, asked.length, 'nobody is asked twice at once');
    const intervals = this.#settings.map(({ probeInterval }) => Number(probeInterval));
    const shortest = Math.min(FALLBACK_INTERVAL, ...intervals);
    for (const address of asked) {
      const before = this.#askedAt.get(address);
      assert.ok(
        before === undefined || now - before >= shortest,
        `${formatIpv4(address)} is asked too often`,
      );
      const own = this.#settings.some(({ source }) => source === address);
      assert.ok(!own, 'nobody asks for himself');
      this.#askedAt.set(address, now);
    }
  }

  /** Who followed the effects knows what the snapshot says. */
  #compareEffects({ epoch, instances }: ReadinessSnapshot): void {
    assert.equal(epoch.number, this.#epoch);
    assert.equal(this.#link.epoch, this.#epoch);
    for (const { name, gate, doubt } of instances) {
      assert.equal(this.#open.get(name) ?? false, gate.open);
      assert.equal(this.#doubting.get(name) ?? false, doubt !== undefined);
    }
  }

  #checkVerdict({ verdict, conditions, evidence, epoch }: ReadinessSnapshot): void {
    assert.equal(verdict.state === 'ready', verdict.reasons.length === 0);
    for (const { latest } of evidence) assert.equal(latest.epoch, epoch.number);
    if (verdict.state !== 'ready') return;
    assert.ok(this.#evidence, 'nothing is proved without evidence of this epoch');
    assert.equal(this.#facts?.carrier, true, 'nothing is ready without carrier');
    assert.notEqual(conditions.lacp.status, 'unknown');
  }

  #checkInstance(instance: InstanceSnapshot, { verdict }: ReadinessSnapshot): void {
    const settings = this.#settings.find(({ name }) => name === instance.name)!;
    const { gate, role, doubt } = instance;
    assert.equal(gate.open, gate.by !== undefined);
    if (doubt !== undefined) assert.equal(role, 'master', 'only a master doubts');
    if (!gate.open) return assert.ok(gate.reasons.length > 0, 'a closed gate says why');
    const { policy, ignoreLinkState } = settings.gate;
    // Who asks for no proof needs no way out that is known to be one.
    const isFree = policy === 'off' && this.#facts?.uplinkFault === 'no-uplink';
    if (!ignoreLinkState && !isFree) {
      assert.equal(this.#read && this.#facts?.carrier, true, 'no policy overrides carrier');
    }
    if (gate.by !== 'proof') return assert.equal(gate.by, settings.gate.policy);
    assert.ok(this.#evidence);
    if (!settings.gate.ignoreLinkState) assert.equal(verdict.state, 'ready');
  }

  /** Nothing but facts, settings, a VIP in use or a missing answer closes a gate in its epoch. */
  #checkStays(input: ReadinessInput, before: ReadinessSnapshot, after: ReadinessSnapshot): void {
    if (input.kind === 'facts-read' || input.kind === 'instances-changed') return;
    for (const { name, gate } of before.instances) {
      const now = after.instances.find((instance) => instance.name === name);
      if (!gate.open || now === undefined || now.gate.open) continue;
      const excuses: readonly string[] = ['vip-in-use', 'no-answer-since-advert'];
      assert.ok(now.gate.reasons.some((reason) => excuses.includes(reason)));
    }
    if (before.verdict.state === 'ready') assert.equal(after.verdict.state, 'ready');
  }

  #hasPorts(): boolean {
    return bondsOf(this.#facts?.lower).some(
      ({ mode, ports }) => mode !== 'active-backup' && ports.length > 1,
    );
  }

  #checkWitness({ witnessOpen, instances, epoch, evidence }: ReadinessSnapshot): void {
    assert.equal(witnessOpen, this.#witness !== undefined);
    if (this.#witness !== undefined) {
      assert.equal(this.#witness.epoch, epoch.number);
      // Of a bond with several ports it looks on until it knows one by which a frame came.
      const awaited = instances.some(({ awaitsFrame }) => awaitsFrame);
      const every = this.#witness.wanted !== 'adverts';
      if (evidence.length === 0 || awaited) assert.ok(every, 'every frame counts');
      else if (!this.#hasPorts()) assert.ok(!every, 'a second frame proves no more');
    }
    const wanting = instances.filter(({ name, role, gate, doubt, silent }) => {
      const settings = this.#settings.find((candidate) => candidate.name === name)!;
      if (role === 'inactive' || settings.gate.policy === 'off') return false;
      return !gate.open || doubt !== undefined || silent;
    });
    if (wanting.length > 0) assert.ok(witnessOpen, 'proof is wanted, so somebody looks for it');
  }
}
