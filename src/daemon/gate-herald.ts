// What an instance tells of its gate: each change once, and now and then that it is still closed.
import { fromSeconds, micros, plus, since, toMillis, type Micros } from '../base/time.ts';
import type { HoldReason, State } from '../election/effects.ts';
import type { ElectionSnapshot } from '../election/snapshot.ts';
import type { GateVerdict } from '../readiness/gate.ts';
import { sameList, type Reason, type Warning } from '../readiness/reasons.ts';
import type { Publish } from './event-bus.ts';
import type { HeldReason, InstanceNews } from './events.ts';

const REMINDER = fromSeconds(30);

/** An instance as it stands when time has passed. */
export interface Standing {
  readonly election: Pick<ElectionSnapshot, 'state' | 'stateSince' | 'holdReasons'>;
  /** The state before this one. */
  readonly before: State | undefined;
  /** When a master was heard last. */
  readonly heardAt: Micros | undefined;
  readonly deadInterval: Micros;
}

/** What keeps a node in HELD besides its gate, which names its own reasons. */
const HELD_BESIDE_GATE: Readonly<Partial<Record<HoldReason, HeldReason>>> = {
  'carrier-lost': 'no-carrier',
  maintenance: 'maintenance',
  'vip-failed': 'vip-failed',
};

/** See the head of this file. */
export class GateHerald {
  readonly #publish: Publish<InstanceNews>;
  readonly #now: () => Micros;
  #gate: GateVerdict | undefined;
  #warned: readonly Warning[] = [];
  #inUse = false;
  #toldAt: Micros = micros(0);
  #silentSince: Micros | undefined;
  readonly #heldFor = new Set<HeldReason>();

  constructor(publish: Publish<InstanceNews>, now: () => Micros) {
    this.#publish = publish;
    this.#now = now;
  }

  /** `holder`: the MAC address of who answers for the virtual IP, where it is known. */
  changed(gate: GateVerdict, warnings: readonly Warning[], holder: string | undefined): void {
    const before = this.#gate;
    this.#gate = gate;
    this.#warn(warnings);
    this.#vipInUse(gate, warnings, holder);
    if (gate.open) {
      if (before?.open !== true && gate.by !== undefined) {
        this.#publish({ event: 'gate-opened', by: gate.by });
      }
      return;
    }
    if (before?.open === false && sameList(before.reasons, gate.reasons)) return;
    this.#tellClosed(gate, 'gate-closed');
  }

  /** Comes about every second. */
  tick(standing: Standing): void {
    const gate = this.#gate;
    if (standing.election.state !== 'HELD') this.#heldFor.clear();
    else if (gate !== undefined) this.#stillHeld(gate, standing);
  }

  #stillHeld(gate: GateVerdict, standing: Standing): void {
    this.#countHeld(gate, standing);
    if (gate.open || since(this.#now(), this.#toldAt) < REMINDER) return;
    this.#tellClosed(gate, 'gate-still-closed');
  }

  #tellClosed({ reasons, opensAt }: GateVerdict, event: 'gate-closed' | 'gate-still-closed'): void {
    const now = this.#now();
    this.#toldAt = now;
    const opensInMs = opensAt === undefined ? null : Math.round(toMillis(since(opensAt, now)));
    this.#publish({ event, reasons, opensInMs });
  }

  #warn(warnings: readonly Warning[]): void {
    for (const warning of warnings) {
      if (!this.#warned.includes(warning)) this.#publish({ event: 'gate-warning', warning });
    }
    this.#warned = warnings;
  }

  #vipInUse(
    { reasons }: GateVerdict,
    warnings: readonly Warning[],
    holder: string | undefined,
  ): void {
    const holdsOff = reasons.includes('vip-in-use');
    const inUse = holdsOff || warnings.includes('vip-answered');
    if (inUse && !this.#inUse)
      this.#publish({ event: 'vip-in-use', mac: holder ?? null, holdsOff });
    this.#inUse = inUse;
  }

  /** A promotion is held off from the moment at which silence would have brought it. */
  #countHeld(gate: GateVerdict, standing: Standing): void {
    const silentSince = silentSinceOf(standing);
    if (silentSince !== this.#silentSince) this.#heldFor.clear();
    this.#silentSince = silentSince;
    if (plus(silentSince, standing.deadInterval) > this.#now()) return;
    const gateReasons: readonly Reason[] = gate.open ? [] : gate.reasons;
    const others = standing.election.holdReasons.flatMap(
      (reason) => HELD_BESIDE_GATE[reason] ?? [],
    );
    for (const reason of new Set<HeldReason>([...gateReasons, ...others])) {
      if (this.#heldFor.has(reason)) continue;
      this.#heldFor.add(reason);
      this.#publish({ event: 'promotion-held', reason });
    }
  }
}

/** Since when a backup would have waited: who was master itself had nobody to hear. */
function silentSinceOf({ election, before, heardAt }: Standing): Micros {
  const { stateSince } = election;
  if (heardAt === undefined) return stateSince;
  return before === 'BACKUP' || heardAt > stateSince ? heardAt : stateSince;
}
