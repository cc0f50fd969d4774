// Whether a node can take part, and whether it may be promoted: what its interface allows, and what
// holds it off.
import type { Ipv4 } from '../base/addresses.ts';
import type { HoldReason, State } from './effects.ts';

/** What holds for one node, whatever it is at the moment. */
export class Participation {
  readonly #holds = new Set<HoldReason>(['gate-closed', 'carrier-lost']);
  #source: Ipv4 | undefined;
  /** The interface is there, up, and has the source; a master that has lost it still bows out. */
  #usable = false;

  /** The address its adverts come from; undefined: it can neither hear nor speak. */
  get source(): Ipv4 | undefined {
    return this.#source;
  }

  /** What holds off a promotion, in the order in which it came up. */
  get holdReasons(): readonly HoldReason[] {
    return [...this.#holds];
  }

  /** Where a node rests that is not master. */
  get restingState(): Exclude<State, 'MASTER'> {
    if (!this.#usable) return 'INIT';
    return this.#holds.size > 0 ? 'HELD' : 'BACKUP';
  }

  interfaceReady(source: Ipv4): void {
    this.#source = source;
    this.#usable = true;
  }

  /** The interface can't be used; frames may still leave from the source until `silenced`. */
  interfaceLost(): void {
    this.#usable = false;
  }

  /** No frame can leave any more. */
  silenced(): void {
    this.#source = undefined;
  }

  hold(reason: HoldReason, held: boolean): void {
    if (held) this.#holds.add(reason);
    else this.#holds.delete(reason);
  }
}
