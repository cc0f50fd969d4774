// What is told of an instance's gate: once for each change, and now and then while it is closed.
import { fromSeconds, micros, since, toMillis, type Micros } from '../base/time.ts';
import { DOUBT_CAUSES, type DoubtCause } from '../readiness/doubt.ts';
import type { GateKey, GateVerdict } from '../readiness/gate.ts';
import { REASONS, sameList, WARNINGS, type Reason, type Warning } from '../readiness/reasons.ts';
import type { Logger } from './log.ts';

const REMINDER = fromSeconds(30);

const OPEN = {
  proof: 'promotion is possible: the link has proved that it passes frames',
  'promote-after': 'promotion is possible: the link has not proved itself, but its time is up',
  off: 'promotion is possible: the gate is off, and there is carrier',
} as const satisfies Record<GateKey, string>;

/** See the head of this file. */
export class GateLog {
  readonly #log: Logger;
  readonly #now: () => Micros;
  #gate: GateVerdict | undefined;
  #warned: readonly Warning[] = [];
  #toldAt: Micros = micros(0);

  /** `log` bears the name of the instance. */
  constructor(log: Logger, now: () => Micros) {
    this.#log = log;
    this.#now = now;
  }

  changed(gate: GateVerdict, warnings: readonly Warning[]): void {
    const before = this.#gate;
    this.#gate = gate;
    this.#warn(warnings);
    if (gate.open) {
      if (before?.open !== true && gate.by !== undefined) {
        this.#log.info('gate-opened', OPEN[gate.by], { by: gate.by });
      }
      return;
    }
    if (before?.open === false && sameList(before.reasons, gate.reasons)) return;
    this.#tellClosed(gate, 'info');
  }

  /** Comes every so often; says again, not too often, why the gate is closed. */
  remind(): void {
    if (this.#gate === undefined || this.#gate.open) return;
    if (since(this.#now(), this.#toldAt) >= REMINDER) this.#tellClosed(this.#gate, 'warn');
  }

  /** `cause` is undefined when the doubt ends. */
  doubt(cause: DoubtCause | undefined): void {
    if (cause === undefined) {
      this.#log.info('doubt', 'in doubt no more: bidding and announcing as configured');
      return;
    }
    const text = `in doubt: ${DOUBT_CAUSES[cause]}; bidding low and announcing nothing meanwhile`;
    this.#log.warn('doubt', text, { cause });
  }

  #tellClosed({ reasons, opensAt }: GateVerdict, level: 'info' | 'warn'): void {
    const now = this.#now();
    this.#toldAt = now;
    const opensInMs = opensAt === undefined ? undefined : Math.round(toMillis(since(opensAt, now)));
    const anyway = opensInMs === undefined ? '' : `; possible in ${opensInMs} ms all the same`;
    const text = `no promotion: ${explain(reasons)}${anyway}`;
    this.#log[level]('gate-closed', text, { reasons: reasons.join(' '), opensInMs });
  }

  #warn(warnings: readonly Warning[]): void {
    for (const warning of warnings) {
      if (this.#warned.includes(warning)) continue;
      const { meaning, remedy } = WARNINGS[warning];
      this.#log.warn('gate-warning', `${meaning}; ${remedy}`, { warning });
    }
    this.#warned = warnings;
  }
}

/** Reasons as a sentence: what is missing, and what would help. */
export function explain(reasons: readonly Reason[]): string {
  return reasons
    .map((reason) => `${REASONS[reason].meaning} (${REASONS[reason].remedy})`)
    .join('; ');
}
