// What the address side of carpd needs from outside. The daemon passes the real things in, tests
// pass fakes; nothing in this folder spawns, sleeps, reads a clock or opens a socket by itself.
import type { CommandRequest, RunningCommand } from '../base/command.ts';
import type { Micros } from '../base/time.ts';
import type { Ipv4 } from '../carp/addresses.ts';

export type RunCommand = (request: CommandRequest) => RunningCommand;

/** Calls back once after `delayMs` milliseconds; what it returns cancels that. */
export type StartTimer = (delayMs: number, onExpired: () => void) => () => void;

/** The monotonic clock. */
export type Clock = () => Micros;

/** Sends a whole Ethernet frame now, or throws. */
export interface FrameSender {
  send(frame: Uint8Array): void;
}

/** An IPv4 address that is on an interface of this host. */
export interface ObservedAddress {
  readonly interfaceName: string;
  readonly address: Ipv4;
  /** 0 to 32. */
  readonly prefixLength: number;
}

/** What the kernel was last heard to have; it may lag behind a command by some milliseconds. */
export interface AddressView {
  observe(): readonly ObservedAddress[];
  /** Calls `listener` after every change; what it returns ends that. */
  onChanged(listener: () => void): () => void;
}
