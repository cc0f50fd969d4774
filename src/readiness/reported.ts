// What an instance has reported of its link: each change of its gate, its doubt and the trust in
// its path, once.
import type { DoubtCause } from './doubt.ts';
import type { ReadinessEffect } from './effects.ts';
import { isSameVerdict, type GateVerdict } from './gate.ts';
import type { Trust } from './path-trust.ts';
import { sameList, type Warning } from './reasons.ts';

/** How the link is to one instance now. */
export interface Reportable {
  readonly gate: GateVerdict;
  readonly warnings: readonly Warning[];
  /** Why it is in doubt; undefined: it is not. */
  readonly doubt: DoubtCause | undefined;
  readonly trust: Trust;
}

/** What one instance has reported last. */
export class Reported {
  /** Undefined: nothing yet, so that it is in no doubt and its path is trusted. */
  #last: Reportable | undefined;

  /** What of this has changed since it was called last, as effects. */
  changes(name: string, now: Reportable): readonly ReadinessEffect[] {
    const last = this.#last;
    this.#last = now;
    const { gate, warnings, doubt, trust } = now;
    const changes: ReadinessEffect[] = [];
    if (last === undefined || !isSameGate(last, now)) {
      changes.push({ kind: 'gate-changed', name, gate, warnings });
    }
    if (doubt !== last?.doubt) {
      changes.push({ kind: 'doubt-changed', name, inDoubt: doubt !== undefined, cause: doubt });
    }
    if (trust !== (last?.trust ?? 'trusted')) changes.push({ kind: 'path-changed', name, trust });
    return changes;
  }
}

function isSameGate(a: Reportable, b: Reportable): boolean {
  return isSameVerdict(a.gate, b.gate) && sameList(a.warnings, b.warnings);
}
