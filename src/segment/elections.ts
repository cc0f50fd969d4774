// The elections of one segment, by name and by when they want to be woken: those of masters apart
// from those who wait for a master's silence, before which the sockets have to be read.
import { invariant } from '../base/assert.ts';
import { Earliest } from '../base/earliest.ts';
import { micros, type Micros } from '../base/time.ts';
import type { State } from '../election/effects.ts';
import type { Election } from '../election/machine.ts';

/** Nothing else gets a turn between their adverts: some 30 us each. */
const TOGETHER_MAX = 64;

export type ElectionMachine = Pick<Election, 'step' | 'deadline' | 'snapshot' | 'brief'>;

/** An election and its place among the others. */
interface Entry {
  readonly machine: ElectionMachine;
  readonly order: number;
}

/** All elections; whoever takes a step with one of them says so by `stepped`. */
export class Elections {
  readonly #entries = new Map<string, Entry>();
  readonly #masters = new Earliest<string>();
  readonly #waiting = new Earliest<string>();
  #added = 0;

  /** When the first of them wants to be woken. */
  get deadline(): Micros | undefined {
    const earliest = Math.min(this.#masters.at ?? Infinity, this.#waiting.at ?? Infinity);
    return earliest === Infinity ? undefined : micros(earliest);
  }

  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  get(name: string): ElectionMachine | undefined {
    return this.#entries.get(name)?.machine;
  }

  /** The state of one; undefined: there is none of this name. */
  stateOf(name: string): State | undefined {
    return this.get(name)?.brief.state;
  }

  /** In the place of one of this name, if there is one. */
  add(name: string, machine: ElectionMachine): void {
    this.remove(name);
    this.#entries.set(name, { machine, order: this.#added });
    this.#added += 1;
  }

  remove(name: string): void {
    this.#entries.delete(name);
    this.#masters.delete(name);
    this.#waiting.delete(name);
  }

  /** This one has taken a step, and may want to be woken at another time. */
  stepped(name: string): void {
    const entry = this.#entries.get(name);
    invariant(entry !== undefined, 'only who is there takes a step');
    const { machine, order } = entry;
    const isMaster = machine.brief.state === 'MASTER';
    const at = machine.deadline();
    this.#masters.set(name, isMaster ? at : undefined, order);
    this.#waiting.set(name, isMaster ? undefined : at, order);
  }

  /** Somebody who is no master wants to be woken by then. */
  awaitsSilence(dueBy: Micros): boolean {
    return isBy(this.#waiting.at, dueBy);
  }

  /** Some of the masters that want to be woken by then. */
  mastersBy(at: Micros): readonly string[] {
    return isBy(this.#masters.at, at) ? this.#masters.due(at).slice(0, TOGETHER_MAX) : [];
  }

  /** Who is due by then; masters first: their adverts must not wait for hundreds of promotions. */
  due(dueBy: Micros): string | undefined {
    if (isBy(this.#masters.at, dueBy)) return this.#masters.key;
    return isBy(this.#waiting.at, dueBy) ? this.#waiting.key : undefined;
  }
}

function isBy(at: Micros | undefined, time: Micros): boolean {
  return at !== undefined && at <= time;
}
