// What the world sees of a node, be it carpd or a stock ucarp.
import type { Micros } from '../../src/base/time.ts';
import type { Cause, State } from '../../src/election/effects.ts';
import type { VirtualClock } from '../fakes/clock.ts';
import type { Prng } from './prng.ts';
import type { Station } from './station.ts';

/** A change of state of any node; ucarp gives no causes. */
export interface Transition {
  readonly at: Micros;
  readonly node: string;
  readonly from: State;
  readonly to: State;
  readonly cause: Cause | undefined;
}

/** What a node needs of the world. */
export interface Surroundings {
  readonly clock: VirtualClock;
  readonly prng: Prng;
  readonly changed: (transition: Transition) => void;
  /** Something is not as it must be. */
  readonly violated: (text: string) => void;
  /** A process has run: what it waits for by promises is to be done before anything else. */
  readonly ran: () => void;
}

export interface SimNode {
  readonly name: string;
  readonly station: Station;
  /** Its process is there, running or not. */
  readonly alive: boolean;
  readonly isMaster: boolean;
  /** Nothing forbids that it is master; whether it may become one is another matter. */
  readonly mayServe: boolean;
  /** The longest it waits for a silent master, polling included. */
  readonly patience: Micros;
  /** The longest time between two of its adverts, demotion included. */
  readonly slowestInterval: Micros;
  /** What it does with an advert, it does within this time. */
  readonly latency: Micros;
  readonly preempts: boolean;
  deadline(): Micros | undefined;
  wake(): void;
  /** The host dies, or only the process: then the address stays where it is. */
  crash(what: 'host' | 'process'): void;
  /** Boots the host if it is down, and starts the process if there is none. */
  start(): void;
}
