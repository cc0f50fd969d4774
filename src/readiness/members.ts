// The instances of one link, kept by what the link has to know of them after each step: so what
// concerns one of hundreds costs no look at the others.
import type { Ipv4 } from '../base/addresses.ts';
import { invariant } from '../base/assert.ts';
import { Earliest } from '../base/earliest.ts';
import type { Micros } from '../base/time.ts';
import type { InstanceSettings } from './inputs.ts';
import { InstanceReadiness } from './instance.ts';

const NOBODY: readonly InstanceReadiness[] = [];

/** All instances on one interface. */
export class Members {
  readonly #byName = new Map<string, InstanceReadiness>();
  readonly #orders = new Map<InstanceReadiness, number>();
  readonly #deadlines = new Earliest<InstanceReadiness>();
  readonly #takingPart = new Set<InstanceReadiness>();
  readonly #gated = new Set<InstanceReadiness>();
  readonly #needingWitness = new Set<InstanceReadiness>();
  readonly #awaitingFrame = new Set<InstanceReadiness>();
  readonly #heedingAnswers = new Set<InstanceReadiness>();
  #byVip: ReadonlyMap<Ipv4, readonly InstanceReadiness[]> = new Map();
  #all: readonly InstanceReadiness[] = NOBODY;
  #added = 0;

  /** All of them, in the order in which they came. */
  get all(): readonly InstanceReadiness[] {
    return this.#all;
  }

  /** Those that would learn something by a frame of anybody. */
  get awaitingFrame(): readonly InstanceReadiness[] {
    return this.inOrder(this.#awaitingFrame);
  }

  /** Somebody wants the frame witness to see adverts. */
  get needsWitness(): boolean {
    return this.#needingWitness.size > 0;
  }

  get awaitsFrame(): boolean {
    return this.#awaitingFrame.size > 0;
  }

  /** Somebody can become master, or is it. */
  get takesPart(): boolean {
    return this.#takingPart.size > 0;
  }

  /** One of those has a gate that asks for proof. */
  get asksForProof(): boolean {
    return this.#gated.size > 0;
  }

  /** When the first of them wants to be evaluated. */
  get deadline(): Micros | undefined {
    return this.#deadlines.at;
  }

  /** The instances with the names of `settings`, with these; all others go. Names are unique. */
  configure(settings: readonly InstanceSettings[]): void {
    const names = new Set(settings.map(({ name }) => name));
    invariant(names.size === settings.length, 'the names of instances are unique');
    for (const [name, instance] of this.#byName) if (!names.has(name)) this.#forget(name, instance);
    for (const one of settings) {
      const known = this.#byName.get(one.name);
      if (known === undefined) this.#add(one);
      else known.configure(one);
    }
    this.#all = [...this.#byName.values()];
    this.#byVip = byVip(this.#all);
  }

  get(name: string): InstanceReadiness | undefined {
    return this.#byName.get(name);
  }

  /** Those with this virtual IP. */
  withVip(address: Ipv4): readonly InstanceReadiness[] {
    return this.#byVip.get(address) ?? NOBODY;
  }

  /** Those to whom an answer of this address makes a difference. */
  heeding(address: Ipv4): readonly InstanceReadiness[] {
    if (this.#heedingAnswers.size === 0) return this.withVip(address);
    return this.inOrder([...this.withVip(address), ...this.#heedingAnswers]);
  }

  /** Those whose deadlines have come. */
  due(now: Micros): readonly InstanceReadiness[] {
    return this.#deadlines.due(now);
  }

  /** Each of these once, in the order in which they came. */
  inOrder(some: Iterable<InstanceReadiness>): readonly InstanceReadiness[] {
    const sorted = [...new Set(some)];
    if (sorted.length < 2) return sorted;
    return sorted.sort((a, b) => this.#orderOf(a) - this.#orderOf(b));
  }

  /** To be called when one of them was evaluated. */
  evaluated(instance: InstanceReadiness): void {
    const { role, settings } = instance;
    this.#deadlines.set(instance, instance.deadline, this.#orderOf(instance));
    file(this.#takingPart, instance, role !== 'inactive');
    file(this.#gated, instance, role !== 'inactive' && settings.gate.policy !== 'off');
    file(this.#needingWitness, instance, instance.needsWitness);
    file(this.#awaitingFrame, instance, instance.awaitsFrame);
    file(this.#heedingAnswers, instance, instance.heedsAnswers);
  }

  #add(settings: InstanceSettings): void {
    const instance = new InstanceReadiness(settings);
    this.#byName.set(settings.name, instance);
    this.#orders.set(instance, this.#added);
    this.#added += 1;
  }

  #forget(name: string, instance: InstanceReadiness): void {
    this.#byName.delete(name);
    this.#orders.delete(instance);
    this.#deadlines.delete(instance);
    const files = [this.#takingPart, this.#gated, this.#needingWitness];
    for (const each of [...files, this.#awaitingFrame, this.#heedingAnswers]) each.delete(instance);
  }

  #orderOf(instance: InstanceReadiness): number {
    const order = this.#orders.get(instance);
    invariant(order !== undefined, 'an instance has its place as long as it is there');
    return order;
  }
}

function byVip(all: readonly InstanceReadiness[]): ReadonlyMap<Ipv4, readonly InstanceReadiness[]> {
  const found = new Map<Ipv4, InstanceReadiness[]>();
  for (const instance of all) {
    const same = found.get(instance.settings.vip);
    if (same === undefined) found.set(instance.settings.vip, [instance]);
    else same.push(instance);
  }
  return found;
}

function file(files: Set<InstanceReadiness>, instance: InstanceReadiness, belongs: boolean): void {
  if (belongs) files.add(instance);
  else files.delete(instance);
}
