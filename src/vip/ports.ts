// What the address side of carpd needs from outside. The daemon passes the real things in, tests
// pass fakes; nothing in this folder spawns, sleeps, reads a clock or opens a socket by itself.
import type { CommandRequest, RunningCommand } from '../base/command.ts';
import type { Micros } from '../base/time.ts';
import type { Ipv4 } from '../base/addresses.ts';

export type RunCommand = (request: CommandRequest) => RunningCommand;

/** Calls back once after `delayMs` milliseconds; what it returns cancels that. */
export type StartTimer = (delayMs: number, onExpired: () => void) => () => void;

/** The monotonic clock. */
export type Clock = () => Micros;

/** Sends a whole Ethernet frame now, or throws. */
export interface FrameSender {
  send(frame: Uint8Array): void;
}

/** An IPv4 address that is on the interface. */
export interface ObservedAddress {
  readonly address: Ipv4;
  /** 0 to 32. */
  readonly prefixLength: number;
  /** It came after another one of its prefix, with which the kernel may delete it. */
  readonly secondary: boolean;
  /** The far end of a point-to-point link, of which the prefix is then; absent: there is none. */
  readonly peer?: Ipv4;
}

/** An address with all that the kernel keeps of it: enough to make it anew. */
export interface AddressRecord extends Pick<ObservedAddress, 'address' | 'prefixLength'> {
  /** The far end of a point-to-point link; else the same as `address`. */
  readonly peer: Ipv4;
  readonly broadcast?: Ipv4;
  readonly label?: string;
  /** RT_SCOPE_*: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** Of the route to its prefix. */
  readonly metric?: number;
  /** It brought no route to its prefix along (IFA_F_NOPREFIXROUTE). */
  readonly noPrefixRoute: boolean;
  /** Seconds that were left to it; absent: for ever. */
  readonly validS?: number;
  readonly preferredS?: number;
}

/**
 * What the kernel told of the addresses of the interface, in its order. `request` is the same for
 * all that one request to the kernel has brought about. `gap`: some events were lost.
 */
export type AddressNotice =
  | {
      readonly kind: 'added' | 'removed';
      readonly request: string;
      readonly address: AddressRecord;
    }
  | { readonly kind: 'gap' };

/** An interface by the name that it has now. */
export interface Place {
  readonly name: string;
  readonly ifindex: number;
}

/**
 * The setting promote_secondaries of an interface: whether the kernel keeps the other addresses of
 * a prefix when the first of them is deleted.
 */
export interface SecondaryPromotion {
  /** Undefined: it can't be read. */
  inForce(place: Place): boolean | undefined;
  /** Resolves to whether it is set so now. */
  set(place: Place, on: boolean): Promise<boolean>;
}

/** The addresses of one interface, as the kernel was last heard to have them. */
export interface AddressView {
  /** Where the interface is now; undefined: nowhere. */
  current(): Place | undefined;
  /** Takes in what the kernel has told up to now. */
  drain(): void;
  observe(): readonly ObservedAddress[];
  /** Calls `listener` after every change of the interface; what it returns ends that. */
  onChanged(listener: () => void): () => void;
  /** Calls `listener` with everything that the kernel tells; what it returns ends that. */
  onNotice(listener: (notice: AddressNotice) => void): () => void;
}
