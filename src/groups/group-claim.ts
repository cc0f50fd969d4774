// An instance's hold on its group: taken for the interface that its name stands for now, and taken
// anew when that is another one.
import { messageOf } from '../base/errors.ts';
import { formatIpv4 } from '../base/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import type { GroupHolder, GroupLock, GroupPlace } from '../linux/sockets/group-lock.ts';
import type { Ports } from '../ports/ports.ts';

export type Claimed =
  | { readonly kind: 'ours' }
  /** There is no interface to hold it on. */
  | { readonly kind: 'nowhere' }
  | { readonly kind: 'held'; readonly holder: GroupHolder }
  | { readonly kind: 'failed'; readonly detail: string };

type GroupConfig = Pick<InstanceConfig, 'vhid' | 'destination' | 'address'>;

export interface GroupClaimOptions extends Pick<Ports, 'startTimer' | 'lockGroup'> {
  readonly config: GroupConfig;
}

const RETRY_MS = 1_000;

/** The lock of one instance on its group. */
export class GroupClaim {
  readonly #options: GroupClaimOptions;
  #held: { readonly ifindex: number; readonly lock: GroupLock } | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: GroupClaimOptions) {
    this.#options = options;
  }

  /** Whether the group is this instance's on some interface. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Takes the group on this interface, and lets it go on any other. */
  take(ifindex: number | undefined): Claimed {
    if (ifindex !== undefined && this.#held?.ifindex === ifindex) return { kind: 'ours' };
    this.release();
    if (ifindex === undefined) return { kind: 'nowhere' };
    const { config, lockGroup } = this.#options;
    try {
      const attempt = lockGroup(placeOf(config, ifindex));
      if (attempt.kind === 'held') return attempt;
      this.#held = { ifindex, lock: attempt.lock };
      return { kind: 'ours' };
    } catch (error) {
      return { kind: 'failed', detail: messageOf(error) };
    }
  }

  /** Calls back in a while: the end of a holder is no event. Once for any number of calls. */
  retryLater(retry: () => void): void {
    this.#cancelRetry ??= this.#options.startTimer(RETRY_MS, () => {
      this.#cancelRetry = undefined;
      retry();
    });
  }

  /** Who waits for the group may go on waiting: it will be free soon. */
  leaving(): void {
    this.#held?.lock.leaving();
  }

  release(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#held?.lock.release();
    this.#held = undefined;
  }
}

/** What is to be held for an instance on this interface. */
export function placeOf({ vhid, destination, address }: GroupConfig, ifindex: number): GroupPlace {
  return { ifindex, vhid, destination: formatIpv4(destination), virtualIp: formatIpv4(address.ip) };
}
