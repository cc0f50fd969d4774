// Sends the gratuitous ARP that moves clients and switches to this node. The election decides when;
// here is only the frame, the burst after it, and that nothing leaves once it is stopped.
import { messageOf } from '../base/errors.ts';
import type { Ipv4, Mac } from '../carp/addresses.ts';
import { gratuitousArp } from '../carp/arp.ts';
import type { FrameSender, StartTimer } from './ports.ts';

export interface AnnouncerOptions {
  readonly vip: Ipv4;
  /** The MAC of the interface now; a card that was replaced has another. */
  readonly mac: () => Mac;
  /** How many frames follow the first one of a burst; 0 for none, as ucarp. */
  readonly burst: number;
  readonly intervalMs: number;
  readonly sender: FrameSender;
  readonly startTimer: StartTimer;
  readonly onSent: () => void;
  /** Why a frame did not leave; the rest of the burst is tried all the same. */
  readonly onSendError: (reason: string) => void;
}

/** Announces one virtual IP on one interface. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #cancelTimer: (() => void) | undefined;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /**
   * Sends one frame before it returns. With `burst` the configured number follows at the interval,
   * in place of what is left of an earlier burst; without, an earlier burst goes on.
   */
  announce(options: { readonly burst: boolean }): void {
    if (options.burst) this.#scheduleBurst(this.#options.burst);
    this.#send();
  }

  /** Cancels what is left of a burst; no frame leaves from here on until the next `announce`. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #scheduleBurst(left: number): void {
    this.stop();
    if (left <= 0) return;
    this.#cancelTimer = this.#options.startTimer(this.#options.intervalMs, () => {
      this.#scheduleBurst(left - 1);
      this.#send();
    });
  }

  #send(): void {
    const { sender, mac, vip, onSent, onSendError } = this.#options;
    try {
      sender.send(gratuitousArp(mac(), vip));
    } catch (error) {
      onSendError(messageOf(error));
      return;
    }
    onSent();
  }
}
