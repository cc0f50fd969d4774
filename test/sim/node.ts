// What the world sees of a node, be it carpd or a stock ucarp.
import type { Micros } from '../../src/base/time.ts';
import type { Ipv4 } from '../../src/carp/addresses.ts';
import type { Cause, State } from '../../src/election/effects.ts';
import type { HeardAdvert } from '../../src/election/inputs.ts';
import type { VirtualClock } from './clock.ts';
import type { Prng } from './prng.ts';

/** An advert on the bus. */
export interface Packet {
  readonly from: Ipv4;
  readonly advert: HeardAdvert;
}

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
  readonly send: (from: SimNode, packet: Packet) => void;
  readonly changed: (transition: Transition) => void;
}

export interface SimNode {
  readonly name: string;
  readonly address: Ipv4;
  /** Whether its cable works. */
  linkUp: boolean;
  readonly alive: boolean;
  readonly isMaster: boolean;
  readonly holdsVip: boolean;
  /** Whether it would become master if it were alone. */
  readonly eligible: boolean;
  /** The longest it waits for a silent master, polling included. */
  readonly patience: Micros;
  /** The longest time between two of its adverts, demotion included. */
  readonly slowestInterval: Micros;
  /** What it does with an advert, it does within this time. */
  readonly latency: Micros;
  readonly preempts: boolean;
  deadline(): Micros | undefined;
  wake(): void;
  receive(packet: Packet): void;
  /** The host dies, or only the process: then the address stays where it is. */
  crash(what: 'host' | 'process'): void;
  start(): void;
}
