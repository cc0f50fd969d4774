// What an instance publishes of its gate: each change once, and sometimes that it is still closed.
import { fromSeconds, micros, plus, since, toMillis, type Micros } from '../../base/time.ts';
import type { HoldReason, State } from '../../election/effects.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { GateSettings, GateVerdict } from '../../readiness/gate.ts';
import { sameList, type Reason, type Warning } from '../../readiness/reasons.ts';
import type { Publish } from '../bus.ts';
import type { HeldReason } from '../catalogue/election.ts';
import type { InstanceEventFields } from '../events.ts';

const REMINDER = fromSeconds(30);

/** An instance as it stands when time has passed. */
export interface Standing {
  readonly election: Pick<ElectionSnapshot, 'state' | 'stateSince' | 'holdReasons'>;
  /** The state before this one. */
  readonly before: State | undefined;
  /** When a master was heard last. */
  readonly heardAt: Micros | undefined;
  readonly deadInterval: Micros;
  readonly policy: GateSettings['policy'];
}

/** What keeps a node in HELD besides its gate, which names its own reasons. */
const HELD_BESIDE_GATE: Readonly<Partial<Record<HoldReason, HeldReason>>> = {
  'carrier-lost': 'no-carrier',
  maintenance: 'maintenance',
  'vip-failed': 'vip-failed',
};

/** Publishes what changes about the gate of one instance. */
export class GateEvents {
  readonly #publish: Publish<InstanceEventFields>;
  readonly #now: () => Micros;
  #gate: GateVerdict | undefined;
  #warned: readonly Warning[] = [];
  /** Of a closed gate, what was published of it last. */
  #reportedReasons: readonly Reason[] = [];
  /** Who answers for the virtual IP. */
  #holder: string | undefined;
  #inUseReported = false;
  /** Silence would have brought a promotion by now, but for the gate. */
  #due = false;
  #reportedAt: Micros = micros(0);
  #silentSince: Micros | undefined;
  readonly #heldFor = new Set<HeldReason>();

  constructor(publish: Publish<InstanceEventFields>, now: () => Micros) {
    this.#publish = publish;
    this.#now = now;
  }

  /**
   * `holder`: the MAC address of who answers for the virtual IP, where it is known. A master has no
   * promotion before it, so that its gate is no news: `doubt` and the link tell of it.
   */
  changed(
    gate: GateVerdict,
    warnings: readonly Warning[],
    holder: string | undefined,
    isMaster = false,
  ): void {
    const before = this.#gate;
    this.#gate = gate;
    this.#holder = holder;
    this.#warn(warnings);
    const answered = warnings.includes('vip-answered');
    if (answered) this.#publishInUse(false);
    else if (!gate.reasons.includes('vip-in-use')) this.#inUseReported = false;
    if (!gate.open) return isMaster ? undefined : this.#publishNewReasons(gate);
    this.#reportedReasons = [];
    if (isMaster) return;
    if (before?.open !== true && gate.by !== undefined) {
      this.#publish({ event: 'gate-opened', by: gate.by });
    }
  }

  /** Comes about every second. */
  tick(standing: Standing): void {
    const gate = this.#gate;
    if (standing.election.state !== 'HELD') {
      this.#heldFor.clear();
      this.#due = false;
    } else if (gate !== undefined) this.#stillHeld(gate, standing);
  }

  #stillHeld(gate: GateVerdict, standing: Standing): void {
    this.#countHeld(gate, standing);
    if (!gate.open) this.#publishNewReasons(gate);
    if (gate.open || since(this.#now(), this.#reportedAt) < REMINDER) return;
    const reasons = this.#newsworthy(gate);
    if (reasons.length > 0) this.#publishClosed({ ...gate, reasons }, 'gate-still-closed');
  }

  /** A master that was not heard so far answers for its address: no news before one is due. */
  #newsworthy({ reasons }: GateVerdict): readonly Reason[] {
    return reasons.filter((reason) => this.#due || reason !== 'vip-in-use');
  }

  #publishNewReasons(gate: GateVerdict): void {
    const reasons = this.#newsworthy(gate);
    if (reasons.length === 0 || sameList(reasons, this.#reportedReasons)) return;
    this.#reportedReasons = reasons;
    this.#publishClosed({ ...gate, reasons }, 'gate-closed');
  }

  #publishClosed(
    { reasons, opensAt }: GateVerdict,
    event: 'gate-closed' | 'gate-still-closed',
  ): void {
    const now = this.#now();
    this.#reportedAt = now;
    const opensInMs = opensAt === undefined ? null : Math.round(toMillis(since(opensAt, now)));
    this.#publish({ event, reasons, opensInMs });
  }

  #warn(warnings: readonly Warning[]): void {
    for (const warning of warnings) {
      if (!this.#warned.includes(warning)) this.#publish({ event: 'gate-warning', warning });
    }
    this.#warned = warnings;
  }

  #publishInUse(holdsOff: boolean): void {
    if (this.#inUseReported) return;
    this.#inUseReported = true;
    this.#publish({ event: 'vip-in-use', mac: this.#holder ?? null, holdsOff });
  }

  /** A promotion is held off from the moment at which silence would have brought it. */
  #countHeld(gate: GateVerdict, standing: Standing): void {
    const silentSince = silentSinceOf(standing);
    if (silentSince !== this.#silentSince) this.#heldFor.clear();
    this.#silentSince = silentSince;
    const silenceDue = plus(silentSince, standing.deadInterval) <= this.#now();
    // In maintenance it would not promote itself, so who else has the address is not its concern.
    this.#due = silenceDue && !standing.election.holdReasons.includes('maintenance');
    if (!silenceDue) return;
    if (this.#due && gate.reasons.includes('vip-in-use')) this.#publishInUse(true);
    const gateReasons = heldBy(gate, standing.policy);
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

const WITHOUT_CARRIER: ReadonlySet<Reason> = new Set([
  'interface-missing',
  'no-carrier',
  'no-uplink',
  'uplink-blocked',
  'carrier-unknown',
]);

/** What of its reasons keeps a gate closed: some are overridden, or follow from another. */
function heldBy({ open, reasons }: GateVerdict, policy: Standing['policy']): readonly Reason[] {
  if (open) return [];
  const carrier = reasons.filter((reason) => WITHOUT_CARRIER.has(reason));
  if (carrier.length > 0) return carrier;
  return policy === 'off' ? reasons.filter((reason) => reason === 'vip-in-use') : reasons;
}

/** Since when a backup would have waited: who was master itself had nobody to hear. */
function silentSinceOf({ election, before, heardAt }: Standing): Micros {
  const { stateSince } = election;
  if (heardAt === undefined) return stateSince;
  return before === 'BACKUP' || heardAt > stateSince ? heardAt : stateSince;
}
