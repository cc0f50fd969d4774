// The election as others may see it: status, metrics and logs read this and nothing else.
import type { Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { Cause, HoldReason, State } from './effects.ts';

/** The master a node follows. */
export interface HeardMaster {
  readonly address: Ipv4;
  readonly advbase: number;
  readonly advskew: number;
  readonly heardAt: Micros;
}

export interface ElectionSnapshot {
  readonly state: State;
  readonly stateSince: Micros;
  /** How often this node has become master since it started. */
  readonly term: number;
  readonly master: HeardMaster | undefined;
  /** What keeps the node from promotion; empty in BACKUP. */
  readonly holdReasons: readonly HoldReason[];
  readonly inDoubt: boolean;
  /** Three sends in a row failed, and not enough have worked since. */
  readonly demoted: boolean;
  readonly effectiveAdvskew: number;
  /** Set while a master steps down in good order. */
  readonly leaving: Cause | undefined;
  readonly masterDownAt: Micros | undefined;
  readonly advertiseAt: Micros | undefined;
}
